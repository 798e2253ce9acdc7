from typing import Any

import pytest

from domain.plans import Condition, ForEach, Plan, Step
from memory.composition import Composed, Part, composed
from memory.plan_shapes import Node, Shape, shape_of

OPEN = Step(id="open", agent="reader", task="Open the page on bees", tool="open", args={"page": "bees"}, effect="read")
SUM = Step(id="sum", agent="writer", task="Sum up bees", needs=["open"])
SAVE = Step(
    id="save", agent="writer", task="Save it", tool="save", effect="write",
    args={"path": "notes.md", "text": {"ref": {"step": "sum"}}},
)  # fmt: skip
BEES = Part("Write a summary about bees", Plan(steps=[OPEN, SUM, SAVE]))
PLOT = Part(
    "Draw a chart about tea",
    Plan(
        steps=[
            Step(id="open", agent="tables", task="Load the table of tea", tool="load", effect="read"),
            Step(id="plot", agent="tables", task="Plot tea", tool="plot", args={"rows": {"ref": {"step": "open"}}}),
        ]
    ),
)
GOAL = "Write a report about wind"


def shape(*steps: Step, edges: tuple[tuple[Step, Step], ...] = ()) -> Shape:
    return Shape(frozenset(map(node, steps)), frozenset((node(a), node(b)) for a, b in edges))


def node(step: Step) -> Node:
    return Node(step.agent, step.tool)


LOAD, PLOTTED = PLOT.plan.steps
BOTH = shape(OPEN, SUM, LOAD, PLOTTED, edges=((OPEN, SUM), (LOAD, PLOTTED)))


def made(shape: Shape, *parts: Part) -> Composed:
    found = composed(shape, parts, GOAL)
    assert found is not None
    return found


def test_steps_of_two_plans_make_one_with_the_wanted_shape() -> None:
    plan = made(BOTH, BEES, PLOT).plan
    assert shape_of(plan) == BOTH
    assert plan.source == "memory"
    assert sorted(step.id for step in plan.steps) == ["open", "open_2", "plot", "sum"]
    renamed = next(s for s in plan.steps if s.tool == "load").id
    assert plan.step("plot").args == {"rows": {"ref": {"step": renamed}}}


def test_every_step_is_one_of_a_remembered_plan_with_its_arguments() -> None:
    known = {(s.agent, s.tool, s.effect, tuple(s.args)) for part in (BEES, PLOT) for s in part.plan.steps}
    for step in made(BOTH, BEES, PLOT).plan.steps:
        assert (step.agent, step.tool, step.effect, tuple(step.args)) in known


def test_words_are_fitted_to_the_goal_and_what_could_not_be_is_told() -> None:
    plan = made(shape(OPEN, SUM, edges=((OPEN, SUM),)), BEES).plan
    assert plan.step("sum").task == "Sum up wind"
    iowa = Part(
        "Sum up wind in Iowa", Plan(steps=[Step(id="a", agent="r", task="ask", tool="sql", args={"q": "Iowa"})])
    )
    assert made(shape(*iowa.plan.steps), iowa).stale == ["Iowa"]


def test_no_goal_is_quoted_in_the_plan() -> None:
    text = made(BOTH, BEES, PLOT).plan.model_dump_json()
    assert BEES.goal not in text and PLOT.goal not in text


def test_a_step_whose_arguments_need_what_the_shape_does_not_give_cannot_be_joined() -> None:
    assert composed(shape(PLOTTED), [PLOT], GOAL) is None


def test_a_condition_goes_along_with_its_step() -> None:
    asks = Step(id="b", agent="writer", task="y", condition=Condition(step="a", op="exists"))
    part = Part("Do it", Plan(steps=[Step(id="a", agent="reader", task="x"), asks]))
    alone = Step(id="z", agent="other", task="z")
    wanted = shape(*part.plan.steps, alone, edges=((part.plan.steps[0], asks),))
    plan = made(wanted, part, Part("Else", Plan(steps=[alone]))).plan
    assert plan.step("b").condition == Condition(step="a", op="exists")
    assert composed(shape(asks), [part], GOAL) is None


def test_a_step_can_wait_for_another_one_of_another_plan() -> None:
    wanted = shape(LOAD, PLOTTED, SUM, edges=((LOAD, PLOTTED), (PLOTTED, SUM)))
    plan = made(wanted, PLOT, BEES).plan
    assert plan.step("sum").needs == ["plot"]
    assert [step.agent for step in plan.steps] == ["tables", "tables", "writer"]


def test_a_writing_step_comes_with_all_that_led_to_it() -> None:
    whole = made(shape(OPEN, SUM, SAVE, LOAD, edges=((OPEN, SUM), (SUM, SAVE))), BEES, PLOT).plan
    assert {s.id for s in whole.steps if s.effect == "write"} == {"save"}
    without_the_first = shape(SUM, SAVE, edges=((SUM, SAVE),))
    assert composed(without_the_first, [BEES], GOAL) is None
    fed_by_another = shape(LOAD, SUM, SAVE, edges=((LOAD, SUM), (SUM, SAVE)))
    assert composed(fed_by_another, [BEES, PLOT], GOAL) is None


def test_two_plans_never_mix_what_they_write() -> None:
    mail = Step(id="mail", agent="writer", task="Mail it", tool="mail", effect="write", args={"to": "ann"})
    other = Part("Mail it to ann", Plan(steps=[mail]))
    both = shape(OPEN, SUM, SAVE, mail, edges=((OPEN, SUM), (SUM, SAVE)))
    assert composed(both, [BEES, other], GOAL) is None


@pytest.mark.parametrize("change", [{"agent": "stranger"}, {"tool": "send_mail"}], ids=["agent", "tool"])
def test_a_step_that_no_plan_has_is_not_made_up(change: dict[str, Any]) -> None:
    assert composed(shape(OPEN.model_copy(update=change)), [BEES, PLOT], GOAL) is None


LIST = Step(id="open", agent="reader", task="List the pages", tool="list", effect="read")
EACH = Step(
    id="each", agent="reader", task="Read it", tool="fetch", effect="read",
    foreach=ForEach(step="open", field="pages"), guards=[Condition(step="open", op="exists")],
    args={"page": {"ref": {"step": "item"}}},
)  # fmt: skip
PAGES = Part("Read all pages", Plan(steps=[LIST, EACH]))


def test_a_loop_and_its_guards_go_along_with_the_step_they_name() -> None:
    plan = made(shape(LOAD, PLOTTED, LIST, EACH, edges=((LOAD, PLOTTED), (LIST, EACH))), PLOT, PAGES).plan
    listed = next(step.id for step in plan.steps if step.tool == "list")
    each = plan.step("each")
    assert {step.id for step in plan.steps} == {"open", "open_2", "plot", "each"}
    assert each.foreach == ForEach(step=listed, field="pages")
    assert each.guards == [Condition(step=listed, op="exists")]
    assert each.needs == []


def test_a_loop_without_the_step_that_it_goes_over_cannot_be_joined() -> None:
    assert composed(shape(EACH), [PAGES], GOAL) is None
    fed_by_another = shape(LOAD, EACH, edges=((LOAD, EACH),))
    assert composed(fed_by_another, [PAGES, PLOT], GOAL) is None


def test_two_steps_of_nested_plans_with_one_name_get_names_that_can_be() -> None:
    name = f"{'o' * 36}/a"
    first, second = (Step(id=name, agent=agent, task="Do it") for agent in ("reader", "writer"))
    parts = [Part("Do one", Plan(steps=[first])), Part("Do two", Plan(steps=[second]))]
    plan = made(shape(first, second), *parts).plan
    assert Plan.model_validate(plan.model_dump()) == plan
    assert [step.id for step in plan.steps] == [name, f"{name}_2"]
