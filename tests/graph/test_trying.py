"""Trials in whole runs: which variant a run gets, that it keeps it, and what is counted."""

from collections.abc import Mapping
from typing import Any

import pytest

from agents.contracts import Assignment, Planning, PlanningRequest
from agents.delegation.trials import Trial
from agents.team import Specialist, Team, Template
from domain.autonomy import Autonomy
from domain.errors import ToolError
from domain.outcomes import StepResult
from domain.plans import Plan
from tests.graph.conftest import DELIVER, Opener, Theatre, Troupe, step

SURE, NEVER = 1 - 1e-9, 1e-9
"""Shares with which every run of a test gets the challenger, or none."""
LONG = Plan(steps=[step("read"), step("write", "writer", "read")])
SHORT = (step("only", "writer").model_copy(update={"task": "Write all of {goal}"}),)


def team(*templates: Template) -> Team:
    return Team(
        name="office",
        description="a team",
        autonomy=Autonomy(tier="trusted"),
        specialists=(
            Specialist(name="reader", description="reads"),
            Specialist(name="writer", description="writes", tools=("save", "write_file")),
            Specialist(name="scribe", description="reads, too"),
        ),
        templates=templates,
    )


SHORT_TEMPLATE = Template(name="short", kinds=("creation",), steps=SHORT)


def sequences(share: float, *, challenger: str = "writer") -> Trial:
    return Trial("shorter", "reader>writer", challenger, share, team="office", of="sequences")


def agents(share: float) -> Trial:
    return Trial("other", "reader", "scribe", share, team="office")


async def opened(theatre: Opener, trial: Trial, *, of: Team | None = None, **troupe: Any) -> Theatre:
    stage = theatre(Troupe(**({"plans": [LONG]} | troupe)), team=of or team(SHORT_TEMPLATE))
    await stage.services.trials.start("default", trial)
    return stage


async def counted(stage: Theatre, name: str = "shorter", workspace: str = "default") -> tuple[Any, Any]:
    trial = await stage.services.trials.get(workspace, name)
    return trial.counts, trial.outcomes


def agents_of(state: Mapping[str, Any]) -> list[str]:
    return [result["agent"] for result in state["results"].values()]


@pytest.mark.parametrize(
    ("share", "asked", "counts", "outcomes"),
    [(SURE, ["only"], (0, 1), (0.0, 0.9)), (NEVER, ["read", "write"], (1, 0), (0.9, 0.0))],
    ids=["challenger", "control"],
)
async def test_a_planned_run_takes_its_sequence_and_is_counted(
    theatre: Opener, share: float, asked: list[str], counts: tuple[int, int], outcomes: tuple[float, float]
) -> None:
    stage = await opened(theatre, sequences(share))
    state = await stage.say("Write about the sea")
    assert [name for name in stage.troupe.asked if name in ("read", "write", "only")] == asked
    assert await counted(stage) == (counts, outcomes)
    assert stage.told("trial_assigned")[0].variant == ("writer" if share == SURE else "reader>writer")
    assert state["outcome"]["status"] == "done"


async def test_the_other_plan_speaks_of_the_goal_and_keeps_the_delivery(theatre: Opener) -> None:
    stage = await opened(theatre, sequences(SURE), plans=[Plan(steps=[*LONG.steps, DELIVER])])
    state = await stage.say("Write about the sea")
    assert [s["task"] for s in state["plan"]["steps"]] == ["Write all of Write about the sea", "do deliver"]
    assert [note.text for note in stage.troupe.saved] == ["only done"]


async def test_a_run_from_memory_is_in_the_trial_whichever_of_the_two_it_recalls(theatre: Opener) -> None:
    stage = await opened(theatre, sequences(SURE), scores=[0.95])
    for _ in range(2):
        state = await stage.say("Write a blog post about AI trends")
    assert (state["decision"]["source"], state["decision"]["sequence"]) == ("memory", ["writer"])
    assert await counted(stage) == ((0, 2), (0.0, 1.9))


async def test_a_task_that_succeeded_shows_the_way_where_no_template_does(theatre: Opener) -> None:
    plain = Plan(steps=[step("only", "writer").model_copy(update={"task": "Write a poem about the moon"})])
    stage = theatre(Troupe(plans=[plain, LONG], scores=[0.95]), team=team())
    await stage.say("Write a poem about the moon")
    await stage.services.trials.start("default", sequences(SURE))
    state = await stage.say("How many people live in the capital of France, and since when?")
    assert [s["agent"] for s in state["plan"]["steps"]] == ["writer"]
    assert "moon" not in state["plan"]["steps"][0]["task"]


async def test_a_sequence_that_nobody_knows_changes_and_counts_nothing(theatre: Opener) -> None:
    stage = await opened(theatre, sequences(SURE, challenger="scribe>writer"))
    state = await stage.say("Write about the sea")
    assert agents_of(state) == ["reader", "writer"]
    assert await counted(stage) == ((0, 0), (0.0, 0.0))


async def test_a_plan_that_had_to_be_mended_takes_part(theatre: Opener) -> None:
    stage = await opened(theatre, sequences(SURE), plans=[Plan(steps=[step("a", "nobody")]), LONG])
    assert agents_of(await stage.say("Write about the sea")) == ["writer"]
    assert (await counted(stage))[0] == (0, 1)


async def test_another_sequence_is_not_concerned(theatre: Opener) -> None:
    stage = await opened(theatre, sequences(SURE), plans=[Plan(steps=[step("read")])])
    await stage.say("Read about the sea")
    assert await counted(stage) == ((0, 0), (0.0, 0.0))


async def test_another_workspace_and_another_team_have_no_part(theatre: Opener) -> None:
    stage = theatre(Troupe(plans=[LONG]), team=team(SHORT_TEMPLATE))
    await stage.services.trials.start("acme", sequences(SURE))
    foreign = Trial("foreign", "reader>writer", "writer", SURE, team="studio", of="sequences")
    await stage.services.trials.start("default", foreign)
    assert agents_of(await stage.say("Write about the sea")) == ["reader", "writer"]
    assert await counted(stage, workspace="acme") == ((0, 0), (0.0, 0.0))


async def test_a_better_challenger_is_used_by_later_runs_and_a_stopped_one_is_not(theatre: Opener) -> None:
    stage = await opened(theatre, sequences(0.5))
    trials = stage.services.trials
    for n in range(200):
        worth = 0.95 if sequences(0.5).assigned(f"r{n}") == "challenger" else 0.3
        await trials.observe("default", "shorter", f"r{n}", worth)
    assert (await trials.get("default", "shorter")).state == "promoted"
    before = await counted(stage)
    assert agents_of(await stage.say("Write about the sea")) == ["writer"]
    assert await counted(stage) == before
    await trials.stop("default", "shorter")
    assert agents_of(await stage.say("Read and write about mountains of Peru in 1900")) == ["reader", "writer"]


class Crash(Exception):
    pass


async def test_a_resumed_run_keeps_its_arm_although_the_trial_has_ended(theatre: Opener) -> None:
    stage = await opened(theatre, sequences(SURE))
    planner = stage.troupe.planner
    crashed: list[PlanningRequest] = []

    async def crash_once(request: PlanningRequest) -> Planning:
        if not crashed:
            crashed.append(request)
            raise Crash
        return await planner(request)

    object.__setattr__(stage.services.cast, "planner", crash_once)
    with pytest.raises(Crash):
        await stage.say("Write about the sea")
    await stage.services.trials.stop("default", "shorter")
    state = await stage.go(None)
    assert agents_of(state) == ["writer"]
    assert await counted(stage) == ((0, 0), (0.0, 0.0))  # what comes after the end is not counted


async def test_a_variant_that_was_tried_counts_even_when_another_plan_saved_the_run(theatre: Opener) -> None:
    async def perform(request: Assignment) -> StepResult:
        if request.step.id == "only":
            msg = "the pen is dry"
            raise ToolError(msg)
        return StepResult(step=request.step.id, agent=request.specialist.name, text="x")

    stage = await opened(theatre, sequences(SURE), perform=perform)
    state = await stage.say("Write about the sea")
    assert (state["outcome"]["status"], agents_of(state)) == ("done", ["reader", "writer"])
    assert await counted(stage) == ((0, 1), (0.0, 0.9))


@pytest.mark.parametrize(
    ("share", "agent", "counts"), [(SURE, "scribe", (0, 1)), (NEVER, "reader", (1, 0))], ids=["challenger", "control"]
)
async def test_a_trial_of_agents_decides_at_dispatch(
    theatre: Opener, share: float, agent: str, counts: tuple[int, int]
) -> None:
    stage = await opened(theatre, agents(share))
    state = await stage.say("Write about the sea")
    assert agents_of(state) == [agent, "writer"]
    assert [s["agent"] for s in state["plan"]["steps"]] == ["reader", "writer"]
    assert (await counted(stage, "other"))[0] == counts


async def test_a_challenger_that_fails_is_saved_by_the_control_and_counts_as_nothing(theatre: Opener) -> None:
    async def perform(request: Assignment) -> StepResult:
        if request.specialist.name == "scribe":
            msg = "no pen"
            raise ToolError(msg)
        return StepResult(step=request.step.id, agent=request.specialist.name, text="x")

    stage = await opened(theatre, agents(SURE), perform=perform)
    state = await stage.say("Write about the sea")
    assert agents_of(state) == ["reader", "writer"]
    assert await counted(stage, "other") == ((0, 1), (0.0, 0.0))


async def test_a_promoted_agent_does_the_controls_steps(theatre: Opener) -> None:
    stage = await opened(theatre, agents(0.5))
    for n in range(200):
        worth = 0.95 if agents(0.5).assigned(f"r{n}") == "challenger" else 0.3
        await stage.services.trials.observe("default", "other", f"r{n}", worth)
    assert agents_of(await stage.say("Write about the sea")) == ["scribe", "writer"]
    assert stage.told("agent_selected")[0].reason == "a trial promoted scribe"


async def test_a_run_is_counted_once_although_it_is_remembered_twice(theatre: Opener) -> None:
    stage = await opened(theatre, sequences(SURE))
    await stage.say("Write about the sea")
    history = [s async for s in stage.graph.aget_state_history(stage.config)]
    stage.config = next(s for s in history if s.next == ("remember",)).config
    await stage.go(None)
    assert (await counted(stage))[0] == (0, 1)


async def test_a_variant_with_private_data_asks_for_the_consent_as_a_planned_one_would(theatre: Opener) -> None:
    private = Template(name="short", kinds=("creation",), steps=(step("only", "writer", privacy="personal"),))
    stage = await opened(theatre, sequences(SURE), of=team(private))
    state = await stage.say("Write about the sea")
    assert state["plan"]["steps"][0]["consent"] == ["personal_data"]
    assert "personal_data" in state["pending"][0]["description"]
    assert "only" not in stage.troupe.asked


async def test_a_template_with_a_nested_plan_is_a_variant_too(theatre: Opener) -> None:
    nested = step("all", "reader", steps=[step("only", "writer").model_dump()])
    stage = await opened(theatre, sequences(SURE), of=team(Template(name="n", kinds=("creation",), steps=(nested,))))
    await stage.say("Write about the sea")
    assert [name for name in stage.troupe.asked if "/" in name or name == "read"] == ["all/only"]
    assert await counted(stage) == ((0, 1), (0.0, 0.9))


async def test_a_run_that_has_begun_along_its_own_plan_stays_with_it(theatre: Opener) -> None:
    first = Plan(steps=[step("read")], continues=True)
    stage = await opened(theatre, sequences(SURE), plans=[first, Plan(steps=[step("write", "writer", "read")])])
    state = await stage.say("Write about the sea")
    assert [name for name in stage.troupe.asked if name in ("read", "write", "only")] == ["read", "write"]
    assert (state["outcome"]["status"], await counted(stage)) == ("done", ((0, 0), (0.0, 0.0)))


async def test_a_variant_that_has_left_the_team_does_nothing(theatre: Opener) -> None:
    smaller = team().model_copy(update={"specialists": team().specialists[:2]})
    stage = await opened(theatre, agents(SURE), of=smaller)
    state = await stage.say("Write about the sea")
    assert (state["outcome"]["status"], agents_of(state)) == ("done", ["reader", "writer"])
