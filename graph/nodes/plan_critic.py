"""Plan critic: conflicts, redundancy, missing consent and risk, found before anything runs."""

from typing import Literal

from langgraph.types import Command

from agents.contracts import PlanReviewRequest
from agents.planning.findings import blocking
from domain.errors import ActionRefused
from domain.events import PlanCriticised, RecoveryChosen, RunFinished
from domain.outcomes import Failure
from graph.budget import end_of
from graph.context import Run
from graph.privacy import cast_for_plan
from graph.requests import briefing_of
from graph.routes import execute, not_begun
from graph.state import JsonDict, State, dumped, ended, plan_of

_Next = Literal["planner", "approve_plan", "specialists", "rollback", "remember", "__end__"]


async def plan_critic(state: State, run: Run) -> Command[_Next]:
    """Send a plan with problems back to the planner, as often as the limit allows; then run the best there is.

    What could do harm runs only when a person has seen it.
    """
    plan, services = plan_of(state), run.services
    problems = await cast_for_plan(plan, run).plan_critic(
        PlanReviewRequest(
            goal=state["goal"],
            briefing=briefing_of(state, run),
            team=services.team,
            emit=run.emit,
            plan=plan,
            tools=services.tools,
            finished=[step.id for step in plan.steps if step.id in state.get("results", {})],
        )
    )
    run.emit(PlanCriticised(problems=problems))
    revisions = state.get("plan_revisions", 0)
    update = {"problems": [dumped(problem) for problem in problems]}
    if problems and revisions < services.limits.max_plan_revisions:
        return Command(goto="planner", update=update | {"plan_revisions": revisions + 1})
    try:
        way = await execute(plan, state, run, update, worries=[str(problem) for problem in blocking(problems)])
    except ActionRefused as refused:
        return _blocked(refused, state, run, update)
    return Command(goto=way.goto, update=way.update)


def _blocked(refused: ActionRefused, state: State, run: Run, update: JsonDict) -> Command[_Next]:
    """Return the end of a run whose plan a checkpoint blocks, with what an earlier plan or stretch has done."""
    if state.get("results"):
        run.emit(RecoveryChosen(rung="stop", why=str(refused)))
        failure = Failure(code=refused.code, message=str(refused))
        return Command(goto=end_of(state), update=update | {"limit": dumped(failure)})
    outcome = not_begun(refused, state, run)
    run.emit(RunFinished(outcome=outcome))
    return Command(goto="__end__", update=update | ended(outcome))
