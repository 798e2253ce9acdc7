"""Checkpoint AFTER_STAGE result: a person sees the answer before it is delivered and remembered."""

from typing import Literal

from langgraph.types import Command

from domain.outcomes import Critique
from graph.context import Run
from graph.gates import answered, closed, digest_of
from graph.reviews import result_review
from graph.routes import after_result, result_again
from graph.state import State, dumped, plan_of

_Next = Literal["specialists", "remember", "reviser", "rollback", "approve_result"]


async def approve_result(state: State, run: Run) -> Command[_Next]:
    """Deliver, change, revise or drop the answer, as the person says; one that changed meanwhile is shown again."""
    pairs = await answered(state, run)
    request, decision = pairs[0]
    update = closed(state, pairs)
    plan, text = plan_of(state), state["draft"]["text"]
    if digest_of(request) != digest_of(result_review(text, plan)):
        way = await result_again(state, run)
        return Command(goto=way.goto, update=update | way.update)
    match decision.type:
        case "approve":
            return Command(goto=after_result(state), update=update)
        case "edit":
            text = str((decision.args or {}).get("text", text))
            update = closed(state, pairs, now=result_review(text, plan)) | {"draft": state["draft"] | {"text": text}}
            return Command(goto=after_result(state), update=update)
        case "reject":
            return Command(goto="rollback" if plan.rolls_back else "remember", update=update)
        case "respond":
            wish = Critique.model_validate(state["critique"]).model_copy(update={"issues": [decision.message]})
            fresh = {"critique": dumped(wish), "attempts": [], "best": {}, "stopped": ""}
            return Command(goto="reviser", update=update | fresh)
