"""Checkpoint AFTER_STAGE result: a person sees the answer before it is delivered and remembered."""

from typing import Literal

from langgraph.types import Command

from domain.outcomes import Critique
from graph.context import Run
from graph.gates import answered, closed
from graph.routes import after_result
from graph.state import State, dumped, plan_of


async def approve_result(state: State, run: Run) -> Command[Literal["specialists", "remember", "reviser", "rollback"]]:
    """Deliver, change, revise or drop the answer, as the person says."""
    pairs = await answered(state, run)
    _, decision = pairs[0]
    update = closed(state, pairs)
    match decision.type:
        case "approve":
            return Command(goto=after_result(state), update=update)
        case "edit":
            text = str((decision.args or {}).get("text", state["draft"]["text"]))
            return Command(goto=after_result(state), update=update | {"draft": state["draft"] | {"text": text}})
        case "reject":
            return Command(goto="rollback" if plan_of(state).rolls_back else "remember", update=update)
        case "respond":
            wish = Critique.model_validate(state["critique"]).model_copy(update={"issues": [decision.message]})
            fresh = {"critique": dumped(wish), "attempts": [], "best": {}, "stopped": ""}
            return Command(goto="reviser", update=update | fresh)
