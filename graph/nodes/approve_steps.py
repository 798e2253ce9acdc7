"""Checkpoint of the steps: one question for everything that waits for a person."""

from typing import Literal

from langgraph.types import Command

from domain.approvals import SETTLE, ActionRequest, Decision
from domain.consent import answer_of
from domain.consent_words import GIVE_CONSENT
from domain.effects import settlement
from domain.errors import InvalidDecision, ToolError
from graph.acts import note_heard
from graph.asking import refuse_beyond
from graph.consent import keep_consents
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
        if request.name == GIVE_CONSENT:
            answer_of(decision)
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
        await refuse_beyond(request, decision, state, run)

    pairs = await answered(state, run, possible)
    await keep_consents(pairs, run)
    await note_heard(pairs, run)
    return Command(goto="specialists", update=closed(state, pairs))
