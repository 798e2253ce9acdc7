"""Composer: one draft from the steps' results."""

from typing import Literal

from langgraph.types import Command

from agents.contracts import CompositionRequest
from domain.briefings import Briefing
from domain.events import DraftComposed
from domain.routing import RouteDecision
from graph.context import Run
from graph.privacy import cast_for
from graph.state import State, dumped, plan_of, results_of


async def composer(state: State, run: Run) -> Command[Literal["critic"]]:
    """Make one answer of what the specialists found."""
    plan, results = plan_of(state), results_of(state)
    working = [step.id for step in plan.steps if not step.joins]
    draft = await cast_for(plan, results.values(), run).composer(
        CompositionRequest(
            goal=state["goal"],
            briefing=Briefing.model_validate(state["briefing"]),
            team=run.services.team,
            emit=run.emit,
            kind=RouteDecision.model_validate(state["decision"]).kind,
            results=[results[key] for key in working if key in results and results[key].status == "done"],
        )
    )
    run.emit(DraftComposed(by=draft.by, text=draft.text))
    return Command(goto="critic", update={"draft": dumped(draft)})
