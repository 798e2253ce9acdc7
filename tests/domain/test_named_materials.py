import pytest

from domain.briefings import Material
from domain.named_materials import classed
from domain.plans import Plan, Step

SALARIES = Material(name="hr/salaries.md", kind="document", privacy="secret", consent=("hr_data",))
TEAM = Material(name="team_list", kind="table", privacy="personal")
OPEN = Material(name="wind.md", kind="document")
MATERIALS = [SALARIES, TEAM, OPEN]


def step(name: str, task: str = "Do it.", **fields: object) -> Step:
    return Step.model_validate({"id": name, "agent": "reader", "task": task, **fields})


def classes(goal: str, *steps: Step) -> list[tuple[str, list[str]]]:
    plan = classed(Plan(steps=list(steps)), goal, MATERIALS, {"peek": "secret", "search": "public"})
    return [(each.privacy, each.consent) for each in plan.steps]


@pytest.mark.parametrize(
    "task",
    ["Read hr/salaries.md", "Read the SALARIES.", "see salaries.md, please", "hr / salaries . md"],
)
def test_a_step_that_names_a_material_is_as_private(task: str) -> None:
    assert classes("x", step("a", task), step("b")) == [("secret", ["hr_data"]), ("internal", [])]


def test_arguments_name_materials_too_and_a_class_brings_its_scope() -> None:
    sql = step("a", tool="query", args={"sql": "SELECT * FROM team_list"})
    assert classes("x", sql, step("b", "Look into the team list")) == [("personal", ["personal_data"])] * 2


def test_a_goal_that_names_what_no_step_names_makes_all_of_them_private() -> None:
    assert classes("Who earns most in salaries?", step("a"), step("b")) == [("secret", ["hr_data"])] * 2
    assert classes("salaries?", step("a", "Read salaries"), step("b")) == [("secret", ["hr_data"]), ("internal", [])]


def test_what_only_looks_alike_is_left_alone() -> None:
    assert classes("x", step("a", "Ask about salariesmen and steam lists, wind.md")) == [("internal", [])]


def test_the_class_of_a_tool_counts_and_doing_it_again_changes_nothing() -> None:
    first = Plan(steps=[step("a", tool="peek"), step("b", tool="search", privacy="personal", consent=["x"])])
    once = classed(first, "x", MATERIALS, {"peek": "secret"})
    assert [(s.privacy, s.consent) for s in once.steps] == [("secret", ["secret_data"]), ("personal", ["x"])]
    assert classed(once, "x", MATERIALS, {"peek": "secret"}) == once
