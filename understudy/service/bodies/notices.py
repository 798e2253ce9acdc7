"""Answers about notices to people."""

from understudy.notices.table import NoticeStatus
from understudy.service.bodies.base import Shown


class NoticeShown(Shown):
    """What people were told outside of a session, or are to be told."""

    id: str
    workspace: str
    kind: str
    title: str
    status: NoticeStatus
    created: float
    """Unix time in seconds."""
    due: float
    """When it is tried next, while it waits."""
    tries: int
    reason: str
    """Why it did not go out, in words."""
    ended: float | None
