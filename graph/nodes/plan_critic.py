"""Plan critic: conflicts, redundancy and missing consent, found before anything runs."""

from typing import Literal

from langgraph.types import Command

from agents.contracts import PlanReviewRequest
from domain.briefings import Briefing
from domain.events import PlanCriticised
from graph.context import Run
from graph.routes import execute
from graph.state import State, dumped, plan_of


async def plan_critic(state: State, run: Run) -> Command[Literal["planner", "approve_plan", "specialists"]]:
    """Send a plan with problems back to the planner, as often as the limit allows; then run the best there is."""
    plan, services = plan_of(state), run.services
    problems = await services.cast.plan_critic(
        PlanReviewRequest(
            goal=state["goal"],
            briefing=Briefing.model_validate(state["briefing"]),
            team=services.team,
            emit=run.emit,
            plan=plan,
            tools=services.tools,
        )
    )
    run.emit(PlanCriticised(problems=problems))
    revisions = state.get("plan_revisions", 0)
    update = {"problems": [dumped(problem) for problem in problems]}
    if problems and revisions < services.limits.max_plan_revisions:
        return Command(goto="planner", update=update | {"plan_revisions": revisions + 1})
    way = execute(plan, run, update)
    return Command(goto=way.goto, update=way.update)
