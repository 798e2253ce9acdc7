"""What agent-inbox makes of an interrupt, and what it sends back: its rules, told in our words.

It reads `action_requests` and `review_configs` before anything else, shows the first action only, and answers with one
decision. An interrupt without them is shown by `action_request` and `config`, and is answered with a list.
"""

import json
from typing import Any, NamedTuple


class Shown(NamedTuple):
    """An interrupt as the inbox shows it."""

    action: str
    args: dict[str, Any]
    accepts: bool
    edits: bool
    responds: bool
    description: str
    is_middleware: bool
    """Whether it answers in the form of LangChain's middleware."""

    def fields(self) -> dict[str, str]:
        """Return the texts that stand in its form: what is no text is written as JSON."""
        return {name: value if isinstance(value, str) else json.dumps(value) for name, value in self.args.items()}


def shown(payload: Any) -> Shown | None:
    """Return what the inbox shows of an interrupt's value; None where it calls it unknown."""
    if not isinstance(payload, dict):
        return None
    requests, configs = payload.get("action_requests"), payload.get("review_configs")
    description = payload.get("description", "")
    if isinstance(requests, list) and requests:
        allowed = configs[0]["allowed_decisions"] if isinstance(configs, list) and configs else []
        first = requests[0]
        args = first.get("args", first.get("arguments", {}))
        approves, edits, rejects = (not allowed or kind in allowed for kind in ("approve", "edit", "reject"))
        told = first.get("description", "")
        return Shown(first.get("name", ""), args, approves, edits, rejects, told, is_middleware=True)
    request, config = payload.get("action_request"), payload.get("config")
    if not isinstance(request, dict) or "action" not in request or not isinstance(config, dict):
        return None
    accepts, edits, responds = (bool(config[f"allow_{what}"]) for what in ("accept", "edit", "respond"))
    return Shown(request["action"], request["args"], accepts, edits, responds, description, is_middleware=False)


def accepted(seen: Shown) -> Any:
    """Return what its button for accepting sends: the action as it was shown, too, where it could have been edited."""
    return _sent(seen, "accept", {"action": seen.action, "args": seen.args} if seen.edits else None)


def edited(seen: Shown, **texts: str) -> Any:
    """Return what it sends after its form was changed: every value that was typed is a text."""
    return _sent(seen, "edit", {"action": seen.action, "args": {**seen.args, **texts}})


def responded(seen: Shown, words: str) -> Any:
    """Return what it sends for words."""
    return _sent(seen, "response", words)


def ignored(seen: Shown) -> Any:
    """Return what its button for ignoring sends."""
    return _sent(seen, "ignore", None)


_AS_MIDDLEWARE = {"accept": "approve", "response": "reject"}


def _sent(seen: Shown, kind: str, args: Any) -> Any:
    if not seen.is_middleware:
        return [{"type": kind, "args": args}]
    return {"decisions": [{"type": _AS_MIDDLEWARE.get(kind, kind), "args": args}]}
