"""Supervisor: reuse what worked when memory is sure, else reply, ask back, refuse or have it planned."""

from typing import Literal, NamedTuple

from langgraph.types import Command

from agents.contracts import RoutingRequest
from agents.rules.classification import classify
from domain.errors import ActionRefused, StorageAway
from domain.events import PlanProposed, RouteDecided, RunFinished
from domain.outcomes import Outcome, RunStatus
from domain.plans import Plan, Privacy, Problem
from domain.routing import Recall, RouteDecision, RouteSource, band_of
from graph.context import Run
from graph.conversation import chars_of_earlier
from graph.lacking import lacking_here
from graph.naming import classed_plan
from graph.origins import carried_in
from graph.privacy import hidden_from_planner, privacy_told, recall_for
from graph.renewal import renewed
from graph.requests import briefing_of, request_of
from graph.routes import execute, not_begun
from graph.rules import problems_of
from graph.state import JsonDict, State, dumped, ended
from graph.trying import along_trials

_ENDINGS: dict[RouteSource, RunStatus] = {"reply": "replied", "ask": "asked", "refuse": "refused"}


_Next = Literal["planner", "approve_plan", "specialists", "__end__"]


async def supervisor(state: State, run: Run) -> Command[_Next]:
    """Decide which way the goal goes."""
    recall = Recall.model_validate(state["recall"])
    known = None if _asks_back(state, run) else await _remembered(recall, state, run)
    known, update = await _on_trial(known, state, run) if known else (None, {})
    decision = known.decision if known else await _decided(state, run, recall)
    run.emit(RouteDecided(decision=decision))
    update = update | {"decision": dumped(decision)}
    if known:
        run.emit(PlanProposed(plan=known.plan))
        carried = await carried_in(known.plan, state, run, remembered=True)
        update |= {"carried": carried, "recipe": known.recipe}
        try:
            way = await execute(known.plan, state, run, update)
        except ActionRefused as refused:
            return _over(not_begun(refused, state, run), run, update)
        return Command(goto=way.goto, update=way.update)
    if decision.source in _ENDINGS:
        outcome = Outcome(
            status=_ENDINGS[decision.source], answer=decision.message, confidence=1.0, degraded=decision.degraded
        )
        return _over(outcome, run, update, privacy_told(briefing_of(state, run)))
    return Command(goto="planner", update=update)


def _asks_back(state: State, run: Run) -> bool:
    """Return whether the goal asks about what was found before in the conversation: that is not done again."""
    return bool(briefing_of(state, run).earlier)


async def _remembered(recall: Recall, state: State, run: Run) -> "Known | None":
    return await reusable(recall, state, run) or await from_recipe(recall, state, run)


def _over(outcome: Outcome, run: Run, update: JsonDict, privacy: Privacy = "internal") -> Command[_Next]:
    run.emit(RunFinished(outcome=outcome))
    return Command(goto="__end__", update=update | ended(outcome, privacy))


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
    sure = found is not None and found.plan.confidence > recall.reuse_above
    if found is None or not sure or lacking_here(run, state["goal"], found.plan, [found.recipe.example.goal]):
        return None
    fit = await _fit(found.plan, state, run)
    if fit is None:
        return None
    return Known(fit, _decision(fit, recall, found.explanation, state), found.recipe.id)


async def _on_trial(known: Known, state: State, run: Run) -> tuple[Known, JsonDict]:
    """Return what memory knows with the plan that the run's trials make of it, and what the state notes of them."""
    taken = await along_trials(known.plan, state, run)
    decision = known.decision.model_copy(update={"sequence": taken.plan.sequence})
    return known._replace(plan=taken.plan, decision=decision), taken.update


async def _fit(plan: Plan, state: State, run: Run) -> Plan | None:
    """Return a plan from memory without what this run cannot deliver, or None where it cannot run here."""
    plan = _deliverable(plan, run)
    if not plan.steps or await problems_of(plan, state, run):
        return None
    return classed_plan(await renewed(plan, run.services.tools, goal=state["goal"]), state, run)


def _deliverable(plan: Plan, run: Run) -> Plan:
    steps = [step for step in plan.steps if run.services.delivers or not step.delivers]
    return plan.model_copy(update={"steps": steps})


async def unfit(recall: Recall, state: State, run: Run) -> list[Problem]:
    """Return what keeps a plan that memory is sure of from being carried out; of what is private the kind alone."""
    if recall.band != "reuse" or recall.plan is None:
        return []
    plan = _deliverable(recall.plan, run)
    if not plan.steps:
        return [Problem(code="nothing_produced", message="it only writes a file, and there is no output folder")]
    withheld = recall_for(recall, run).neighbours != recall.neighbours
    hidden = hidden_from_planner(plan, run)
    found = await problems_of(plan, state, run)
    return [p.model_copy(update={"message": "(private)"}) if withheld or p.step in hidden else p for p in found]


def _decision(plan: Plan, recall: Recall, explanation: str, state: State) -> RouteDecision:
    return RouteDecision(
        source="recipe" if plan.source == "recipe" else "memory",
        kind=classify(state["goal"]),
        sequence=plan.sequence,
        confidence=plan.confidence,
        band=band_of(plan.confidence, recall.reuse_above),
        neighbours=recall.neighbours,
        explanation=explanation,
    )


async def _decided(state: State, run: Run, recall: Recall) -> RouteDecision:
    request = RoutingRequest(
        **vars(request_of(state, run, run.emit)),
        recall=recall_for(recall, run),
        earlier_chars=chars_of_earlier(run),
    )
    return await run.services.cast.supervisor(request)
