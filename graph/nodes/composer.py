"""Composer: one draft from the steps' results."""

from typing import Literal

from langgraph.types import Command

from agents.contracts import CompositionRequest
from domain.briefings import Briefing
from domain.events import DraftComposed
from domain.routing import RouteDecision
from graph.context import Run
from graph.state import State, dumped, plan_of, results_of


async def composer(state: State, run: Run) -> Command[Literal["critic"]]:
    """Make one answer of what the specialists found."""
    results = results_of(state)
    draft = await run.services.cast.composer(
        CompositionRequest(
            goal=state["goal"],
            briefing=Briefing.model_validate(state["briefing"]),
            team=run.services.team,
            emit=run.emit,
            kind=RouteDecision.model_validate(state["decision"]).kind,
            results=[results[s.id] for s in plan_of(state).steps if s.id in results and results[s.id].status == "done"],
        )
    )
    run.emit(DraftComposed(by=draft.by, text=draft.text))
    return Command(goto="critic", update={"draft": dumped(draft)})
