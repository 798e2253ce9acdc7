"""Retention: what finished conversations leave behind, and for how long."""

import math
from typing import NamedTuple

from understudy.forgetting import forget_threads
from understudy.runs import Runs
from understudy.threads import ThreadEntry, checkpoint_thread
from understudy.wiring import Checkpointer, House

_DAY = 86400.0


class Retention(NamedTuple):
    """What may stay."""

    checkpoints: int
    """Newest checkpoints of each conversation; about ten a run."""
    days: int | None = None
    """Days that a conversation stays after its last run; None: until it is forgotten."""


class Pruned(NamedTuple):
    """What pruning did, or would do."""

    conversations: list[str]
    """Deleted as a whole: they had ended, and their time was over."""
    checkpoints: int
    """Deleted from conversations that stay; 0 in a trial."""
    bytes_before: int
    bytes_after: int
    """On the disk, for checkpoints and blobs of all workspaces."""


async def prune(
    house: House, runs: Runs, saver: Checkpointer, workspace: str, keep: Retention, *, trial: bool = False
) -> Pruned:
    """Delete what is older than may stay, and give the space back.

    What was remembered of the tasks stays, and so do conversations that are not at their end: they can go on from
    their latest checkpoint.
    """
    before = await saver.size()
    entries = await runs.entries(workspace)
    over = [e.thread for e in entries if _is_over(e, keep, house.clock())]
    if trial:
        return Pruned(over, 0, before, before)
    gone = await forget_threads(
        house, runs, workspace, over, by=house.settings.user, before=_limit(keep, house.clock())
    )
    rest = [e.thread for e in entries if e.thread not in gone and e.state != "running"]
    trimmed = [await saver.trim(checkpoint_thread(workspace, thread), keep.checkpoints) for thread in rest]
    await saver.compact()
    return Pruned(gone, sum(trimmed), before, await saver.size())


def _is_over(entry: ThreadEntry, keep: Retention, now: float) -> bool:
    return entry.state == "ended" and entry.updated < _limit(keep, now)


def _limit(keep: Retention, now: float) -> float:
    """Return the time from which on a conversation stays."""
    return -math.inf if keep.days is None else now - keep.days * _DAY
