"""Who does a step, in whole runs: chosen by experience, frozen, replaced when it fails, judged afterwards."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from agents.contracts import Assignment
from agents.delegation.standings import Standing
from agents.resources.desk import ResourceDesk
from agents.team import Expected, SelectionRules, Specialist, Team
from domain.checkpoints import Checkpoint
from domain.errors import ToolError
from domain.events import ModelCalled
from domain.outcomes import StepResult
from domain.plans import Plan
from domain.resources import Resource
from memory.leases import Leases
from tests.graph.conftest import DELIVER, Opener, Theatre, Troupe, step

PLAN = Plan(steps=[step("read", "senior"), step("write", "writer", "read")])
KIND = "search/reading"


def office(
    *, alternatives: tuple[str, ...] = ("junior",), checkpoints: tuple[Checkpoint, ...] = (), **junior: Any
) -> Team:
    able: dict[str, Any] = {"capabilities": ("reading",), "tools": ("look",), "expected": Expected(dollars=0.5)}
    return Team(
        name="office",
        description="a team",
        specialists=(
            Specialist(name="senior", description="reads", alternatives=alternatives, **able),
            Specialist(name="junior", description="reads too", **(able | junior)),
            Specialist(name="writer", description="writes", tools=("save",)),
        ),
        checkpoints=checkpoints,
        selection=SelectionRules(policy="greedy"),  # draws nothing, so that a test knows whom it takes
    )


async def teach(stage: Theatre, workspace: str = "default", **worth: float) -> None:
    for agent, outcome in worth.items():
        for _ in range(12):
            await stage.services.delegator.observe(workspace, KIND, agent, outcome, seconds=1.0, cost=0.5)


async def standings(stage: Theatre, workspace: str = "default") -> list[tuple[str, str, int, float]]:
    found = await stage.services.delegator.standings(workspace)
    return [(s.kind, s.agent, s.tasks, s.quality) for s in found]


def performing(*, fails: tuple[str, ...] = ()) -> Callable[[Assignment], Awaitable[StepResult]]:
    async def perform(request: Assignment) -> StepResult:
        name = request.specialist.name
        if name in fails:
            msg = f"{name} is lost"
            raise ToolError(msg)
        return StepResult(step=request.step.id, agent=name, text=f"by {name}")

    return perform


def opened(theatre: Opener, team: Team | None = None, plan: Plan = PLAN, **troupe: Any) -> Theatre:
    return theatre(Troupe(plans=[plan], **({"perform": performing()} | troupe)), team=team or office())


async def test_without_experience_the_planned_agent_does_it_and_both_are_judged(theatre: Opener) -> None:
    stage = opened(theatre, scores=[0.85])
    state = await stage.say("Read it")
    (chosen,) = stage.told("agent_selected")
    assert (chosen.step, chosen.agent, chosen.fallbacks, chosen.kind) == ("read", "senior", ["junior"], KIND)
    assert state["results"]["read"]["agent"] == "senior"
    assert await standings(stage) == [(KIND, "senior", 1, 0.85), ("search/writer", "writer", 1, 0.85)]


async def test_experience_chooses_another_one(theatre: Opener) -> None:
    stage = opened(theatre)
    await teach(stage, senior=0.2, junior=0.9)
    state = await stage.say("Read it")
    assert state["results"]["read"]["agent"] == "junior"
    assert state["assigned"]["read"] == {"for": "senior", "agent": "junior", "fallbacks": ["senior"]}
    assert stage.told("agent_selected")[0].reason.startswith("24 outcomes of these candidates: junior promises")


async def test_workspaces_have_experience_of_their_own(theatre: Opener) -> None:
    stage = opened(theatre)
    await teach(stage, workspace="acme", senior=0.0, junior=1.0)
    assert (await stage.say("Read it"))["results"]["read"]["agent"] == "senior"
    assert (KIND, "senior", 12, 0.0) in await standings(stage, "acme")


async def test_when_the_chosen_one_fails_the_next_best_takes_over_and_the_failure_counts(theatre: Opener) -> None:
    stage = opened(theatre, perform=performing(fails=("senior",)), scores=[0.9])
    result = (await stage.say("Read it"))["results"]["read"]
    assert (result["agent"], result["attempts"], result["status"]) == ("junior", 3, "done")
    found = await standings(stage)
    assert (KIND, "senior", 1, 0.0) in found
    assert (KIND, "junior", 1, 0.9) in found


async def test_a_failure_counts_even_where_no_run_is_remembered_as_done(theatre: Opener) -> None:
    stage = opened(theatre, perform=performing(fails=("senior", "junior")))
    assert (await stage.say("Read it"))["outcome"]["status"] == "failed"
    found = [(agent, quality) for _, agent, _, quality in await standings(stage)]
    assert sorted(found) == [("junior", 0.0), ("senior", 0.0)]


async def test_a_team_without_alternatives_is_asked_nothing_but_learns(theatre: Opener) -> None:
    stage = opened(theatre, office(alternatives=()))
    state = await stage.say("Read it")
    assert (stage.told("agent_selected"), state["assigned"]) == ([], {})
    assert len(await standings(stage)) == 2


@pytest.mark.parametrize(
    "team",
    [
        office(tools=()),
        office(checkpoints=(Checkpoint(name="look", condition="BEFORE_EXECUTION", stage="junior"),)),
        office(alternatives=("nobody",)),
    ],
    ids=["lacks a tool", "has a checkpoint of its own", "is not there"],
)
async def test_who_may_not_stand_in_is_never_chosen(theatre: Opener, team: Team) -> None:
    stage = opened(theatre, team)
    await teach(stage, senior=0.0, junior=1.0)
    assert (await stage.say("Read it"))["results"]["read"]["agent"] == "senior"


async def test_a_step_that_calls_a_tool_keeps_the_agent_that_may_call_it(theatre: Opener) -> None:
    team = office()
    writer = team.specialist("writer").model_copy(update={"alternatives": ("junior",)})
    team = team.model_copy(update={"specialists": (*team.specialists[:2], writer)})
    stage = opened(theatre, team, Plan(steps=[step("read", "senior"), DELIVER]))
    assert (await stage.say("Read it"))["results"]["deliver"]["agent"] == "writer"
    assert [event.step for event in stage.told("agent_selected")] == ["read"]


class Crash(Exception):
    pass


async def test_a_resumed_run_keeps_who_was_chosen(theatre: Opener) -> None:
    asked: list[str] = []

    async def crash_once(request: Assignment) -> StepResult:
        asked.append(request.specialist.name)
        if asked == ["junior"]:
            raise Crash
        return StepResult(step=request.step.id, agent=request.specialist.name, text="x")

    stage = opened(theatre, perform=crash_once)
    await teach(stage, senior=0.2, junior=0.9)
    with pytest.raises(Crash):
        await stage.say("Read it")
    for _ in range(4):
        await teach(stage, senior=1.0, junior=0.0)
    state = await stage.go(None)
    assert asked == ["junior", "junior", "writer"]
    assert state["outcome"]["status"] == "done"
    assert len(stage.told("agent_selected")) == 1
    assert (await stage.say("Read it again"))["results"]["read"]["agent"] == "senior"


async def test_the_choice_outlives_a_persons_decision(theatre: Opener) -> None:
    gate = Checkpoint(name="look", condition="BEFORE_EXECUTION", stage="senior")
    stage = opened(theatre, office(checkpoints=(gate,)))
    await teach(stage, senior=0.2, junior=0.9)
    await stage.say("Read it")
    assert await stage.question() is not None
    for _ in range(4):
        await teach(stage, senior=1.0, junior=0.0)
    state = await stage.answer({"type": "approve"})
    assert state["results"]["read"]["agent"] == "junior"
    assert len(stage.told("agent_selected")) == 1


async def test_what_a_person_refused_counts_as_nothing(theatre: Opener) -> None:
    gate = Checkpoint(name="look", condition="AFTER_STAGE", stage="senior")
    stage = opened(theatre, office(checkpoints=(gate,)))
    await teach(stage, senior=0.2, junior=0.9)
    await stage.say("Read it")
    await stage.answer({"type": "reject", "message": "no"})
    found = {(agent, tasks): quality for _, agent, tasks, quality in await standings(stage)}
    assert found["junior", 13] == pytest.approx(12 * 0.9 / 13)


async def test_a_run_that_is_remembered_twice_is_told_once(theatre: Opener) -> None:
    stage = opened(theatre)
    await stage.say("Read it")
    history = [s async for s in stage.graph.aget_state_history(stage.config)]
    stage.config = next(s for s in history if s.next == ("remember",)).config
    await stage.go(None)
    assert [tasks for _, _, tasks, _ in await standings(stage)] == [1, 1]


async def test_costs_are_measured_by_the_price_of_the_model(theatre: Opener) -> None:
    async def perform(request: Assignment) -> StepResult:
        dollars = 6.0 if request.specialist.name == "junior" else 0.0
        request.emit(ModelCalled(role="specialist", model="openai:m", seconds=1.0, dollars=dollars))
        return StepResult(step=request.step.id, agent=request.specialist.name, text="x")

    team = office(expected=Expected())
    stage = opened(theatre, team, perform=perform)
    await teach(stage, senior=0.2, junior=1.0)
    await stage.say("Read it")
    costs = {s.agent: s.cost for s in await stage.services.delegator.standings("default")}
    assert costs == {"junior": pytest.approx((12 * 0.5 + 6.0) / 13), "senior": 0.5, "writer": 0.0}


async def test_a_reused_plan_is_of_the_kind_of_its_goal(theatre: Opener) -> None:
    stage = opened(theatre, scores=[0.95])
    await stage.say("Write a blog post about AI trends")
    state = await stage.say("Write a blog post about AI trends")
    assert (state["decision"]["source"], state["decision"]["kind"]) == ("memory", "creation")
    assert stage.told("agent_selected")[-1].kind == "creation/reading"


async def test_an_agent_that_left_the_team_is_replaced_by_the_planned_one(theatre: Opener) -> None:
    gate = Checkpoint(name="look", condition="BEFORE_EXECUTION", stage="senior")
    team = office(checkpoints=(gate,))
    stage = opened(theatre, team)
    await teach(stage, senior=0.2, junior=0.9)
    await stage.say("Read it")
    smaller = team.model_copy(update={"specialists": (team.specialists[0], team.specialists[2])})
    stage.services = replace(stage.services, team=smaller)
    saver = stage.graph.checkpointer
    stage.reopen()
    stage.graph.checkpointer = saver
    assert (await stage.answer({"type": "approve"}))["results"]["read"]["agent"] == "senior"


async def test_standings_know_time(theatre: Opener) -> None:
    stage = opened(theatre)
    await stage.say("Read it")
    (found,) = [s for s in await stage.services.delegator.standings("default") if s.agent == "senior"]
    assert isinstance(found, Standing)
    assert 0 < found.seconds < 5


def bound(stage: Theatre, *resources: Resource) -> Theatre:
    services, records = stage.services, stage.services.memory._records
    desk = ResourceDesk(resources, records, Leases(records))
    cast = replace(services.cast, mode="openai:lead")
    stage.services = replace(services, cast=cast, resources=desk)
    return stage


def model(name: str, agent: str, **fields: Any) -> Resource:
    plain = {"name": name, "kind": "model", "uses": f"openai:{name}", "serves": [agent]}
    return Resource.model_validate(plain | fields)


async def test_who_has_no_model_that_may_see_the_data_is_not_chosen(theatre: Opener) -> None:
    plan = Plan(steps=[step("read", "senior", privacy="secret", consent=["secret_data"])])
    stage = bound(opened(theatre, plan=plan), model("here", "senior", placement="local"), model("cloud", "junior"))
    await teach(stage, senior=0.2, junior=0.9)
    await stage.say("Read it")
    state = await stage.answer({"type": "approve"})
    assert (state["results"]["read"]["agent"], state["results"]["read"]["attempts"]) == ("senior", 1)


async def test_that_no_place_was_free_says_nothing_about_the_agent(theatre: Opener) -> None:
    plan = Plan(steps=[step("read", "senior", timeout=0.01)])
    one = model("here", "senior", placement="local")
    stage = bound(opened(theatre, office(alternatives=()), plan), one)
    assert await Leases(stage.services.memory._records).take("here", "somebody else", 1)
    state = await stage.say("Read it")
    assert state["outcome"]["failure"]["code"] == "resource_busy"
    assert await standings(stage) == []


async def test_a_run_resumed_with_another_team_takes_no_result_of_one_step_for_another(theatre: Opener) -> None:
    asked: list[str] = []

    async def crash_at_last(request: Assignment) -> StepResult:
        asked.append(request.step.id)
        if request.step.id == "c" and asked.count("c") == 1:
            raise Crash
        return StepResult(step=request.step.id, agent=request.specialist.name, text=f"of {request.step.id}")

    plan = Plan(steps=[step("a", "senior"), step("b", "senior", "a"), step("c", "senior", "b")])
    stage = opened(theatre, plan=plan, perform=crash_at_last)
    with pytest.raises(Crash):
        await stage.say("Read it")
    stage.services = replace(stage.services, team=office(alternatives=()))  # there is nobody to choose from any more
    state = await stage.go(None)
    assert {key: result["text"] for key, result in state["results"].items()} == {"a": "of a", "b": "of b", "c": "of c"}
    assert state["outcome"]["status"] == "done"
