"""Reviser: mend what the critique found."""

from typing import Literal

from langgraph.types import Command

from agents.contracts import RevisionRequest
from domain.events import DraftComposed
from domain.outcomes import Critique, Draft
from graph.context import Run
from graph.privacy import cast_for
from graph.requests import briefing_of
from graph.state import State, dumped, plan_of, results_of


async def reviser(state: State, run: Run) -> Command[Literal["critic"]]:
    """Write the next version of the draft."""
    results = list(results_of(state).values())
    draft = await cast_for(plan_of(state), results, run).reviser(
        RevisionRequest(
            goal=state["goal"],
            briefing=briefing_of(state, run),
            team=run.services.team,
            emit=run.emit,
            draft=Draft.model_validate(state["draft"]),
            critique=Critique.model_validate(state["critique"]),
            results=results,
        )
    )
    run.emit(DraftComposed(by=draft.by, text=draft.text, iteration=len(state.get("attempts", []))))
    return Command(goto="critic", update={"draft": dumped(draft)})
