"""What every role of a run is told."""

from collections.abc import Callable

from agents.contracts import Request
from domain.briefings import Briefing
from domain.events import Event
from domain.plans import Privacy
from graph.context import Run
from graph.privacy import briefing_for
from graph.state import State


def request_of(state: State, run: Run, emit: Callable[[Event], None]) -> Request:
    """Return what every role is told."""
    return Request(goal=state["goal"], briefing=briefing_of(state, run), team=run.services.team, emit=emit)


def briefing_of(state: State, run: Run, clearance: Privacy = "public") -> Briefing:
    """Return what a role is told of the circumstances, or who works on a step whose data has a class."""
    return briefing_for(Briefing.model_validate(state["briefing"]), run, clearance)
