"""Budgets, through the graph: a run that has used up its own ends as such, with what is done."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from agents.budget import charged
from agents.contracts import Assignment, CompositionRequest, CritiqueRequest
from agents.tools.registry import Attempt, Toolbox, ToolOutput
from domain.budgets import Budget, Budgets, Price
from domain.checkpoints import Checkpoint
from domain.errors import ModelRefused
from domain.events import ModelCalled
from domain.outcomes import Critique, Draft, StepResult
from domain.plans import Plan
from graph.context import Limits
from tests.graph.conftest import Opener, Theatre, Troupe, step

THREE = Plan(steps=[step("a"), step("b", "reader", "a"), step("c", "reader", "b")])


async def asks_a_model(request: Assignment) -> StepResult:
    """Do a step as a model would: one charged call."""
    async with charged("openai:lead", lambda: 100) as call:
        await asyncio.sleep(0)
        call.used = call.amount(100, 50)
    request.emit(
        ModelCalled(
            role="specialist", model="openai:lead", seconds=0, input_tokens=100, output_tokens=50,
            dollars=call.used.dollars,
        )
    )  # fmt: skip
    return StepResult(step=request.step.id, agent="reader", text=f"{request.step.id} found")


def bounded(theatre: Opener, troupe: Troupe, **budgets: Any) -> Theatre:
    stage = theatre(troupe, limits=Limits(retry_pause=0))
    prices = {"openai:lead": Price(input=10, output=10)}
    stage.services = replace(stage.services, budgets=Budgets(**budgets), prices=prices)
    stage.reopen()
    return stage


@pytest.mark.parametrize(
    "budget",
    [Budget(calls=2), Budget(tokens=800), Budget(dollars=0.008)],
    ids=["calls", "tokens", "dollars"],
)
async def test_a_run_out_of_budget_ends_with_what_is_done(theatre: Opener, budget: Budget) -> None:
    stage = bounded(theatre, Troupe(plans=[THREE], perform=asks_a_model), run=budget)
    outcome = (await stage.say("Read it"))["outcome"]
    assert (outcome["status"], outcome["failure"]["code"]) == ("budget_exceeded", "budget_exceeded")
    assert "a found" in outcome["answer"] and "c found" not in outcome["answer"]
    assert [event.rung for event in stage.told("recovery_chosen")] == ["stop"]
    assert stage.troupe.asked.count("planner") == 1


async def test_what_is_within_the_budget_is_told_with_its_price(theatre: Opener) -> None:
    stage = bounded(theatre, Troupe(plans=[THREE], perform=asks_a_model), run=Budget(calls=3))
    outcome = (await stage.say("Read it"))["outcome"]
    assert (outcome["status"], outcome["usage"]["calls"]) == ("done", 3)
    assert outcome["usage"]["dollars"] == pytest.approx(0.0045)


async def test_a_step_has_a_budget_for_all_its_tries(theatre: Opener) -> None:
    async def twice(request: Assignment) -> StepResult:
        await asks_a_model(request)
        return await asks_a_model(request)

    stage = bounded(theatre, Troupe(plans=[THREE], perform=twice), step=Budget(calls=1))
    outcome = (await stage.say("Read it"))["outcome"]
    assert outcome["status"] == "budget_exceeded"
    assert "step 'a'" in outcome["failure"]["message"]
    assert stage.troupe.asked.count("a") == 1


async def test_seconds_cut_a_step_short(theatre: Opener) -> None:
    async def hang(request: Assignment) -> StepResult:
        return await asyncio.Event().wait()  # type: ignore[return-value]

    stage = bounded(theatre, Troupe(plans=[THREE], perform=hang), step=Budget(seconds=0.05))
    outcome = (await stage.say("Read it"))["outcome"]
    assert (outcome["status"], stage.troupe.asked.count("a")) == ("budget_exceeded", 1)


async def test_a_role_that_may_not_call_its_model_ends_the_run_with_the_draft(theatre: Opener) -> None:
    stage = bounded(theatre, Troupe(plans=[THREE], perform=asks_a_model), run=Budget(calls=3))

    async def critic(request: CritiqueRequest) -> Critique:
        async with charged("openai:lead", lambda: 100):
            return Critique(score=0.9)

    stage.services = replace(stage.services, cast=replace(stage.services.cast, critic=critic))
    stage.reopen()
    outcome = (await stage.say("Read it"))["outcome"]
    assert outcome["status"] == "budget_exceeded"
    assert "c found" in outcome["answer"]


async def test_a_run_that_may_call_no_model_at_all_says_so(theatre: Opener) -> None:
    stage = bounded(theatre, Troupe(), run=Budget(calls=0))

    async def supervisor(request: Any) -> Any:
        async with charged("openai:lead", lambda: 100):
            raise AssertionError

    stage.services = replace(stage.services, cast=replace(stage.services.cast, supervisor=supervisor))
    stage.reopen()
    outcome = (await stage.say("Read it"))["outcome"]
    assert (outcome["status"], outcome["answer"][:19]) == ("budget_exceeded", "This did not begin:")


async def test_waiting_for_a_person_does_not_count_as_time_at_work(theatre: Opener) -> None:
    stage = bounded(theatre, Troupe(plans=[THREE]), run=Budget(seconds=60))
    state = await stage.say("Read it")
    assert 0 < state["seconds"] < 60


async def test_a_composer_that_may_not_call_its_model_ends_the_run_with_what_was_found(theatre: Opener) -> None:
    plan = Plan(steps=[step("a"), step("b")])
    stage = bounded(theatre, Troupe(plans=[plan], perform=asks_a_model), run=Budget(calls=2))

    async def composer(request: CompositionRequest) -> Draft:
        async with charged("openai:lead", lambda: 100):
            raise AssertionError

    stage.services = replace(stage.services, cast=replace(stage.services.cast, composer=composer))
    stage.reopen()
    outcome = (await stage.say("Read it"))["outcome"]
    assert (outcome["status"], outcome["usage"]["calls"]) == ("budget_exceeded", 2)
    assert "a found" in outcome["answer"] and "b found" in outcome["answer"]
    assert "critic" not in stage.troupe.asked


async def test_what_a_plan_consumed_that_was_replaced_stays_consumed(theatre: Opener) -> None:
    async def refused_at_b(request: Assignment) -> StepResult:
        result = await asks_a_model(request)
        if request.step.id == "b":
            raise ModelRefused("no")
        return result

    one, two = (Plan(steps=[step(first), step(second, "reader", first)]) for first, second in ("ab", "cd"))
    stage = bounded(theatre, Troupe(plans=[one, two], perform=refused_at_b), run=Budget(calls=4))
    outcome = (await stage.say("Read it"))["outcome"]  # a, b by two agents, c: there is no call left for d
    assert (outcome["status"], outcome["usage"]["calls"]) == ("budget_exceeded", 4)
    assert [event.step for event in stage.told("model_called")] == ["a", "b", "b", "c"]


async def test_what_a_refused_step_consumed_stays_consumed(theatre: Opener) -> None:
    stage = bounded(theatre, Troupe(plans=[THREE], perform=asks_a_model))
    gate = Checkpoint(name="look", condition="AFTER_STAGE", stage="reader")
    team = stage.services.team.model_copy(update={"checkpoints": (gate,)})
    stage.services = replace(stage.services, team=team)
    stage.reopen()
    await stage.say("Read it")
    outcome = (await stage.answer({"type": "reject", "message": "no"}))["outcome"]
    assert (outcome["status"], outcome["usage"]["calls"]) == ("rejected", 1)


async def test_a_role_without_budget_has_undone_what_the_plan_says_must_be(theatre: Opener) -> None:
    save = step("keep", "writer", tool="save", effect="write", args={"path": "x", "text": "y"}, on_failure="rollback")
    stage = bounded(theatre, Troupe(plans=[Plan(steps=[save])]), run=Budget(calls=0))

    async def critic(request: CritiqueRequest) -> Critique:
        async with charged("openai:lead", lambda: 100):
            raise AssertionError

    async def undo(attempt: Attempt, output: ToolOutput) -> ToolOutput:
        return ToolOutput("taken back")

    tools = {name: replace(tool, undo=undo) for name, tool in stage.services.tools.tools.items()}
    cast = replace(stage.services.cast, critic=critic)
    stage.services = replace(stage.services, cast=cast, tools=Toolbox(tools))
    stage.reopen()
    outcome = (await stage.say("Save it"))["outcome"]
    assert (outcome["status"], len(outcome["undone"])) == ("budget_exceeded", 1)
