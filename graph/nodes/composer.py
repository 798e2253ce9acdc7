"""Composer: one draft from the steps' results."""

from typing import Literal

from langgraph.types import Command

from agents.contracts import CompositionRequest
from domain.events import DraftComposed
from domain.outcomes import StepResult
from domain.routing import RouteDecision
from graph.context import Run
from graph.privacy import cast_for
from graph.requests import briefing_of
from graph.state import State, dumped, plan_of, results_of


async def composer(state: State, run: Run) -> Command[Literal["critic"]]:
    """Make one answer of what the specialists found."""
    plan, results = plan_of(state), results_of(state)
    working = [step.id for step in plan.steps if not step.joins]
    draft = await cast_for(plan, results.values(), run).composer(
        CompositionRequest(
            goal=state["goal"],
            briefing=briefing_of(state, run),
            team=run.services.team,
            emit=run.emit,
            kind=RouteDecision.model_validate(state["decision"]).kind,
            results=[results[key] for key in working if key in results and _is_told(results[key])],
        )
    )
    run.emit(DraftComposed(by=draft.by, text=draft.text))
    return Command(goto="critic", update={"draft": dumped(draft)})


def _is_told(result: StepResult) -> bool:
    """Return whether the answer is made of a result; that something failed must not be passed over in it."""
    return result.status == "done" or result.failure is not None
