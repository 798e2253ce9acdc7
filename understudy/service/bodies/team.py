"""Answers about the team and its tools."""

from agents.team import Expected, Quality
from agents.tools.breaker import BreakerState
from agents.tools.declaration import Level
from domain.checkpoints import Checkpoint
from domain.plans import Effect, Privacy
from understudy.service.bodies.base import Shown


class SpecialistShown(Shown):
    """An agent of the team."""

    name: str
    description: str
    capabilities: list[str]
    tools: list[str]
    model: str | None
    """Null: the specialists' model of the settings."""
    fallback: str | None
    alternatives: list[str]
    expected: Expected


class TeamShown(Shown):
    """The team that works."""

    name: str
    version: int
    description: str
    mode: str
    """The model that leads, or `rules`."""
    specialists: list[SpecialistShown]
    checkpoints: list[Checkpoint]
    quality: Quality
    constraints: list[str]
    templates: list[str]
    """Names of the plans for common patterns."""
    resources: list[str]
    """Names of what steps are bound to."""


class ToolShown(Shown):
    """A tool and how reliable it is in the workspace."""

    name: str
    description: str
    origin: str
    effect: Effect
    undoable: bool
    privacy: Privacy
    consent: list[str]
    level: Level
    """How reliable it is taken to be until enough was measured."""
    expected: float
    """Expected success rate of the next call, 0-1."""
    calls: int
    mean_seconds: float | None
    """Null before the first call."""
    breaker: BreakerState
    """`open`: it rests because it broke down time after time."""
    alternatives: list[str]
