"""Checkpoint of the steps: one question for everything that waits for a person."""

from typing import Literal

from langgraph.types import Command

from domain.approvals import SETTLE, ActionRequest, Decision
from domain.effects import settlement
from domain.errors import InvalidDecision, ToolError
from graph.context import Run
from graph.gates import answered, closed
from graph.state import State


async def approve_steps(state: State, run: Run) -> Command[Literal["specialists"]]:
    """Freeze the person's decisions; the specialists go on with them."""

    async def possible(request: ActionRequest, decision: Decision) -> None:
        """Refuse what the step could not do, while the person can still mend it."""
        if request.name == SETTLE:
            settlement(decision, request)
            return
        if decision.type == "respond":
            msg = "a step is approved, edited or rejected; say what should be different by editing its arguments"
            raise InvalidDecision(msg)
        tool = run.services.tools.tools.get(request.name)
        if tool is None or decision.type == "reject":
            return
        try:
            await tool.checked(decision.args or request.args)
        except ToolError as error:
            raise InvalidDecision(str(error)) from error

    return Command(goto="specialists", update=closed(state, await answered(state, run, possible)))
