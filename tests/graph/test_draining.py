"""A run that is asked to stop while steps work: what has begun ends, nothing more begins, and it goes on later."""

import asyncio

import pytest
from langgraph.errors import GraphDrained
from langgraph.runtime import RunControl

from agents.contracts import Assignment
from domain.errors import ToolError
from domain.outcomes import StepResult
from domain.plans import Plan
from graph.context import Context, Limits
from tests.graph.conftest import Opener, Theatre, Troupe, step


async def until_drained(stage: Theatre, control: RunControl) -> None:
    given = {"messages": [("user", "Read it")]}
    with pytest.raises(GraphDrained, match="enough"):
        await stage.graph.ainvoke(given, stage.config, context=Context(), durability="sync", control=control)


async def test_what_has_begun_ends_and_the_rest_is_done_later(theatre: Opener) -> None:
    control, both = RunControl(), asyncio.Barrier(2)

    async def perform(request: Assignment) -> StepResult:
        if request.step.id in ("a", "b") and not control.drain_requested:
            await both.wait()
            control.request_drain("enough")
            await asyncio.sleep(0)
        return StepResult(step=request.step.id, agent="reader", text=request.step.id)

    plan = Plan(steps=[step("a"), step("b"), step("c"), step("d", "reader", "a")])
    stage = theatre(Troupe(plans=[plan], perform=perform), limits=Limits(max_parallel_steps=2))
    await until_drained(stage, control)
    assert sorted(name for name in stage.troupe.asked if len(name) == 1) == ["a", "b"]
    stage.troupe.asked.clear()
    state = await stage.go(None)
    assert sorted(name for name in stage.troupe.asked if len(name) == 1) == ["c", "d"]
    assert state["outcome"]["status"] == "done"


async def test_nothing_is_tried_again_while_a_run_is_stopping(theatre: Opener) -> None:
    control = RunControl()

    async def perform(request: Assignment) -> StepResult:
        if not control.drain_requested:
            control.request_drain("enough")
            msg = "not now"
            raise ToolError(msg)
        return StepResult(step=request.step.id, agent="reader", text="well")

    stage = theatre(Troupe(plans=[Plan(steps=[step("a")])], perform=perform))
    await until_drained(stage, control)
    assert stage.troupe.asked.count("a") == 1
    state = await stage.go(None)
    assert (state["outcome"]["status"], stage.troupe.asked.count("a")) == ("done", 2)


async def test_the_rest_of_a_loop_is_done_later(theatre: Opener) -> None:
    control = RunControl()

    async def perform(request: Assignment) -> StepResult:
        if request.step.id == "look#2" and not control.drain_requested:
            control.request_drain("enough")
        return StepResult(step=request.step.id, agent="reader", text="", data={"rows": [1, 2, 3, 4]})

    plan = Plan(steps=[step("read"), step("look", foreach={"step": "read", "field": "rows"})])
    stage = theatre(Troupe(plans=[plan], perform=perform), limits=Limits(max_parallel_steps=1))
    await until_drained(stage, control)
    await stage.go(None)
    looks = [name for name in stage.troupe.asked if name.startswith("look")]
    assert looks == ["look#1", "look#2", "look#3", "look#4"]
