"""Checkpoint BEFORE_EXECUTION: a person sees the plan before anything runs."""

from typing import Literal

from langgraph.types import Command
from pydantic import ValidationError

from domain.approvals import ActionRequest, Decision
from domain.events import RunFinished
from domain.nesting import flattened
from domain.outcomes import Failure, Outcome
from domain.plans import Plan, Problem
from domain.wording import without_stop
from graph.context import Run
from graph.gates import answered, closed, digest_of, opened
from graph.naming import classed_plan
from graph.nodes.planner import kept_results
from graph.reviews import plan_review
from graph.routes import plan_again
from graph.rules import problems_of
from graph.state import State, dumped, ended, plan_of, usage_of

_Next = Literal["specialists", "planner", "approve_plan", "rollback", "remember", "__end__"]


async def approve_plan(state: State, run: Run) -> Command[_Next]:
    """Run, change, replan or drop the plan, as the person says; one that changed meanwhile is shown again."""
    pairs = await answered(state, run)
    request, decision = pairs[0]
    update, review = closed(state, pairs), plan_review(plan_of(state))
    if digest_of(request) != digest_of(review):
        way = await plan_again(state, run)
        return Command(goto=way.goto, update=update | way.update)
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
        answer=f"Nothing was done: the plan was rejected ({without_stop(reason)}).",
        usage=usage_of(state),
        failure=Failure(code="rejected", message=reason),
    )


async def _edited(state: State, run: Run, request: ActionRequest, decision: Decision) -> Command[_Next]:
    """Take the edited plan if it can run; else ask again and say what is wrong with it."""
    try:
        edited = flattened(Plan.model_validate(dumped(plan_of(state)) | (decision.args or {})))
        plan = classed_plan(edited, state, run)
        problems = [str(problem) for problem in await problems_of(plan, state, run)]
    except ValidationError as error:
        problems = [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
    if problems:
        note = f"The edited plan cannot run: {'; '.join(problems)}.\n\n{request.description}"
        again = request.model_copy(update={"description": note})
        return Command(goto="approve_plan", update=opened("approve_plan", [again]))
    kept = {"plan": dumped(plan), "results": kept_results(state, plan), "carried": {}}
    update = closed(state, [(request, decision)], now=plan_review(plan)) | kept
    return Command(goto="specialists", update=update)
