"""Which tasks of a workspace changed lately, so that processes that share the records see each other's.

One small record a workspace counts its changes and names the latest of them. It is written together with the tasks and
read at every recall.
"""

import uuid
from collections.abc import Sequence
from typing import NamedTuple

from memory.records import Change, Merge, Value
from memory.workspaces import checked_workspace

NAMED = 256
"""Changes that the record names; whoever has missed more reads all tasks anew."""


class Seen(NamedTuple):
    """Up to where somebody knows the changes."""

    epoch: str = ""
    """Drawn when the record is begun, since it may be lost and begun again."""
    number: int = 0
    """Of changes since then."""


def _noted(known: Value | None, change: Value) -> Value:
    known = known or {"epoch": change["epoch"], "count": 0, "latest": []}
    latest = [*known["latest"], *change["latest"]][-NAMED:]
    return {"epoch": known["epoch"], "count": known["count"] + len(change["latest"]), "latest": latest}


NOTED = Merge("task_changes", _noted)


def changes_key(workspace: str) -> str:
    """Return where a workspace's changes are noted."""
    return f"memory:task_changes:{checked_workspace(workspace)}"


def noting(workspace: str, tasks: Sequence[str], ttl: float) -> Change:
    """Return what notes that tasks were stored or forgotten."""
    return Change(changes_key(workspace), {"epoch": uuid.uuid4().hex, "latest": list(tasks)}, NOTED, ttl)


def seen_in(value: Value | None) -> Seen:
    """Return up to where the record tells the changes; None is one that was never begun."""
    return Seen(value["epoch"], value["count"]) if value else Seen()


def changed_since(value: Value | None, seen: Seen) -> list[str] | None:
    """Return the tasks that changed after `seen`, each once, or None where the record does not know them all."""
    now = seen_in(value)
    if now == seen:
        return []
    missed = now.number - (seen.number if now.epoch == seen.epoch else 0)
    known = seen == Seen() or now.epoch == seen.epoch
    if value is None or not known or not 0 < missed <= len(value["latest"]):
        return None
    return list(dict.fromkeys(value["latest"][-missed:]))
