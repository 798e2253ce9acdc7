from pathlib import Path
from typing import Any, get_args

import pytest

from agents.team import PlanningPolicy, Specialist, Team
from domain.outcomes import Failure, StepResult
from domain.plans import Plan, Problem, QueryKind, Step, Strategy
from domain.validation import validate_plan
from graph.catalogue import RunCatalogue

Rules = Any  # conftest's class; a conftest cannot be imported
QUESTION = "How did Iowa's electricity mix change between 2001 and 2017, and what explains it? Write a brief."


def shape(plan: Plan) -> list[tuple[str, list[str]]]:
    return [(step.id, step.needs) for step in plan.steps]


async def test_the_target_question_is_searched_and_analysed_side_by_side(energy: Rules) -> None:
    best = (await energy.planned(QUESTION)).alternatives[0]
    assert shape(best) == [("search", []), ("analyse", []), ("write", ["search", "analyse"])]
    assert best.strategy == "parallel"


async def test_delivery_is_a_last_step_named_after_the_goal(energy: Rules) -> None:
    last = (await energy.planned(QUESTION, delivers=True)).alternatives[0].steps[-1]
    assert (last.agent, last.tool, last.effect) == ("write", "write_file", "write")
    assert last.args == {"path": "iowa-electricity-mix-change.md", "text": {"ref": {"step": "result"}}}


@pytest.mark.parametrize("delivers", [True, False])
@pytest.mark.parametrize("team", ["energy", "marketing"])
@pytest.mark.parametrize(
    "goal",
    [
        QUESTION,
        "Find the law",
        "Summarise all",
        "Compare a and b",
        "Create a blog post",
        "Save a note on coal {0} {goal}",
    ],
)
async def test_every_alternative_can_run(energy: Rules, marketing: Rules, team: str, goal: str, delivers: bool) -> None:
    rules = {"energy": energy, "marketing": marketing}[team]
    planning = await rules.planned(goal, delivers=delivers)
    assert 1 <= len(planning.alternatives) <= 3
    for plan in planning.alternatives:
        assert validate_plan(plan, RunCatalogue(rules.team, rules.tools)) == []
        assert any(step.delivers for step in plan.steps) is delivers


async def test_the_goal_is_put_in_as_it_is(energy: Rules) -> None:
    [step] = (await energy.planned("Find {goal} and {0}")).alternatives[0].steps
    assert step.task.endswith(": Find {goal} and {0}")


async def test_without_tables_nothing_is_analysed(energy: Rules) -> None:
    energy.materials = [m for m in energy.materials if m.kind == "document"]
    best = (await energy.planned(QUESTION)).alternatives[0]
    assert shape(best) == [("search", []), ("write", ["search"])]
    assert "Left out" in best.rationale and "analyse" in best.rationale


async def test_without_documents_nothing_is_searched(energy: Rules) -> None:
    energy.materials = [m for m in energy.materials if m.kind == "table"]
    assert shape((await energy.planned(QUESTION)).alternatives[0]) == [("analyse", []), ("write", ["analyse"])]


async def test_a_failed_specialist_is_replaced_by_its_fallback(energy: Rules) -> None:
    lost = StepResult(step="search", agent="search", status="failed", failure=Failure(code="x", message="y"))
    rejected = (await energy.planned(QUESTION)).alternatives[0]
    best = (await energy.planned(QUESTION, rejected=rejected, failures=[lost])).alternatives[0]
    assert "search" not in best.sequence
    assert best.step("search").agent == "read"


async def test_a_failed_specialist_without_fallback_is_left_out(energy: Rules) -> None:
    lost = StepResult(step="analyse", agent="analyse", status="failed", failure=Failure(code="x", message="y"))
    best = (await energy.planned(QUESTION, failures=[lost])).alternatives[0]
    assert shape(best) == [("search", []), ("write", ["search"])]


async def test_a_person_may_ask_for_a_plan_without_a_step(energy: Rules) -> None:
    wish = Problem(code="change_requested", message="Please do it without the search step")
    best = (await energy.planned(QUESTION, problems=[wish])).alternatives[0]
    assert shape(best) == [("analyse", []), ("write", ["analyse"])]


async def test_a_team_without_templates_is_planned_by_capability(energy: Rules) -> None:
    finder = Specialist(name="finder", description="Finds.", tools=("search_documents",), capabilities=("search",))
    writer = Specialist(name="writer", description="Writes.", capabilities=("creation",))
    energy.team = Team(name="small", description="A small team.", specialists=(finder, writer))
    best = (await energy.planned("Write an essay on coal")).alternatives[0]
    assert [(step.agent, step.needs) for step in best.steps] == [("finder", []), ("writer", ["gather_finder"])]


async def test_an_empty_folder_still_gives_a_plan(energy: Rules, folder: Path) -> None:
    energy.materials = []
    assert (await energy.planned("Find the law")).alternatives[0].sequence == ["search"]


@pytest.mark.parametrize("kind", [kind for kind in get_args(QueryKind) if kind != "conversation"])
async def test_the_documents_team_has_a_template_for_every_kind(energy: Rules, kind: str) -> None:
    assert [template.name for template in energy.team.templates if kind in template.kinds]
    best = (await energy.planned("Coal in Iowa", kind=kind)).alternatives[0]
    assert best.rationale.startswith("The team's template")
    assert validate_plan(best, RunCatalogue(energy.team, energy.tools)) == []


def wanting(rules: Rules, strategy: Strategy) -> Rules:
    rules.team = rules.team.model_copy(update={"planning": PlanningPolicy(strategy=strategy)})
    return rules


async def test_a_comprehensive_plan_has_everybody_who_can_read(energy: Rules) -> None:
    best = (await wanting(energy, "comprehensive").planned(QUESTION)).alternatives[0]
    assert (best.strategy, best.sequence) == ("comprehensive", ["search", "read", "compare", "summarise", "analyse"])
    assert best.steps[-1].needs == [step.id for step in best.steps[:-1]]


async def test_an_adaptive_plan_gathers_first_and_then_reads_what_gave_something(energy: Rules) -> None:
    first = (await wanting(energy, "adaptive").planned(QUESTION, stretches_left=1)).alternatives[0]
    assert (shape(first), first.continues) == ([("search", []), ("analyse", [])], True)
    results = [
        StepResult(step="search", agent="search", text="nothing", empty=True),
        StepResult(step="analyse", agent="analyse", text="It doubled."),
    ]
    [second] = (await energy.planned(QUESTION, finished=first.steps, results=results, delivers=True)).alternatives
    assert [(step.id, step.needs) for step in second.steps] == [("write", ["analyse"]), ("deliver", [])]
    assert "Without what search found, which was nothing." in second.rationale


async def test_where_no_stretch_may_follow_nothing_is_left_open(energy: Rules) -> None:
    planning = await wanting(energy, "adaptive").planned(QUESTION)
    assert not any(plan.continues for plan in planning.alternatives)


async def test_a_stretch_that_a_model_began_is_ended_with_an_answer(energy: Rules) -> None:
    begun = Step(id="own_way", agent="read", task="Read the law.")
    found = StepResult(step="own_way", agent="read", text="The law says so.")
    [plan] = (await energy.planned("Write an essay on coal", finished=[begun], results=[found])).alternatives
    assert [(step.id, step.agent, step.needs) for step in plan.steps] == [("answer", "write", ["own_way"])]


async def test_a_stretch_without_anything_to_add_is_the_whole(energy: Rules) -> None:
    begun = Step(id="own_way", agent="search", task="Find the law.")
    found = StepResult(step="own_way", agent="search", text="The law says so.")
    [plan] = (await energy.planned("Find the law", finished=[begun], results=[found])).alternatives
    assert plan.steps == [begun]
