"""Forgetting a task, or a conversation, everywhere it left words."""

import asyncio
import math
from collections.abc import Collection, Sequence
from contextlib import suppress
from typing import NamedTuple

from domain.audit import AuditEntry
from domain.errors import UnknownThread
from domain.events import MemoryRecalled, OutcomeRemembered
from memory.task_record import normalised
from understudy.document_store import DocumentStore
from understudy.durable.fences import ThreadBusy
from understudy.runs import Runs
from understudy.wiring import House


class Forgotten(NamedTuple):
    """What forgetting did."""

    there: bool
    """Whether what was meant was remembered."""
    tasks: list[str]
    """Tasks that were forgotten."""
    threads: list[str]
    """Conversations that were deleted as a whole: their later turns quote the earlier ones."""
    kept: list[str]
    """Conversations that still hold a goal: not at their end, or of other tasks that recalled this one."""
    notes: list[str]
    """What of the storage could not be cleared now, in words."""


async def forget_task(house: House, runs: Runs, workspace: str, task: str, *, by: str) -> Forgotten:
    """Delete a task from records, index, lexical index and caches, with what was learnt from it and its threads.

    Runs that are older than the episodes' window are found by the goal that their thread had last. What was written
    into an output folder, exported, backed up or logged is out of reach. Cut short, it can be done again: the task's
    own record, by which all else is found, goes last.

    Args:
        house: What is open.
        runs: The threads.
        workspace: Whose task.
        task: Its id.
        by: The user who wants it, for the audit.
    """
    record = await house.memory.get(workspace, task)
    entries = await runs.entries(workspace)
    by_goal = [e.thread for e in entries if record and normalised(e.goal) == normalised(record.goal)]
    threads = sorted({e.thread for e in await house.lessons.episodes.of_task(workspace, task)} | set(by_goal))
    gone = await forget_threads(house, runs, workspace, threads, by=by)
    there = await _forget_task(house, workspace, task, by)
    left = [thread for thread in threads if thread not in gone]
    quoting = left + [t for t in await _quoting(runs, workspace, [task]) if t not in left]
    return Forgotten(there, [task] if there else [], gone, quoting, await house.purged())


async def forget_thread(house: House, runs: Runs, workspace: str, thread: str, *, by: str) -> Forgotten:
    """Delete a conversation with all that its runs left: checkpoints, events, effects, episodes, critiques, feedback.

    A task that was done nowhere else is forgotten with it; one that another conversation has done, too, stays. Cut
    short, it can be done again: the events, by which all else is found, and the thread's entry go last.

    Args:
        house: What is open.
        runs: The threads.
        workspace: Whose conversation.
        thread: Its name.
        by: The user who wants it, for the audit.

    Raises:
        UnknownThread: The workspace has no such thread.
        ThreadBusy: A run is going on in it.
    """
    await runs.entry(workspace, thread)
    async with runs.held(workspace, thread):
        tasks = await _done_only_in(house, runs, workspace, thread)
        for task in tasks:
            await _forget_task(house, workspace, task, by)
        ids = {stamped.run for stamped in await runs.events(workspace, thread)}
        await house.lessons.forget_thread(workspace, thread, ids)
        await _erase(house, runs, workspace, thread, by)
    return Forgotten(True, tasks, [thread], await _quoting(runs, workspace, tasks), await house.purged())


async def forget_threads(
    house: House, runs: Runs, workspace: str, threads: Sequence[str], *, by: str, before: float = math.inf
) -> list[str]:
    """Delete conversations that are at their end, with their effects and their working state, and return which.

    Args:
        house: What is open.
        runs: The threads.
        workspace: Where they are.
        threads: Their names.
        by: The user who wants it, for the audit.
        before: Unix time in seconds; one that was touched since stays.
    """
    return [thread for thread in threads if await _forget_ended(house, runs, workspace, thread, before, by)]


async def _forget_ended(house: House, runs: Runs, workspace: str, thread: str, before: float, by: str) -> bool:
    try:
        async with runs.held(workspace, thread):
            with suppress(UnknownThread):
                entry = await runs.entry(workspace, thread)
                if entry.state != "ended" or entry.updated >= before:
                    return False
            await _erase(house, runs, workspace, thread, by)
    except ThreadBusy:
        return False
    return True


async def _erase(house: House, runs: Runs, workspace: str, thread: str, by: str) -> None:
    await _note(house, workspace, "conversation forgotten", by, thread=thread)
    ran = {stamped.run for stamped in await runs.events(workspace, thread)}
    await house.autonomy.kinds.forget_runs(workspace, ran)
    for run in ran:
        await house.effects.forget(workspace, run)
        await house.outbox.forget_run(run)
    await house.state.forget(workspace, thread)
    house.contexts.clear()
    await house.orders.forget(workspace, thread)
    await house.calls.forget(workspace, thread)
    await asyncio.to_thread(DocumentStore(house.settings.home, workspace, thread, None).forget)
    await runs.forget(workspace, thread)


async def _forget_task(house: House, workspace: str, task: str, by: str) -> bool:
    """Delete a task itself, what was learnt from it and what selection and the cache of contexts know of its text."""
    house.contexts.clear()
    record = await house.memory.get(workspace, task)
    if record is not None:
        await _note(house, workspace, "task forgotten", by, task=task)
        await house.forget_selection(workspace, record.team, record.goal)
    await house.lessons.forget(workspace, task)
    return await house.memory.forget(workspace, task)


async def _note(house: House, workspace: str, why: str, by: str, *, thread: str = "", task: str = "") -> None:
    """Note what goes, by its id, before it is gone."""
    data = {"task": task} if task else {}
    entry = AuditEntry(kind="forgotten", who=by, why=why, thread=thread, data=data)
    await house.audit.note(workspace, entry)


async def _done_only_in(house: House, runs: Runs, workspace: str, thread: str) -> list[str]:
    """Return the tasks that a thread's runs were and no other's, also where the runs are older than the episodes."""
    episodes = await house.lessons.episodes.recent(workspace)
    mine = {e.task for e in episodes if e.thread == thread} | await _remembered(runs, workspace, thread)
    others = {e.task for e in episodes if e.thread != thread}
    for entry in await runs.entries(workspace) if mine - others else []:
        if entry.thread != thread:
            others |= await _remembered(runs, workspace, entry.thread)
    return sorted(mine - others)


async def _remembered(runs: Runs, workspace: str, thread: str) -> set[str]:
    events = (stamped.event for stamped in await runs.events(workspace, thread))
    return {event.task for event in events if isinstance(event, OutcomeRemembered)}


async def _quoting(runs: Runs, workspace: str, tasks: Collection[str]) -> list[str]:
    """Return the conversations that recalled one of the tasks, and so have its goal among their events."""
    return [e.thread for e in await runs.entries(workspace) if await _quotes(runs, workspace, e.thread, tasks)]


async def _quotes(runs: Runs, workspace: str, thread: str, tasks: Collection[str]) -> bool:
    recalls = (stamped.event for stamped in await runs.events(workspace, thread))
    return any(n.task in tasks for e in recalls if isinstance(e, MemoryRecalled) for n in e.recall.neighbours)
