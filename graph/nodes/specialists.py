"""Specialists: the plan as a DAG of named, durable tasks."""

import itertools
from collections.abc import Awaitable, Callable
from typing import Any, Literal

from langgraph.func import task
from langgraph.types import Command

from domain.approvals import ActionRequest
from domain.outcomes import Draft, Failure, StepResult
from domain.plans import RESULT, Plan, Step, execution_order
from graph.context import Run
from graph.gates import decision_for, opened
from graph.scheduler import StepReport, is_lost, run_steps
from graph.state import JsonDict, State, dumped, plan_of, results_of
from graph.steps import StepWork, rejected

_Next = Literal["approve_steps", "planner", "composer", "critic", "remember"]


async def specialists(state: State, run: Run) -> Command[_Next]:
    """Run every step that can run; then go to a person, back to the planner, or on."""
    plan = plan_of(state)
    final = Draft.model_validate(state["draft"]) if state.get("stopped") else None
    settled = reviewed(state)
    work = StepWork(state, run, final)
    reports = await run_steps(plan, settled, work, durable, slots=run.services.limits.max_parallel_steps)
    results = settled | {report.result.step: report.result for report in reports}
    requests = [report.request for report in reports if report.request]
    update: JsonDict = {"results": {key: dumped(result) for key, result in results.items()}}
    if requests:
        return Command(goto="approve_steps", update=update | opened("approve_steps", requests))
    return _onward(state, run, plan, results, update)


def durable(step: Step, body: Callable[[], Awaitable[StepReport]]) -> Awaitable[StepReport]:
    """Launch a step as a LangGraph task named after its specialist, whose report is kept in the checkpoint."""

    async def perform(step_id: str) -> list[JsonDict | None]:
        result, request = await body()
        return [dumped(result), dumped(request) if request else None]

    async def report() -> StepReport:
        result, request = await started
        return StepReport(StepResult.model_validate(result), ActionRequest.model_validate(request) if request else None)

    named: Any = task(name=step.agent)  # its generic type does not survive the decorator's overloads
    started = named(perform)(step.id)
    return report()


def reviewed(state: State) -> dict[str, StepResult]:
    """Return the results that stand: finished ones, and held ones as a person decided on them."""
    plan, decided, results = plan_of(state), state.get("decisions", {}), results_of(state)
    standing: dict[str, StepResult] = {}
    for key in itertools.chain(*execution_order(plan)):
        step, result = plan.step(key), results.get(key)
        if result is None or not step.inputs() - {RESULT} <= standing.keys():
            continue  # made again, and with it everything that was built on it
        if result.status != "held":
            standing[key] = result
        elif f"{key}.after" in decided:
            standing[key] = _after_review(step, result, state)
    return standing


def _after_review(step: Step, result: StepResult, state: State) -> StepResult:
    """Return a finished step's result as approved, edited or rejected."""
    shown = ActionRequest(id=f"{step.id}.after", name="review_step", args={"text": result.text}, description="")
    decision = decision_for(shown, state)
    if decision is None or decision.type in ("reject", "respond"):
        return rejected(step, decision.message if decision else "the output changed after it was shown")
    text = str(decision.args["text"]) if decision.args else result.text
    return result.model_copy(update={"status": "done", "text": text})


def _onward(state: State, run: Run, plan: Plan, results: dict[str, StepResult], update: JsonDict) -> Command[_Next]:
    lost = [result for result in results.values() if is_lost(result)]
    if lost and _may_replan(state, run, plan, lost):
        return Command(goto="planner", update=update | {"replans": state.get("replans", 0) + 1, "plan_revisions": 0})
    if lost or state.get("stopped"):
        return Command(goto="remember", update=update)
    answers = _answers(plan, results)
    if len(answers) == 1:
        return Command(
            goto="critic", update=update | {"draft": dumped(Draft(text=answers[0].text, by=answers[0].agent))}
        )
    return Command(goto="composer", update=update)


def _may_replan(state: State, run: Run, plan: Plan, lost: list[StepResult]) -> bool:
    """Return whether another plan may be tried: never after a person's no, an unknown effect, or a delivery."""
    final = {"rejected", "effect_unknown"}
    failed = [r for r in lost if r.status == "failed"]
    if any((r.failure or Failure(code="", message="")).code in final for r in failed) or state.get("stopped"):
        return False
    stops = any(plan.step(r.step).on_failure == "stop" for r in failed)
    return not stops and state.get("replans", 0) < run.services.limits.max_replans


def _answers(plan: Plan, results: dict[str, StepResult]) -> list[StepResult]:
    """Return the results that no other step has worked into its own: the parts of the answer."""
    read = {key for step in plan.steps if not step.delivers for key in step.inputs()}
    ends = [step for step in plan.steps if step.id not in read and not step.delivers]
    return [results[step.id] for step in ends if step.id in results and results[step.id].status == "done"]
