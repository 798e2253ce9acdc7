from domain.plans import Plan, Step
from domain.privacy import as_private_as_read, covers, most_private


def step(name: str, *needs: str, **fields: object) -> Step:
    return Step.model_validate({"id": name, "agent": "a", "task": "do it", "needs": list(needs)} | fields)


def classes(plan: Plan) -> dict[str, str]:
    return {each.id: each.privacy for each in as_private_as_read(plan).steps}


def test_what_reads_private_data_is_as_private_at_any_distance() -> None:
    plan = Plan(
        steps=[
            step("last", "middle"),
            step("middle", args={"text": {"ref": {"step": "first"}}}, tool="t"),
            step("first", privacy="secret"),
            step("beside", privacy="public"),
        ]
    )
    assert classes(plan) == {"last": "secret", "middle": "secret", "first": "secret", "beside": "public"}


def test_a_step_is_never_made_less_private() -> None:
    plan = Plan(steps=[step("open", privacy="public"), step("own", "open", privacy="personal")])
    assert classes(plan) == {"open": "public", "own": "personal"}


def test_a_plan_with_a_circle_is_left_as_it_is() -> None:
    plan = Plan(steps=[step("a", "b", privacy="secret"), step("b", "a")])
    assert as_private_as_read(plan) is plan


def test_classes_are_ordered() -> None:
    assert most_private(["internal", "secret", "public"]) == "secret"
    assert most_private([]) == "public"
    assert covers("personal", "internal") and not covers("personal", "secret")


def test_a_step_that_delivers_the_answer_is_as_private_as_all_that_was_found() -> None:
    result = {"text": {"ref": {"step": "result"}}}
    plan = Plan(steps=[step("out", args=result), step("open"), step("first", privacy="secret"), step("after", "out")])
    assert classes(plan) == {"out": "secret", "open": "internal", "first": "secret", "after": "internal"}
