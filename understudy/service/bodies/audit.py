"""Answers about the audit."""

from domain.audit import AuditEntry
from understudy.service.bodies.base import Shown


class NotedShown(Shown):
    """An entry of the audit with its place."""

    seq: int
    time: float
    entry: AuditEntry
    hash: str


class AnchorShown(Shown):
    """A place in the chain, to keep elsewhere."""

    seq: int
    hash: str


class CheckedShown(Shown):
    """What a check of the audit came to."""

    sound: bool
    """Whether nothing was changed, removed, added or moved."""
    entries: int
    first: AnchorShown
    """Behind which the check began."""
    head: AnchorShown
    """The last entry."""
    problems: list[str]
