"""Answers about the installation as a whole."""

from typing import Literal

from understudy.context_use import ContextUse
from understudy.service.bodies.base import Shown
from understudy.standing import OpenThread


class HealthShown(Shown):
    """How the process is."""

    status: Literal["live", "ready", "unready"]
    reasons: list[str] = []
    """Why requests should go elsewhere: `draining`, `records_away`, `database_away`."""


class DegradedShown(Shown):
    """Something that does not work as it should."""

    reason: str
    since: float
    """Unix time in seconds at which it was first seen."""


class WorkerShown(Shown):
    """A worker that lives."""

    id: str
    place: str
    """Machine and process."""


class SystemShown(Shown):
    """How the installation stands, as its people may know."""

    version: str
    uptime: float
    """Seconds since this process began to serve."""
    workspace: str
    team: str
    mode: str
    """The model that leads, or `rules`."""
    encoder: str
    tasks: int | None
    """Remembered tasks of the workspace; null while the records are away."""
    open_threads: list[OpenThread]
    questions: int | None
    """How many wait for a person; null while the database is away."""
    next_due: float | None
    contexts: ContextUse
    degraded: list[DegradedShown]
    carries_out: bool
    """Whether runs are carried out in this process, too."""
    workers: int | None
    """How many live, this process among them where it carries runs out; null while the database is away."""
    living: list[WorkerShown]
    """Which ones; only for those who may read the audit of all workspaces."""
