"""Questions to a person and their answers, in the shapes that chat clients and inboxes speak.

The payload is the one that agent-chat-ui and agent-inbox render; `decode` accepts what both send back,
`{"decisions": [{"type": "approve|edit|reject|respond", ...}]}` and
`[{"type": "accept|edit|response|ignore", "args": ...}]`.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, TypeAdapter, ValidationError

from domain.errors import InvalidDecision

DecisionType = Literal["approve", "edit", "reject", "respond"]

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


class Decision(BaseModel):
    """A person's answer to one request."""

    model_config = ConfigDict(extra="forbid")

    type: DecisionType
    args: dict[str, Any] | None = None
    """The changed arguments; only with `edit`."""
    message: str = ""
    """Reason of a rejection, or the words of a response."""
    by: str = ""


def interrupt_payload(requests: Sequence[ActionRequest]) -> dict[str, Any]:
    """Return the interrupt value that every known client renders, for one or more requests."""
    first = requests[0]
    return {
        "action_requests": [
            {"id": r.id, "name": r.name, "args": r.args, "arguments": r.args, "description": r.description}
            for r in requests
        ],
        "review_configs": [
            {"action_name": r.name, "allowed_decisions": ["approve", "edit", "reject"]} for r in requests
        ],
        "action_request": {"action": first.name, "args": first.args},
        "config": {
            "allow_accept": True,
            "allow_edit": True,
            "allow_respond": _takes_words(requests),
            "allow_ignore": False,
        },
        "description": "\n\n".join(r.description for r in requests),
    }


def _takes_words(requests: Sequence[ActionRequest]) -> bool:
    """Return whether words can be an answer: a plan or a result can be made anew from them, a step cannot."""
    return all(request.name in ("review_plan", "review_result") for request in requests)


_ALIASES: dict[str, DecisionType] = {
    "approve": "approve", "accept": "approve", "edit": "edit", "reject": "reject", "ignore": "reject",
    "respond": "respond", "response": "respond",
}  # fmt: skip


def decode(answer: Any, requests: Sequence[ActionRequest]) -> list[Decision]:
    """Return one decision per request, or raise `InvalidDecision` and leave the question open.

    A single approval or rejection answers all requests. Arguments that come with an approval are ignored.
    """
    raw = _raw_decisions(answer, requests)
    decisions = [_decision(item) for item in raw]
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


_JSON: TypeAdapter[Any] = TypeAdapter(JsonValue)
_COERCERS: dict[str, TypeAdapter[Any]] = {
    "string": TypeAdapter(str),
    "integer": TypeAdapter(int),
    "number": TypeAdapter(float),
    "boolean": TypeAdapter(bool),
    "array": TypeAdapter(list[Any]),
    "object": TypeAdapter(dict[str, Any]),
}


def _fitted(decision: Decision, request: ActionRequest) -> Decision:
    """Return the decision with edited values coerced to the request's types; unknown names are refused."""
    if decision.args is None:
        return decision
    if unknown := sorted(set(decision.args) - set(request.args) - set(request.types)):
        msg = f"{request.name!r} takes no argument {', '.join(map(repr, unknown))}"
        raise InvalidDecision(msg)
    args = request.args | {name: _coerced(name, value, request) for name, value in decision.args.items()}
    return decision.model_copy(update={"args": args})


def _coerced(name: str, value: Any, request: ActionRequest) -> Any:
    kind = request.types.get(name)
    adapter = _COERCERS.get(kind or "")
    if adapter is None:
        return value
    try:
        if isinstance(value, str) and kind in ("array", "object"):
            value = _JSON.validate_json(value)
        return adapter.validate_python(value)
    except ValidationError as error:
        msg = f"{name!r} of {request.name!r} must be {kind}; got {value!r:.80}"
        raise InvalidDecision(msg) from error


_YES = re.compile(r"^(y|yes|ok|okay|approve[d]?|accept(ed)?|go( ahead)?|do it|looks good|lgtm)[.! ]*$", re.IGNORECASE)
_NO = re.compile(
    r"^(n|no|reject(ed)?|stop|cancel|don'?t)(?:\s*$|\s*[,.:;!]\s*|\s+(?=because\b))(?P<why>.*)$",
    re.IGNORECASE | re.DOTALL,
)


_HAPPENED = re.compile(r"^(it )?(has )?happened|^(it is |it's )?(mark (it )?)?done$", re.IGNORECASE)
_DID_NOT = re.compile(r"^(it )?(did|has)(n'?t| not)( happen(ed)?)?$|^(try again|retry)$", re.IGNORECASE)


def typed_answer(text: str, requests: Sequence[ActionRequest]) -> Decision | None:
    """Return the decision that a typed message stands for as an answer to these requests, or None for anything else.

    Whether something happened can be said in words: "it happened", "it did not".
    """
    said = text.strip().rstrip(".! ")
    if requests and all(request.name == SETTLE for request in requests):
        if _DID_NOT.match(said):
            return Decision(type="edit", args={"happened": False})
        if _HAPPENED.match(said):
            return Decision(type="approve")
    return typed_decision(text)


def typed_decision(text: str) -> Decision | None:
    """Return the decision that a typed message stands for ("yes", "no, because ..."), or None for anything else."""
    text = text.strip()
    if _YES.match(text):
        return Decision(type="approve")
    if match := _NO.match(text):
        return Decision(type="reject", message=match["why"].strip())
    return None
