"""Specialists: the plan as a DAG of named, durable tasks."""

import itertools
from collections.abc import Awaitable, Callable
from typing import Any, Literal

from langgraph.func import task
from langgraph.types import Command

from domain.approvals import ActionRequest
from domain.outcomes import Draft, StepResult
from domain.plans import RESULT, Step, execution_order
from domain.privacy import as_private_as_read
from graph.asking import outputs_again
from graph.consent import asked_ahead
from graph.context import Run, amount_of
from graph.delegating import assigned
from graph.gates import decision_for, opened
from graph.naming import classed_plan
from graph.onward import Next, onward
from graph.reports import StepReport
from graph.reviews import output_review, plan_is_stale, result_is_stale
from graph.routes import plan_again, result_again
from graph.scheduler import Schedule
from graph.state import JsonDict, State, dumped, plan_of, results_of
from graph.steps import StepWork, rejected

_Next = Literal[Next, "approve_plan", "approve_result"]


async def specialists(state: State, run: Run) -> Command[_Next]:
    """Run every step that can run; then go to a person, back to the planner, or on.

    Nothing runs of a plan, and nothing is delivered of an answer, that changed after a person approved it.
    """
    if plan_is_stale(state):
        plan_way = await plan_again(state, run)
        return Command(goto=plan_way.goto, update=plan_way.update)
    if result_is_stale(state):
        way = await result_again(state, run)
        return Command(goto=way.goto, update=way.update)
    if requests := await outputs_again(state, run):
        return Command(goto="approve_steps", update=opened("approve_steps", requests))
    return await _worked(state, run)


async def _worked(state: State, run: Run) -> Command[_Next]:
    plan = plan_of(state)
    working = as_private_as_read(classed_plan(plan, state, run))
    final = Draft.model_validate(state["draft"]) if state.get("stopped") else None
    settled = reviewed(state)
    who = await assigned(working, settled, state, run)
    work, slots = StepWork({**state, "assigned": who}, run, final), run.services.limits.max_parallel_steps
    reports = await Schedule(working, settled, work, durable(run), slots, run.draining).run()
    standing = {step.id: settled[step.id] for step in plan.steps if step.id in settled}
    results = standing | {report.result.step: report.result for report in reports}
    requests = [request for report in reports for request in report.requests]
    update: JsonDict = {"results": {key: dumped(result) for key, result in results.items()}, "assigned": who}
    if requests:
        requests = await asked_ahead(requests, working, state, run)
        return Command(goto="approve_steps", update=update | opened("approve_steps", requests))
    way = onward(state, run, plan, results, update)
    return Command(goto=way.goto, update=way.update)


def durable(run: Run) -> Callable[[Step, Callable[[], Awaitable[StepReport]]], Awaitable[StepReport]]:
    """Return a launcher of steps as LangGraph tasks, named after their specialists and kept in the checkpoint."""

    def launch(step: Step, body: Callable[[], Awaitable[StepReport]]) -> Awaitable[StepReport]:
        restored = True

        async def perform(step_id: str) -> list[Any]:
            nonlocal restored
            restored = False
            result, requests = await body()
            return [dumped(result), [dumped(request) for request in requests]]

        async def report() -> StepReport:
            result, requests = await started
            if result["step"] != step.id:  # the team has changed since, tasks count otherwise, and this is another's
                return await body()
            found = StepReport(
                StepResult.model_validate(result), tuple(ActionRequest.model_validate(value) for value in requests)
            )
            if restored:  # what it consumed was charged to an account that ended with its process
                run.account.spent = run.account.spent.plus(amount_of(found.result.usage))
            return found

        named: Any = task(name=step.agent)  # its generic type does not survive the decorator's overloads
        started = named(perform)(step.id)
        return report()

    return launch


def reviewed(state: State) -> dict[str, StepResult]:
    """Return the results that stand: finished ones, and held ones as a person decided on them.

    Of a held step whose instances have results, those that stand are returned by their own ids.
    """
    plan, results = plan_of(state), results_of(state)
    standing: dict[str, StepResult] = {}
    for key in itertools.chain(*execution_order(plan)):
        step, result = plan.step(key), results.get(key)
        if result is None or not step.inputs() - {RESULT} <= standing.keys():
            continue  # made again, and with it everything that was built on it
        for part in (result.status == "held" and result.parts) or [result]:
            if stands := _standing(step, part, state):
                standing[part.step] = stands
    return standing


def _standing(step: Step, result: StepResult, state: State) -> StepResult | None:
    """Return the result of a step or of one of its instances as it stands, or None where it is still open."""
    if result.status != "held":
        return result
    if f"{result.step}.after" not in state.get("decisions", {}):
        return None
    return _after_review(step.model_copy(update={"id": result.step}), result, state)


def _after_review(step: Step, result: StepResult, state: State) -> StepResult:
    """Return a finished step's result as approved, edited or rejected."""
    decision = decision_for(output_review(result, plan_of(state)), state)
    if decision is None or decision.type in ("reject", "respond"):
        refused = rejected(step, decision.message if decision else "the output changed after it was shown")
        return refused.model_copy(update={"agent": result.agent, "seconds": result.seconds, "usage": result.usage})
    text = str(decision.args["text"]) if decision.args else result.text
    return result.model_copy(update={"status": "done", "text": text})
