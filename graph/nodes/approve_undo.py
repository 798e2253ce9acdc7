"""The question in the middle of a rollback: whether something happened that left no result."""

from typing import Literal

from langgraph.types import Command

from domain.approvals import ActionRequest, Decision
from domain.effects import settlement
from graph.context import Run
from graph.gates import answered, closed
from graph.state import State


async def approve_undo(state: State, run: Run) -> Command[Literal["rollback"]]:
    """Freeze what a person found out; the rollback goes on with it."""

    async def usable(request: ActionRequest, decision: Decision) -> None:
        settlement(decision, request)

    return Command(goto="rollback", update=closed(state, await answered(state, run, usable)))
