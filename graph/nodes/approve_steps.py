"""Checkpoint of the steps: one question for everything that waits for a person."""

from typing import Literal

from langgraph.types import Command

from graph.context import Run
from graph.gates import answered, closed
from graph.state import State


async def approve_steps(state: State, run: Run) -> Command[Literal["specialists"]]:
    """Freeze the person's decisions; the specialists go on with them."""
    return Command(goto="specialists", update=closed(state, answered(state, run)))
