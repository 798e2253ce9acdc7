"""Forgetting a task everywhere it left words."""

from typing import NamedTuple

from domain.events import MemoryRecalled
from memory.task_record import normalised
from understudy.runs import Runs
from understudy.wiring import House


class Forgotten(NamedTuple):
    """What forgetting did."""

    there: bool
    """Whether the task was remembered."""
    threads: list[str]
    """Conversations that were deleted as a whole: their later turns quote the earlier ones."""
    kept: list[str]
    """Conversations that still hold the goal: not at their end, or of other tasks that recalled this one."""


async def forget_task(house: House, runs: Runs, workspace: str, task: str) -> Forgotten:
    """Delete a task from records, index, lexical index and caches, with what was learnt from it and its threads.

    Runs that are older than the episodes' window are found by the goal that their thread had last. What was written
    into an output folder, exported, backed up or logged is out of reach.
    """
    record = await house.memory.get(workspace, task)
    entries = await runs.entries(workspace)
    episodes = await house.lessons.forget(workspace, task)
    there = await house.memory.forget(workspace, task)
    by_goal = [e.thread for e in entries if record and normalised(e.goal) == normalised(record.goal)]
    threads = sorted({episode.thread for episode in episodes} | set(by_goal))
    effects = {thread: await runs.forget(workspace, thread) for thread in threads}
    for key in (key for keys in effects.values() for key in keys or []):
        await house.effects.forget(workspace, key)
    gone = [thread for thread, keys in effects.items() if keys is not None]
    others = [e.thread for e in entries if e.thread not in gone]
    quoting = [t for t in others if t in threads or await _quotes(runs, workspace, t, task)]
    return Forgotten(there=there, threads=gone, kept=quoting)


async def _quotes(runs: Runs, workspace: str, thread: str, task: str) -> bool:
    """Return whether a conversation recalled the task, and so has its goal among its events."""
    recalls = (stamped.event for stamped in await runs.events(workspace, thread))
    return any(n.task == task for e in recalls if isinstance(e, MemoryRecalled) for n in e.recall.neighbours)
