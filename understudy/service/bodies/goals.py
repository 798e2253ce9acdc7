"""Requests about what a workspace wants to reach, and about what sources say of the world."""

from pydantic import Field, FiniteFloat

from domain.consent import SCOPE
from domain.signals import MAX_SECONDS, Name, Value
from memory.goals import Direction, GoalMeasure
from understudy.service.bodies.base import Asked, Printable


class GoalWanted(Asked):
    """A goal to be set."""

    name: Printable = Field(min_length=1, max_length=200)
    measure: GoalMeasure
    target: FiniteFloat
    """What the measure is to reach."""
    direction: Direction
    agent: Printable = Field(default="", max_length=40)
    """Whose measure; empty: that of all runs."""
    due: float | None = Field(default=None, gt=0, le=1e11)
    """Unix time in seconds; absent: whenever."""


class SignalReported(Asked):
    """What a source says of one thing."""

    source: Name
    name: Name
    value: Value
    """True or false, a number, or a short text."""
    certainty: float = Field(ge=0, le=1)
    expires_in: float = Field(gt=0, le=MAX_SECONDS)
    """Seconds for which it holds."""
    consent_scope: str | None = Field(default=None, pattern=SCOPE)
    """What the caller must have agreed to for good, where it is about a person."""
