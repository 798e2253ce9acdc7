"""Plan critic: conflicts, redundancy, missing consent and risk, found before anything runs."""

from typing import Literal

from langgraph.types import Command

from agents.contracts import PlanReviewRequest
from agents.planning.findings import blocking
from domain.briefings import Briefing
from domain.events import PlanCriticised
from graph.context import Run
from graph.routes import execute
from graph.state import State, dumped, plan_of


async def plan_critic(state: State, run: Run) -> Command[Literal["planner", "approve_plan", "specialists"]]:
    """Send a plan with problems back to the planner, as often as the limit allows; then run the best there is.

    What could do harm runs only when a person has seen it.
    """
    plan, services = plan_of(state), run.services
    problems = await services.cast.plan_critic(
        PlanReviewRequest(
            goal=state["goal"],
            briefing=Briefing.model_validate(state["briefing"]),
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
    way = execute(plan, state, run, update, worries=[str(problem) for problem in blocking(problems)])
    return Command(goto=way.goto, update=way.update)
