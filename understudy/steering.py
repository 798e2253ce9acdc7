"""Steering the runs of a workspace from any process: whether one goes on, stopping it, waking it, going back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import Any

from domain.approvals import shown_digest
from domain.errors import NothingPending, UnknownThread
from domain.events import comes_to_rest
from domain.questions import Question
from graph.context import Context
from memory.records import Records
from understudy.bus import Bus, ended
from understudy.durable.asking import is_ready
from understudy.durable.clock import since_boot
from understudy.durable.desk import Desk
from understudy.durable.fences import Fences, ThreadBusy
from understudy.runs import Runs
from understudy.threads import ThreadEntry, checkpoint_thread

TOPIC = "steer"
"""Where runs are asked to stop, whichever process has them."""
CLAIM_SECONDS = 15.0
"""How long a thread is kept for a run that was accepted and has not begun yet."""
_STOP_SECONDS = 60.0
"""How long a stop is waited for; a step that takes longer stops at its end all the same."""
_LOOK_SECONDS = 0.2
_REST_SECONDS, _REST_LOOK = 5.0, 0.02
_LISTEN_SECONDS = 60.0


class Steering:
    """What one may do with the runs of a workspace without advancing them oneself."""

    def __init__(
        self, runs: Runs, records: Records, desk: Desk, fences: Fences, bus: Bus, workspace: str, user: str
    ) -> None:
        self._runs, self._records, self._desk, self._fences, self._bus = runs, records, desk, fences, bus
        self._workspace, self._user = workspace, user

    async def entry(self, thread: str) -> ThreadEntry:
        """Return what is known of a thread, or raise `UnknownThread`."""
        return await self._runs.entry(self._workspace, thread)

    async def started_after(self, thread: str, run: str) -> int | None:
        """Return the number of the event before the first one of a run; None where it has none yet."""
        first = await self._runs.first_of(self._workspace, thread, run)
        return None if first is None else first - 1

    async def is_going(self, thread: str) -> bool:
        """Return whether somebody advances a thread now."""
        return not await self._fences.is_free(checkpoint_thread(self._workspace, thread))

    async def accept(self, thread: str, run: str, goal: str, context: Context) -> None:
        """Note a conversation that is about to begin, so that it is there from now on."""
        try:
            await self.entry(thread)
        except UnknownThread:
            await self._runs.wake(ThreadEntry(thread=thread, context=asdict(context), goal=goal, run=run))

    async def claim(self, thread: str, run: str) -> None:
        """Keep a thread for a run that is about to begin.

        Raises:
            ThreadBusy: A run is going on in it, or it is kept for another one.
        """
        key, claim = f"claim:{self._workspace}:{thread}", {"run": run}
        known = await self._records.get(key)
        stands = known is not None and known["run"] != run and await self.started_after(thread, known["run"]) is None
        if stands or (await self.is_going(thread) and not await self.comes_to_rest(thread)):
            msg = f"a run is going on in thread {thread!r}; wait for its end, stop it, or choose another strategy"
            raise ThreadBusy(msg)
        if known != claim and not await self._records.compare_and_set(key, known, claim, ttl=CLAIM_SECONDS):
            msg = f"another run begins in thread {thread!r} right now"
            raise ThreadBusy(msg)

    async def waiting_run(self, thread: str) -> str | None:
        """Return the run of a thread that waits for a person, to which a message goes; None where none does."""
        question = await self._desk.of_thread(self._workspace, thread)
        return None if question is None else question.run

    async def comes_to_rest(self, thread: str) -> bool:
        """Return, in a moment, whether a thread is free: its run has told of its end, and is being put away."""
        last = await self._runs.last(self._workspace, thread)
        if last is None or not comes_to_rest(last.event):
            return False
        until = since_boot() + _REST_SECONDS
        while since_boot() < until:
            if not await self.is_going(thread):
                return True
            await asyncio.sleep(_REST_LOOK)
        return False

    async def stop(self, thread: str, *, grace: float | None = None) -> bool:
        """Stop the run of a thread at its next safe point, in whatever process, and return whether one was going on.

        Args:
            thread: The conversation.
            grace: Seconds after which what is still going on is cut short; None waits for it.
        """
        if not await self.is_going(thread):
            return False
        message = {"workspace": self._workspace, "thread": thread, "grace": grace}
        asked, until = 0.0, since_boot() + _STOP_SECONDS
        while await self.is_going(thread) and since_boot() < until:
            if since_boot() - asked >= 1.0:  # again, since what the bus tells may be lost
                self._bus.publish(TOPIC, message)
                asked = since_boot()
            await asyncio.sleep(_LOOK_SECONDS)
        return True

    async def rewind(self, thread: str) -> None:
        """Let a conversation stand where it stood before its latest run, which must not be going on.

        Raises:
            ThreadBusy: It is.
        """
        async with self._runs.held(self._workspace, thread):
            await self._runs.give_up(await self.entry(thread))

    async def wake(self, thread: str) -> dict[str, Any]:
        """Note that a stopped run is to go on, and return why, for the order.

        Raises:
            UnknownThread: The workspace has no such thread.
            NothingPending: There is nothing to go on with: it is at its end, or waits for an answer.
        """
        question = await self._desk.of_thread(self._workspace, thread)
        if question is not None and is_ready(question):
            return {"question": question.id}
        async with self._runs.held(self._workspace, thread):
            entry = await self.entry(thread)
            if entry.state in ("ended", "waiting"):
                msg = f"thread {thread!r} " + ("is at its end" if entry.state == "ended" else "waits for an answer")
                raise NothingPending(msg)
            await self._runs.wake(entry)
        return {"interrupted": entry.run}

    async def answered(self, thread: str, answer: Any, *, interrupt: str | None = None) -> Question:
        """Take an answer to the open question of a thread, and return how it stands.

        Raises:
            UnknownThread: The workspace has no such thread.
            NothingPending: It has no open question, or another one than is meant.
            InvalidDecision: The answer does not fit; the question stays open.
        """
        await self.entry(thread)
        question = await self._desk.of_thread(self._workspace, thread)
        if question is None or is_ready(question) or (interrupt is not None and interrupt != question.interrupt):
            msg = "this question is not open any more" if interrupt else "the thread has no open question"
            raise NothingPending(msg)
        digest = shown_digest(question.requests)
        return await self._desk.answer(self._workspace, question.id, answer, by=self._user, digest=digest)

    def is_decided(self, question: Question) -> bool:
        """Return whether a question's run can go on now."""
        return is_ready(question)


@asynccontextmanager
async def heeding(bus: Bus, runs: Runs) -> AsyncIterator[None]:
    """Stop runs of this process when any process asks for it, for the length of the block."""

    async def heed() -> None:
        async with bus.listen(TOPIC) as listener:
            while True:
                for message in await listener.wait(_LISTEN_SECONDS):
                    runs.cancel(message["workspace"], message["thread"], "stopped on request", grace=message["grace"])

    task = asyncio.create_task(heed())
    try:
        yield
    finally:
        await ended({task})
