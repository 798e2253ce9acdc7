"""Supervisor: reuse what worked when memory is sure, else reply, ask back, refuse or have it planned."""

from typing import Literal, NamedTuple

from langgraph.types import Command

from agents.contracts import RoutingRequest
from agents.rules.classification import classify
from domain.briefings import Briefing
from domain.errors import StorageAway
from domain.events import PlanProposed, RouteDecided, RunFinished
from domain.outcomes import Outcome, RunStatus
from domain.plans import Plan
from domain.routing import Recall, RouteDecision, RouteSource, band_of
from graph.carried import carried_from_memory
from graph.context import Run
from graph.renewal import renewed
from graph.routes import execute
from graph.rules import problems_of
from graph.state import JsonDict, State, dumped, ended
from graph.trying import along_trials

_ENDINGS: dict[RouteSource, RunStatus] = {"reply": "replied", "ask": "asked", "refuse": "refused"}


async def supervisor(state: State, run: Run) -> Command[Literal["planner", "approve_plan", "specialists", "__end__"]]:
    """Decide which way the goal goes."""
    recall = Recall.model_validate(state["recall"])
    known = await reusable(recall, state, run) or await from_recipe(recall, state, run)
    known, update = await _on_trial(known, state, run) if known else (None, {})
    decision = known.decision if known else await _decided(state, run, recall)
    run.emit(RouteDecided(decision=decision))
    update = update | {"decision": dumped(decision)}
    if known:
        run.emit(PlanProposed(plan=known.plan))
        carried = await carried_from_memory(known.plan, recall, state, run)
        way = execute(known.plan, state, run, update | {"carried": carried, "recipe": known.recipe})
        return Command(goto=way.goto, update=way.update)
    if decision.source in _ENDINGS:
        outcome = Outcome(
            status=_ENDINGS[decision.source], answer=decision.message, confidence=1.0, degraded=decision.degraded
        )
        run.emit(RunFinished(outcome=outcome))
        return Command(goto="__end__", update=update | ended(outcome))
    return Command(goto="planner", update=update)


class Known(NamedTuple):
    """A plan that memory has for the goal, and the decision to take it."""

    plan: Plan
    decision: RouteDecision
    recipe: str = ""


async def reusable(recall: Recall, state: State, run: Run) -> Known | None:
    """Return the remembered plan, cut to what this run can do, when memory is sure enough and it is valid."""
    if recall.band != "reuse" or recall.plan is None:
        return None
    plan = recall.plan.model_copy(update={"source": "memory", "confidence": recall.confidence})
    fit = await _fit(plan, state, run)
    return Known(fit, _decision(fit, recall, recall.explanation, state)) if fit else None


async def from_recipe(recall: Recall, state: State, run: Run) -> Known | None:
    """Return the plan of a recipe that the goal fits, with its slots filled, when there is one and it is valid."""
    recipes, team = run.services.lessons.recipes, run.services.team.name
    try:
        found = await recipes.adapted(run.context.workspace, team, state["goal"])
    except StorageAway:
        return None
    fit = await _fit(found.plan, state, run) if found else None
    if found is None or fit is None:
        return None
    return Known(fit, _decision(fit, recall, found.explanation, state), found.recipe.id)


async def _on_trial(known: Known, state: State, run: Run) -> tuple[Known, JsonDict]:
    """Return what memory knows with the plan that the run's trials make of it, and what the state notes of them."""
    taken = await along_trials(known.plan, state, run)
    decision = known.decision.model_copy(update={"sequence": taken.plan.sequence})
    return known._replace(plan=taken.plan, decision=decision), taken.update


async def _fit(plan: Plan, state: State, run: Run) -> Plan | None:
    """Return a plan from memory without what this run cannot deliver, or None where it cannot run here."""
    services = run.services
    steps = [step for step in plan.steps if services.delivers or not step.delivers]
    plan = plan.model_copy(update={"steps": steps})
    if not steps or await problems_of(plan, state, run):
        return None
    return await renewed(plan, services.tools, goal=state["goal"])


def _decision(plan: Plan, recall: Recall, explanation: str, state: State) -> RouteDecision:
    return RouteDecision(
        source="recipe" if plan.source == "recipe" else "memory",
        kind=classify(state["goal"]),
        sequence=plan.sequence,
        confidence=plan.confidence,
        band=band_of(plan.confidence),
        neighbours=recall.neighbours,
        explanation=explanation,
    )


async def _decided(state: State, run: Run, recall: Recall) -> RouteDecision:
    briefing = Briefing.model_validate(state["briefing"])
    request = RoutingRequest(
        goal=state["goal"], briefing=briefing, team=run.services.team, emit=run.emit, recall=recall
    )
    return await run.services.cast.supervisor(request)
