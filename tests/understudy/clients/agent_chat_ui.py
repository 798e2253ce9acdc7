"""What agent-chat-ui makes of an interrupt, and what it sends back: its rules, told in our words.

Older copies of it check `action_request` and `config`, and answer with a list as the inbox does; newer ones check
`action_requests` and `review_configs`, ask about each action, and answer with one decision for each.
"""

import json
from collections.abc import Sequence
from typing import Any

KINDS = ("approve", "edit", "reject")


def renders(interrupt: Any) -> bool:
    """Return whether a newer copy shows buttons for an interrupt, and not its JSON."""
    value = interrupt.get("value") if isinstance(interrupt, dict) else None
    requests = value.get("action_requests") if isinstance(value, dict) else None
    configs = value.get("review_configs") if isinstance(value, dict) else None
    if not isinstance(requests, list) or not requests or not isinstance(configs, list) or not configs:
        return False
    return all(isinstance(each.get("name"), str) and isinstance(each.get("args"), dict) for each in requests) and all(
        isinstance(each.get("action_name"), str)
        and isinstance(each.get("allowed_decisions"), list)
        and set(each["allowed_decisions"]) <= set(KINDS)
        for each in configs
    )


def older_renders(value: Any) -> bool:
    """Return whether an older copy shows buttons for an interrupt's value."""
    if not isinstance(value, dict) or not isinstance(value.get("action_request"), dict):
        return False
    config = value.get("config")
    wanted = {"allow_respond", "allow_accept", "allow_edit", "allow_ignore"}
    return isinstance(config, dict) and wanted <= set(config)


def resumed(decisions: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the value with which it resumes a run."""
    return {"decisions": list(decisions)}


def approved() -> dict[str, Any]:
    """Return its decision for a button that was pressed, and for a form that was left as it was."""
    return {"type": "approve"}


def rejected(reason: str) -> dict[str, Any]:
    """Return its decision for a rejection, for which it wants a reason."""
    return {"type": "reject", "message": reason}


def edited(request: dict[str, Any], **texts: str) -> dict[str, Any]:
    """Return its decision for a form that was changed: every value that was typed is a text."""
    return {"type": "edit", "edited_action": {"name": request["name"], "args": {**request["args"], **texts}}}


def older(kind: str, request: dict[str, Any] | None = None, words: str | None = None, **texts: str) -> Any:
    """Return what an older copy sends: `accept` and `edit` with the whole action, `response` with words."""
    if request is None:
        return [{"type": kind, "args": words}]
    return [{"type": kind, "args": {"action": request["name"], "args": {**request["args"], **texts}}}]


def field(value: Any) -> str:
    """Return the text that stands in its form for a value."""
    return str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else json.dumps(value)
