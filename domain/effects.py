"""External effects: how one stands, what is kept of it, and the question when nobody knows whether it happened."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from domain.approvals import SETTLE, ActionRequest, Decision
from domain.errors import InvalidDecision

EffectState = Literal["unknown", "done", "undo_unknown", "undone"]
"""`unknown`: begun, and no result is recorded; `undo_unknown`: the same of its undoing."""


class EffectCall(BaseModel):
    """What is done by a call of a writing tool, and for which step."""

    model_config = ConfigDict(extra="forbid")

    run: str = ""
    step: str = ""
    tool: str = ""
    args: dict[str, Any] = Field(default_factory=dict)
    before: dict[str, Any] = Field(default_factory=dict)
    """What the tool noted of the state before, for looking into the effect and for undoing it."""
    description: str = ""
    """In words for a person."""


class KeptEffect(EffectCall):
    """An effect, or the undoing of one, as the ledger keeps it."""

    model_config = ConfigDict(extra="ignore")

    key: str
    claim: str = ""
    """Id of the attempt that holds the effect; another attempt has another."""
    claimed: float
    """Unix time in seconds."""
    result: dict[str, Any] | None = None
    """What the tool gave; None until it is recorded."""
    done: float | None = None
    """Unix time of the recording."""


class LedgerEffect(BaseModel):
    """An effect with its undoing, if that was begun."""

    model_config = ConfigDict(extra="forbid")

    effect: KeptEffect
    undo: KeptEffect | None = None

    @property
    def state(self) -> EffectState:
        """How the effect stands."""
        if self.effect.result is None:
            return "unknown"
        if self.undo is None:
            return "done"
        return "undo_unknown" if self.undo.result is None else "undone"


def settle_request(effect: KeptEffect, *, undoing: bool = False) -> ActionRequest:
    """Return the question whether an attempt that left no result had its effect; its answer holds for that attempt."""
    what = effect.description or f"the effect {effect.key:.12}"
    return ActionRequest(
        id=f"{effect.step}.{'undo' if undoing else 'effect'}.{effect.claim:.12}",
        name=SETTLE,
        args={"happened": True, "tool": effect.tool, "arguments": effect.args},
        types={"happened": "boolean"},
        description=(
            f"Nobody knows whether this {'was undone' if undoing else 'happened'}: {what}. It was begun, and no result "
            "was recorded, so it is not tried again before somebody has looked.\n"
            "Approve: it happened, mark it done. Edit happened to false: it did not, try again. Reject: stop. "
            'Typed: "it happened", "it did not" or "stop".'
        ),
    )


Settlement = Literal["happened", "did_not_happen", "stop"]


def settlement(decision: Decision, request: ActionRequest) -> Settlement:
    """Return what a person found out.

    Raises:
        InvalidDecision: The answer changes more than `happened`, or is only words.
    """
    if decision.type == "respond":
        msg = 'say "it happened", "it did not" or "stop"'
        raise InvalidDecision(msg)
    if decision.type == "reject":
        return "stop"
    args = request.args | (decision.args or {})
    if {**args, "happened": True} != request.args:
        msg = "only 'happened' can be edited here: what was begun cannot be changed any more"
        raise InvalidDecision(msg)
    return "happened" if args["happened"] else "did_not_happen"
