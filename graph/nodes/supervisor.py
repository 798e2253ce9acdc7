"""Supervisor: reuse what worked when memory is sure, else reply, ask back, refuse or have it planned."""

from typing import Literal

from langgraph.types import Command

from agents.contracts import RoutingRequest
from domain.briefings import Briefing
from domain.events import PlanProposed, RouteDecided, RunFinished
from domain.outcomes import Outcome, RunStatus
from domain.plans import Plan, validate_plan
from domain.routing import Recall, RouteDecision, RouteSource
from graph.catalogue import RunCatalogue
from graph.context import Run
from graph.renewal import renewed
from graph.routes import execute
from graph.state import State, dumped, ended

_ENDINGS: dict[RouteSource, RunStatus] = {"reply": "replied", "ask": "asked", "refuse": "refused"}


async def supervisor(state: State, run: Run) -> Command[Literal["planner", "approve_plan", "specialists", "__end__"]]:
    """Decide which way the goal goes."""
    recall = Recall.model_validate(state["recall"])
    plan = await reusable(recall, run, state["goal"])
    decision = remembered(recall, plan) if plan else await _decided(state, run, recall)
    run.emit(RouteDecided(decision=decision))
    update = {"decision": dumped(decision)}
    if plan:
        run.emit(PlanProposed(plan=plan))
        way = execute(plan, run, update)
        return Command(goto=way.goto, update=way.update)
    if decision.source in _ENDINGS:
        outcome = Outcome(
            status=_ENDINGS[decision.source], answer=decision.message, confidence=1.0, degraded=decision.degraded
        )
        run.emit(RunFinished(outcome=outcome))
        return Command(goto="__end__", update=update | ended(outcome))
    return Command(goto="planner", update=update)


async def reusable(recall: Recall, run: Run, goal: str) -> Plan | None:
    """Return the remembered plan, cut to what this run can do, when memory is sure enough and it is valid."""
    if recall.band != "reuse" or recall.plan is None:
        return None
    services = run.services
    steps = [step for step in recall.plan.steps if services.delivers or not step.delivers]
    plan = recall.plan.model_copy(update={"steps": steps, "source": "memory", "confidence": recall.confidence})
    if not steps or validate_plan(plan, RunCatalogue(services.team, services.tools)):
        return None
    return await renewed(plan, services.tools, goal=goal)


def remembered(recall: Recall, plan: Plan) -> RouteDecision:
    """Return the decision to reuse a remembered plan."""
    return RouteDecision(
        source="memory",
        sequence=plan.sequence,
        confidence=recall.confidence,
        band=recall.band,
        neighbours=recall.neighbours,
        explanation=recall.explanation,
    )


async def _decided(state: State, run: Run, recall: Recall) -> RouteDecision:
    briefing = Briefing.model_validate(state["briefing"])
    request = RoutingRequest(
        goal=state["goal"], briefing=briefing, team=run.services.team, emit=run.emit, recall=recall
    )
    return await run.services.cast.supervisor(request)
