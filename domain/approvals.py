"""Questions to a person and their answers, in the shapes that chat clients and inboxes speak.

The payload is the one that agent-chat-ui and agent-inbox render; `decode` accepts what both send back,
`{"decisions": [{"type": "approve|edit|reject|respond", ...}]}` and
`[{"type": "accept|edit|response|ignore", "args": ...}]`.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from domain.consent_words import GIVE_CONSENT, said_consent
from domain.edits import edited_args
from domain.errors import InvalidDecision
from domain.facts import Facts
from domain.waiting import Patience

DecisionType = Literal["approve", "edit", "reject", "respond"]

DESK = "desk"
"""Key under which the desk names the question whose decisions it passes on."""
REFUSED = "refused"
"""Key under which an interrupt says why the last answer could not be used."""
SETTLE = "settle_effect"
"""Name of the question whether an effect that left no result happened (`domain.effects.settle_request`)."""


class ActionRequest(BaseModel):
    """One thing a person is asked to decide."""

    model_config = ConfigDict(extra="forbid")

    id: str
    """Stable within the thread: the step's id, `plan` or `result`."""
    name: str
    """The tool to be called, or `review_plan` / `review_result` / `review_step`."""
    args: dict[str, Any]
    description: str
    """What happens, to what, and why the person is asked."""
    checkpoint: str = ""
    types: dict[str, str] = Field(default_factory=dict)
    """JSON type per argument (`string`, `integer`, `number`, `boolean`, `array`, `object`): edits are coerced to it."""
    parameters: dict[str, Any] = Field(default_factory=dict)
    """JSON schema of the arguments: edits are held against it; empty where there is none."""
    facts: Facts | None = None
    """What a person needs to know to decide."""
    plan: str = ""
    """Fingerprint of the plan that it belongs to; a decision holds for this plan only."""
    patience: Patience = Patience()
    """How long it waits, for whom, and what follows when nobody answers."""

    @property
    def told(self) -> str:
        """The question with everything that is known about it, as text."""
        facts = self.facts.lines() if self.facts else []
        return "\n".join([self.description, *(f"{label}: {text}" for label, text in facts)])


class Decision(BaseModel):
    """A person's answer to one request."""

    model_config = ConfigDict(extra="forbid")

    type: DecisionType
    args: dict[str, Any] | None = None
    """The changed arguments; only with `edit`."""
    message: str = ""
    """Reason of a rejection, or the words of a response."""
    by: str = ""


def shown_digest(requests: Sequence[ActionRequest]) -> str:
    """Return the hash of everything that is shown: names, arguments, facts and plans; an answer holds for this only."""
    shown = [[r.id, r.name, r.args, r.facts and r.facts.model_dump(mode="json"), r.plan] for r in requests]
    text = json.dumps(shown, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def interrupt_payload(requests: Sequence[ActionRequest], refused: str = "") -> dict[str, Any]:
    """Return the interrupt value that every known client renders.

    Args:
        requests: What is asked, one or more.
        refused: Why the last answer could not be used; empty at the first time.
    """
    first, note = requests[0], _noted(refused)
    return {
        **({REFUSED: refused} if refused else {}),
        "action_requests": [
            {"id": r.id, "name": r.name, "args": r.args, "arguments": r.args, "description": r.told} for r in requests
        ],
        "review_configs": [
            {"action_name": r.name, "allowed_decisions": ["approve", "edit", "reject"]} for r in requests
        ],
        "action_request": {"action": first.name, "args": first.args},
        "config": {
            "allow_accept": True,
            "allow_edit": True,
            "allow_respond": takes_words(requests),
            "allow_ignore": False,
        },
        "description": "\n\n".join([*note, *(r.told for r in requests)]),
    }


def asked_again(requests: Sequence[ActionRequest], refused: str) -> list[ActionRequest]:
    """Return the requests as they are shown after an answer that could not be used; the first one says why."""
    first, *others = requests
    told = "\n".join([*_noted(refused), first.description])
    return [first.model_copy(update={"description": told}), *others]


def _noted(refused: str) -> list[str]:
    return [f"The last answer could not be used: {refused}."] if refused else []


def takes_words(requests: Sequence[ActionRequest]) -> bool:
    """Return whether words can be an answer: a plan or a result can be made anew from them, a step cannot."""
    return all(request.name in ("review_plan", "review_result") for request in requests)


_ALIASES: dict[str, DecisionType] = {
    "approve": "approve", "accept": "approve", "edit": "edit", "reject": "reject", "ignore": "reject",
    "respond": "respond", "response": "respond",
}  # fmt: skip


def decode(answer: Any, requests: Sequence[ActionRequest]) -> list[Decision]:
    """Return one decision per request, or raise `InvalidDecision` and leave the question open.

    A single approval or rejection answers all requests. Arguments that come with an approval are ignored, and so is who
    an answer says that it comes from: only the desk, which has seen who answered, says that (`DESK`).
    """
    raw = _raw_decisions(answer, requests)
    decisions = [_decision(item) for item in raw]
    if not (isinstance(answer, Mapping) and answer.get(DESK)):
        decisions = [decision.model_copy(update={"by": ""}) for decision in decisions]
    if len(decisions) == 1 and len(requests) > 1 and decisions[0].type in ("approve", "reject"):
        decisions *= len(requests)
    if len(decisions) != len(requests):
        msg = f"{len(requests)} decision(s) are wanted, {len(decisions)} came"
        raise InvalidDecision(msg)
    return [_fitted(d, r) for d, r in zip(decisions, requests, strict=True)]


def _raw_decisions(answer: Any, requests: Sequence[ActionRequest]) -> list[Any]:
    if isinstance(answer, str):
        typed = typed_answer(answer, requests)
        return [typed.model_dump()] if typed else [{"type": "respond", "message": answer}]
    if isinstance(answer, Mapping):
        decisions = answer.get("decisions", [answer])
        return decisions if isinstance(decisions, list) else [decisions]
    if isinstance(answer, list):
        return answer
    msg = f"a decision is a mapping or a list, not {type(answer).__name__}"
    raise InvalidDecision(msg)


def _decision(item: Any) -> Decision:
    kind = _ALIASES.get(str(item.get("type", "")).lower()) if isinstance(item, Mapping) else None
    if kind is None:
        msg = f"a decision needs a type of approve, edit, reject or respond; got {item!r:.80}"
        raise InvalidDecision(msg)
    args = item.get("args")
    message = str(item.get("message") or (args if isinstance(args, str) else "") or "")
    return Decision(
        type=kind, args=_edited(item) if kind == "edit" else None, message=message, by=str(item.get("by", ""))
    )


def _edited(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return the edited arguments from any of the clients' nestings."""
    holder = item.get("edited_action") or item.get("args")
    args = holder.get("args", holder) if isinstance(holder, Mapping) else None
    if not isinstance(args, Mapping):
        msg = "an edit needs the changed arguments under 'args'"
        raise InvalidDecision(msg)
    return dict(args)


def _fitted(decision: Decision, request: ActionRequest) -> Decision:
    """Return the decision with its edit read in the request's types and held against its schema."""
    if decision.args is None:
        return decision
    args = edited_args(request.name, request.args, decision.args, request.types, request.parameters)
    return decision.model_copy(update={"args": args})


_YES = re.compile(r"^(y|yes|ok|okay|approve[d]?|accept(ed)?|go( ahead)?|do it|looks good|lgtm)[.! ]*$", re.IGNORECASE)
_NO = re.compile(
    r"^(n|no|reject(ed)?|stop|cancel|don'?t)(?:\s*$|\s*[,.:;!]\s*|\s+(?=because\b))(?P<why>.*)$",
    re.IGNORECASE | re.DOTALL,
)


_HAPPENED = re.compile(r"^(it )?(has )?happened|^(it is |it's )?(mark (it )?)?done$", re.IGNORECASE)
_DID_NOT = re.compile(r"^(it )?(did|has)(n'?t| not)( happen(ed)?)?$|^(try again|retry)$", re.IGNORECASE)


def typed_answer(text: str, requests: Sequence[ActionRequest]) -> Decision | None:
    """Return the decision that a typed message stands for as an answer to these requests, or None for anything else.

    Whether something happened can be said in words: "it happened", "it did not"; so can a consent: "always", "never".
    """
    said = text.strip().rstrip(".! ")
    if requests and all(request.name == SETTLE for request in requests):
        if _DID_NOT.match(said):
            return Decision(type="edit", args={"happened": False})
        if _HAPPENED.match(said):
            return Decision(type="approve")
    if requests and all(request.name == GIVE_CONSENT for request in requests) and (answer := said_consent(said)):
        return Decision(type="edit", args={"answer": answer})
    return typed_decision(text)


def could_decide(text: str) -> bool:
    """Return whether a typed message could be a decision on some request."""
    said = text.strip().rstrip(".! ")
    return bool(typed_decision(text) or _DID_NOT.match(said) or _HAPPENED.match(said) or said_consent(said))


def typed_decision(text: str) -> Decision | None:
    """Return the decision that a typed message stands for ("yes", "no, because ..."), or None for anything else."""
    text = text.strip()
    if _YES.match(text):
        return Decision(type="approve")
    if match := _NO.match(text):
        return Decision(type="reject", message=match["why"].strip())
    return None
