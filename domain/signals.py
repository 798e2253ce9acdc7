"""Signals of the world as sources report them, and what can be read from those that still hold. Pure."""

from collections.abc import Iterable
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from domain.consent import SCOPE

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_.-]{0,59}$")]
Value = Annotated[bool | int | float | str, Field(union_mode="smart")]
MAX_TEXT = 500
"""Characters of a value that is a text."""
MAX_SECONDS = 7 * 24 * 3600.0
"""Longest time for which a signal can hold."""


class Signal(BaseModel):
    """What one source says of one thing, for how long, and how sure it is."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    source: Name
    name: Name
    value: Value
    certainty: float = Field(ge=0, le=1)
    consent_scope: str | None = Field(default=None, pattern=SCOPE)
    """What the user must have agreed to for it to be kept; None where nobody need agree."""
    user: str
    """Who, or for whom, it was reported."""
    at: float
    """Unix time in seconds at which it came in."""
    expires: float
    """Unix time in seconds from which on it does not hold any more."""


class Reading(BaseModel):
    """What all sources say of one thing."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    signals: list[Signal]
    """One of each source, the most certain first."""
    conflict: bool
    """Whether the sources contradict each other."""


def readings(signals: Iterable[Signal]) -> list[Reading]:
    """Return what signals, one of each source and name, say of each thing, by name."""
    by_name: dict[str, list[Signal]] = {}
    for signal in signals:
        by_name.setdefault(signal.name, []).append(signal)
    return [_reading(name, by_name[name]) for name in sorted(by_name)]


def _reading(name: str, told: list[Signal]) -> Reading:
    ordered = sorted(told, key=lambda signal: (-signal.certainty, -signal.at, signal.source))
    # Python holds True for 1, and a source that says "on" and one that says "1" do not say the same.
    said = {(isinstance(signal.value, bool), signal.value) for signal in told}
    return Reading(name=name, signals=ordered, conflict=len(said) > 1)
