"""The one way to advance a thread, in the foreground as in a worker."""

import functools
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing, suppress
from typing import Any, NamedTuple

from domain.errors import RunFenced, StorageAway
from domain.events import ApprovalRequested, Event, RunFinished, Stamped
from domain.questions import Question
from understudy.durable.asking import Asking
from understudy.event_log import EventLog
from understudy.graph_threads import GraphThreads, interrupt_of
from understudy.stopping import Brake
from understudy.threads import Pending, ThreadEntry, Threads, ThreadState

Told = AsyncGenerator[Stamped]


class Drive(NamedTuple):
    """How a thread is advanced that is held."""

    brake: Brake
    unattended: bool
    """Whether a worker does it, which carries on by itself: after a stop the run still goes on for it."""

    @property
    def stopped(self) -> ThreadState:
        """How it stands after a stop."""
        return "running" if self.unattended and not self.brake.waits_for_a_person else "stopped"


class Parts(NamedTuple):
    """What a thread consists of."""

    graph: GraphThreads
    threads: Threads
    log: EventLog
    asking: Asking
    guard: Callable[[str], Awaitable[None]]
    """Raises `RunFenced` where another process has a thread, by its key."""
    ended: Callable[[ThreadEntry], Awaitable[None]]
    """Called once after each run that came to its end."""


async def advance(
    parts: Parts,
    entry: ThreadEntry,
    given: Any,
    drive: Drive,
    *,
    question: Question | None = None,
    before: Sequence[str] = (),
) -> Told:
    """Advance a thread that is held to its next stop; whoever lost its fence meanwhile writes nothing more.

    Args:
        parts: What it consists of.
        entry: The thread.
        given: What the graph goes on with.
        drive: How.
        question: Whose decisions are given.
        before: Nodes before which it stops.

    Raises:
        RunFenced: Another process has it by now.
    """

    async def ask(opened: Pending) -> None:
        if question is not None:
            await parts.asking.desk.applied(question.id)
        await parts.asking.ask(entry, opened)

    hear = functools.partial(parts.log.whisper, entry)
    state: ThreadState | None = None
    try:
        await parts.threads.note(entry, "running")
        async with aclosing(parts.graph.stream(entry, given, drive.brake, ask, hear=hear, before=before)) as stream:
            async for told in stream:
                for stamped in await parts.log.add(entry, told):
                    state = _state_after(stamped.event, state)
                    yield stamped
    finally:
        with suppress(RunFenced):
            await parts.guard(entry.key)
            await _concluded(parts, entry, state or drive.stopped, question)


async def _concluded(parts: Parts, entry: ThreadEntry, state: ThreadState, question: Question | None) -> None:
    """Note how a thread stands after it was advanced."""
    await parts.threads.note(entry, state)
    if question is not None and await _took(parts, entry, state, question):
        await parts.asking.desk.applied(question.id)
    if state == "ended":
        await parts.ended(entry)


async def _took(parts: Parts, entry: ThreadEntry, state: ThreadState, question: Question) -> bool:
    """Return whether the graph took a question's decisions in; if not, the thread goes on with them later."""
    if state in ("ended", "waiting"):
        return True
    with suppress(StorageAway):
        opened = interrupt_of(await parts.graph.snapshot(entry.workspace, entry.thread))
        return opened is None or opened.interrupt != question.interrupt
    return False


def _state_after(event: Event, state: ThreadState | None) -> ThreadState | None:
    if isinstance(event, RunFinished):
        return "ended"
    return "waiting" if isinstance(event, ApprovalRequested) else state
