"""Reading what is stored, by this release or by a later one that shares the storage for as long as nodes are replaced.

What comes from outside is refused where it holds anything unknown. What a later release has stored is read as far as
this one understands it: fields that it does not know are left out, and an event that it cannot read keeps its number,
so that whoever follows a log finds no gap.
"""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from pydantic import ValidationError

from domain.events import Stamped, UnknownEvent, Whispered
from graph.context import Context

_NAMES = frozenset(field.name for field in fields(Context))


def stamped_of(seq: int, value: Mapping[str, Any]) -> Stamped:
    """Return a stored event under its number; one that this release cannot read is an `UnknownEvent`.

    Raises:
        ValidationError: It has no place: not even its time, thread, run or workspace can be read.
    """
    numbered = {**value, "seq": seq}
    try:
        return Stamped.model_validate(numbered, extra="ignore")
    except ValidationError:
        event = value.get("event")
        kind = str(event.get("type", "")) if isinstance(event, Mapping) else ""
        return Stamped.model_validate({**numbered, "event": UnknownEvent(kind=kind)}, extra="ignore")


def whispered_of(value: Any) -> Whispered | None:
    """Return what another node whispers; None where this release cannot read it, since it may be lost anyway."""
    try:
        return Whispered.model_validate(value, extra="ignore")
    except ValidationError:
        return None


def context_of(value: Mapping[str, Any]) -> Context:
    """Return the circumstances of a run as they were stored."""
    return Context(**{name: part for name, part in value.items() if name in _NAMES})
