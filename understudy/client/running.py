"""Runs on a server: they go on there whether anybody watches or not."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from pydantic import BaseModel

from domain.errors import NothingPending, ServiceError, UnderstudyError, UnknownQuestion, UserError
from domain.events import AnswerNoted, ApprovalRequested, Event, RunFinished, Stamped, comes_to_rest
from domain.goals import checked_goal
from domain.questions import Question
from understudy.client.calls import Calls
from understudy.client.following import Told, followed, told_by
from understudy.client.reading import part, read
from understudy.threads import checked_thread

if TYPE_CHECKING:
    from understudy.results import RunResult
    from understudy.threads import Pending

Strategy = Literal["reject", "enqueue", "interrupt", "rollback"]
"""What happens to a goal for a thread in which a run is going on: it is refused; it waits; the run is stopped where it
is, and its progress kept; the run is stopped and the conversation is as it was before."""
T = TypeVar("T")
_BUSY = "thread_busy"
_LETS_GO, _PAUSE = 10.0, 0.1
"""Seconds in which a thread is let go of whose run was told to have stopped, and after which it is tried again."""
PAGE = 500
"""Events that are asked for at once."""


class _Accepted(BaseModel):
    thread: str
    run: str
    after: int


class _Stopped(BaseModel):
    was_going: bool


class Running:
    """What a client does with the runs and conversations of its workspace."""

    _calls: Calls

    def __init__(self) -> None:
        self._streamed: dict[str, int] = {}
        """How many streams of this client follow a run in a thread."""
        self._stopping = set[asyncio.Task[None]]()
        self._stopped_at = -_LETS_GO
        """When this client was last told that a run stopped."""

    async def stream(
        self,
        goal: str,
        *,
        thread: str | None = None,
        plan_only: bool = False,
        strategy: Strategy = "reject",
    ) -> AsyncGenerator[Stamped]:
        """Run a goal and yield its events until it ends, waits for a person or is stopped; it goes on without us.

        Args:
            goal: What should be done; or, while the thread has an open question, a typed answer to it.
            thread: An existing conversation to go on with, or a name for a new one.
            plan_only: Stop before anything of the plan is done; `resume` carries it out.
            strategy: What happens where a run is going on in the thread.

        Raises:
            InvalidGoal: The goal is empty, too long or not text, or no conversation can have the thread's name.
            ThreadBusy: A run is going on in the thread, and the strategy is `reject`.
        """
        body = {"goal": checked_goal(goal), "strategy": strategy, "plan_only": plan_only}
        name = checked_thread(thread)
        accepted = read(_Accepted, await self.when_let_go(lambda: self._calls.post("threads", name, "runs", body=body)))
        # Only a run that may have to wait can have others before it; an answer goes on under the id of the earlier run.
        run = None if strategy == "reject" else accepted.run
        async with aclosing(self._watched(accepted, run)) as stream:
            async for stamped in stream:
                yield stamped

    async def resume(
        self, thread: str, answer: Any | None = None, *, interrupt: str | None = None
    ) -> AsyncGenerator[Stamped]:
        """Answer the open question of a thread, or carry an interrupted run on, and yield its events.

        Args:
            thread: The conversation.
            answer: Decisions in any client's form (`domain.approvals.decode`); None shows the open question again.
            interrupt: Id of the question that is meant; a stale one is refused.

        Raises:
            UnknownThread: The workspace has no such thread.
            InvalidDecision: The answer does not fit; the question stays open.
            NothingPending: The question is not open.
        """
        asked = await self._question(thread) if answer is not None else None
        try:
            body = {"answer": answer, "interrupt": interrupt}
            given = await self.when_let_go(lambda: self._calls.post("threads", thread, "resume", body=body))
            accepted = read(_Accepted, given)
        except NothingPending:
            last = None if answer is not None else await self._stand(thread)
            if last is None:
                raise
            yield last
            return
        if asked and (noted := await self._noted(asked, accepted)):
            yield noted
            return
        async with aclosing(self._watched(accepted, None)) as stream:
            async for stamped in stream:
                yield stamped

    async def run(self, goal: str, *, thread: str | None = None) -> "RunResult":
        """Run a goal and return how far it came."""
        from understudy.results import RunResult

        return RunResult.of([stamped async for stamped in self.stream(goal, thread=thread)])

    async def follow(self, thread: str, *, after: int = 0) -> AsyncGenerator[Told]:
        """Yield what happens in a thread: what is stored, then what comes, for as long as it is read.

        A connection that breaks is made anew; no event is missed or told twice, only what is whispered may be lost.

        Args:
            thread: The conversation.
            after: Number of the last event that was seen.

        Raises:
            UnknownThread: The workspace has no such thread.
            ServiceAway: The server was away for longer than the patience lasts.
        """
        async with aclosing(followed(self._calls, thread, after=after)) as stream:
            async for told in stream:
                yield told

    async def watch(self, thread: str, *, after: int) -> AsyncGenerator[Stamped]:
        """Yield what is stored in a thread until its run ends, waits for a person or is stopped.

        Args:
            thread: The conversation, in which a run goes on or begins.
            after: Number of the last event that was seen.

        Raises:
            UnknownThread: The workspace has no such thread.
        """
        async with aclosing(self._watched(_Accepted(thread=thread, run="", after=after), None)) as stream:
            async for stamped in stream:
                yield stamped

    async def events(self, thread: str, *, after: int = 0, limit: int | None = None) -> list[Stamped]:
        """Return the stored events of a thread with a higher seq than `after`, all or the first so many of them.

        Raises:
            UnknownThread: The workspace has no such thread.
        """
        found = list[Stamped]()
        while limit is None or len(found) < limit:
            most = PAGE if limit is None else min(PAGE, limit - len(found))
            last = found[-1].seq if found else after
            page = _page(await self._calls.get("threads", thread, "events", after=last, limit=most))
            found += page
            if len(page) < most:
                break
        return found

    async def pending(self, thread: str) -> "Pending | None":
        """Return the open question of a thread.

        Raises:
            UnknownThread: The workspace has no such thread.
        """
        from understudy.threads import Pending

        value = await self._calls.get("threads", thread, "pending")
        return None if value is None else read(Pending, value)

    async def cancel(self, thread: str, *, grace: float | None = None) -> bool:
        """Stop the run of a thread at its next safe point, and return whether one was going on; it can be resumed.

        Args:
            thread: The conversation.
            grace: Seconds after which what is still going on is cut short; None waits for it.

        Raises:
            UnknownThread: The workspace has no such thread.
        """
        return read(_Stopped, await self._calls.post("threads", thread, "cancel", body={"grace": grace})).was_going

    def request_stop(self, *, grace: float | None = None) -> None:
        """Stop the runs that this client streams at their next safe points; they can be resumed.

        Args:
            grace: Seconds after which what is still going on is cut short; None waits for it.
        """
        for thread in self._streamed:
            task = asyncio.create_task(self._stop(thread, grace))
            self._stopping.add(task)
            task.add_done_callback(self._stopping.discard)

    async def _stop(self, thread: str, grace: float | None) -> None:
        try:
            await self.cancel(thread, grace=grace)
        except UnderstudyError as error:
            # Whoever reads the stream hears of a server that is away; until then the run cannot be stopped.
            logging.getLogger(__name__).warning("thread %r could not be stopped: %s", thread, error)

    async def _watched(self, accepted: _Accepted, run: str | None) -> AsyncGenerator[Stamped]:
        """Yield the stored events from a run's beginning to its next stop, of this run or of any."""
        thread = accepted.thread
        self._streamed[thread] = self._streamed.get(thread, 0) + 1
        try:
            stream = followed(self._calls, thread, after=accepted.after, begins=True)
            async with aclosing(stream):
                async for told in stream:
                    if isinstance(told, Stamped):
                        is_last = run in (None, told.run) and comes_to_rest(told.event)
                        self._stopped_at = time.monotonic() if is_last else self._stopped_at
                        yield told
                        if is_last:
                            return
        finally:
            self._streamed[thread] -= 1
            if not self._streamed[thread]:
                del self._streamed[thread]

    async def when_let_go(self, ask: Callable[[], Awaitable[T]]) -> T:
        """Return what comes of asking for something that needs a thread in which nothing goes on.

        Whoever carries a run out tells of its end a moment before it lets go of the thread.
        """
        while True:
            try:
                return await ask()
            except UserError as error:
                if error.code != _BUSY or time.monotonic() > self._stopped_at + _LETS_GO:
                    raise
            await asyncio.sleep(_PAUSE)

    async def _question(self, thread: str) -> Question | None:
        """Return the question of a thread that an answer can be about."""
        with suppress(UnknownQuestion):
            found = read(Question, part(await self._calls.get("approvals", thread), "question").get("question"))
            return found if found.thread == thread else None
        return None

    async def _noted(self, asked: Question, accepted: _Accepted) -> Stamped | None:
        """Return that an answer counts and more are wanted, where this is so; nothing is told in the thread then."""
        now = read(Question, part(await self._calls.get("approvals", asked.id), "question").get("question"))
        if now.status != "open":
            return None
        from understudy.durable.asking import still_wanted

        by = now.votes[-1].by if now.votes else ""
        event = AnswerNoted(question=now.id, by=by, wants=still_wanted(now))
        return Stamped(
            seq=accepted.after, time=time.time(), thread=now.thread, run=now.run, workspace=now.workspace, event=event
        )

    async def _stand(self, thread: str) -> Stamped | None:
        """Return the event that says how a thread stands in which nothing goes on."""
        waits = await self.pending(thread) is not None
        kind: type[Event] = ApprovalRequested if waits else RunFinished
        return next((told for told in reversed(await self.events(thread)) if isinstance(told.event, kind)), None)


def _page(value: Any) -> list[Stamped]:
    try:
        return [stamped for flat in value["events"] if isinstance(stamped := told_by(flat), Stamped)]
    except (KeyError, TypeError) as error:
        raise ServiceError("the server's answer holds no events") from error
