from typing import Any

import pytest

from domain.nesting import MAX_DEPTH, flattened
from domain.plans import Condition, Plan, Step, execution_order


def step(name: str, *needs: str, **fields: Any) -> Step:
    return Step.model_validate({"id": name, "agent": "worker", "task": name, "needs": list(needs), **fields})


def flat(*steps: Step) -> dict[str, Step]:
    plan = flattened(Plan(steps=list(steps)))
    assert Plan.model_validate(plan.model_dump(mode="json")) == plan
    return {each.id: each for each in plan.steps}


def test_a_plan_without_nested_plans_is_the_same_object() -> None:
    plan = Plan(steps=[step("a"), step("b", "a")])
    assert flattened(plan) is plan


def test_inner_steps_run_when_the_outer_one_would_and_it_joins_their_ends() -> None:
    outer = step("outer", "before", steps=[step("one"), step("two", "one"), step("three", "one")])
    steps = flat(step("before"), outer, step("after", "outer"))
    assert list(steps) == ["before", "outer/one", "outer/two", "outer/three", "outer", "after"]
    assert steps["outer/one"].needs == ["before"]
    assert steps["outer/two"].needs == ["outer/one", "before"]
    assert (steps["outer"].joins, steps["outer"].needs) == (True, ["outer/two", "outer/three"])
    assert execution_order(Plan(steps=list(steps.values())))[-1] == ["after"]


def test_names_mean_the_nearest_step() -> None:
    inner = step("use", "a", args={"x": [{"ref": {"step": "a", "field": "n"}}, {"ref": {"step": "b"}}]}, tool="t")
    deep = step("deep", steps=[step("look", "a", condition=Condition(step="b", op="exists").model_dump())])
    steps = flat(step("a"), step("b"), step("outer", steps=[step("a"), inner, deep]))
    assert [ref.step for ref in steps["outer/use"].refs()] == ["outer/a", "b"]
    assert steps["outer/deep/look"].inputs() == {"outer/a", "b"}


def test_conditions_wishes_and_care_are_passed_on() -> None:
    when = Condition(step="before", op="exists")
    own = Condition(step="one", op="exists")
    inner = [step("one", priority=2, deadline=9.0), step("two", condition=own.model_dump(), on_failure="stop")]
    outer = step(
        "outer", condition=when.model_dump(), steps=inner, priority=5, deadline=4.0, privacy="secret", consent=["mail"],
        on_failure="skip",
    )  # fmt: skip
    steps = flat(step("before"), outer)
    one, two = steps["outer/one"], steps["outer/two"]
    assert (one.priority, one.deadline, one.privacy, one.consent) == (7, 4.0, "secret", ["mail"])
    assert (one.on_failure, two.on_failure) == ("skip", "stop")
    assert two.conditions == [when, own.model_copy(update={"step": "outer/one"})]


@pytest.mark.parametrize("depth", [MAX_DEPTH, MAX_DEPTH + 1])
def test_nesting_has_a_bottom(depth: int) -> None:
    nested = step("leaf")
    for _ in range(depth):
        nested = step("box", steps=[nested])
    left = [each for each in flat(nested).values() if each.steps]
    assert len(left) == (0 if depth <= MAX_DEPTH else 1)
