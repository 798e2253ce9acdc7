"""Checkpoint BEFORE_EXECUTION: a person sees the plan before anything runs."""

from typing import Literal

from langgraph.types import Command
from pydantic import ValidationError

from domain.approvals import ActionRequest, Decision
from domain.events import RunFinished
from domain.nesting import flattened
from domain.outcomes import Failure, Outcome
from domain.plans import Plan, Problem
from graph.context import Run
from graph.gates import answered, closed, opened
from graph.nodes.planner import kept_results
from graph.rules import problems_of
from graph.state import State, dumped, ended, plan_of, usage_of

_Next = Literal["specialists", "planner", "approve_plan", "__end__"]


async def approve_plan(state: State, run: Run) -> Command[Literal["specialists", "planner", "approve_plan", "__end__"]]:
    """Run, change, replan or drop the plan, as the person says."""
    pairs = await answered(state, run)
    request, decision = pairs[0]
    update = closed(state, pairs)
    match decision.type:
        case "approve":
            return Command(goto="specialists", update=update | {"carried": {}})
        case "respond":
            wish = Problem(code="change_requested", message=decision.message)
            return Command(goto="planner", update=update | {"problems": [dumped(wish)]})
        case "reject":
            outcome = _rejected(decision, state)
            run.emit(RunFinished(outcome=outcome))
            return Command(goto="__end__", update=update | ended(outcome))
        case "edit":
            return await _edited(state, run, request, decision)


def _rejected(decision: Decision, state: State) -> Outcome:
    reason = decision.message or "no reason given"
    return Outcome(
        status="rejected",
        answer=f"Nothing was done: the plan was rejected ({reason}).",
        usage=usage_of(state),
        failure=Failure(code="rejected", message=reason),
    )


async def _edited(state: State, run: Run, request: ActionRequest, decision: Decision) -> Command[_Next]:
    """Take the edited plan if it can run; else ask again and say what is wrong with it."""
    try:
        plan = flattened(Plan.model_validate(dumped(plan_of(state)) | (decision.args or {})))
        problems = [str(problem) for problem in await problems_of(plan, state, run)]
    except ValidationError as error:
        problems = [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
    if problems:
        note = f"The edited plan cannot run: {'; '.join(problems)}.\n\n{request.description}"
        again = request.model_copy(update={"description": note})
        return Command(goto="approve_plan", update=opened("approve_plan", [again]))
    kept = {"plan": dumped(plan), "results": kept_results(state, plan), "carried": {}}
    update = closed(state, [(request, decision)]) | kept
    return Command(goto="specialists", update=update)
