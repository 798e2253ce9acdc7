"""The engine of a worker: it fires what is due, has runs go on with what was decided, and takes over what others left.

Everything that it looks at stands in the database, so it can end at any moment and another worker, or the next start,
goes on. A server that is away is waited for.
"""

import asyncio
import shlex
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AbstractContextManager, aclosing, asynccontextmanager, nullcontext, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Literal, NamedTuple, Protocol

import sqlalchemy as sa
from cachetools import LRUCache
from pydantic import SecretStr

from domain.errors import (
    RunFenced,
    StorageAway,
    StorageBusy,
    StorageError,
    StorageFull,
    UnderstudyError,
    UnknownQuestion,
    UnknownThread,
)
from domain.events import WORKER_ENDS, RunFinished, Stamped
from domain.notices import Notify, failed_notice
from graph.context import Context
from understudy.bus import Bus
from understudy.durable.asking import is_ready
from understudy.durable.clock import since_boot
from understudy.durable.desk import Desk
from understudy.durable.fences import Fences, ThreadBusy
from understudy.durable.orders import FILE
from understudy.durable.queue import Order, RunQueue
from understudy.durable.workers import Workers
from understudy.runs import Runs
from understudy.stored import context_of
from understudy.threads import checkpoint_thread

TICK_SECONDS = 0.5
_BEAT_SECONDS = 3.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 5.0
"""Seconds between two looks at a server that is away."""
_AGAIN = 1.0
"""Seconds between two looks at a thread that somebody else advances."""
_LOOKS = 0.1
_PASSING = (StorageAway, StorageBusy, StorageFull)
"""What may be over at the next look."""
_WINDOW = 100
"""Questions that are looked at together."""
_KNOWN = 10_000
"""Orders that this worker remembers to have put; the queue knows the others."""

What = Literal["began", "away", "back", "took_over", "failed", "ended"]
"""Kinds of what a worker says of itself."""


class Deliver(Notify, Protocol):
    """Takes notices, and sends those that wait."""

    async def deliver(self, *, limit: int = 20) -> int:
        """Send them and return how many."""


class Said(NamedTuple):
    """What a worker says of itself."""

    what: What
    text: str


Tell = Callable[["Stamped | Said"], None]
"""Shows an event of a run, or of the worker."""
Around = Callable[[Order], AbstractContextManager[object]]
"""Stands around the carrying out of an order, for what is told of it beside its events."""


class Engine:
    """Has runs go on without anybody watching. Open it with `open_engine`."""

    def __init__(
        self, runs: Runs, desk: Desk, fences: Fences, workers: Workers, outbox: Deliver, tell: Tell,
        *, concurrency: int, around: Around = nullcontext,
    ) -> None:  # fmt: skip
        self._runs, self._desk, self._fences, self._workers = runs, desk, fences, workers
        self._outbox, self._tell, self._around = outbox, tell, around
        self._stopping = asyncio.Event()
        self._known: LRUCache[str, None] = LRUCache(_KNOWN)
        self._stuck = 0
        self._concurrency = concurrency
        self._going = 0
        self._begun_here: set[asyncio.Task[None]] = set()
        self._beaten = -_BEAT_SECONDS
        self.queue: RunQueue

    @property
    def is_stopping(self) -> bool:
        """Whether nothing is taken up any more."""
        return self._stopping.is_set()

    def stop(self, *, grace: float | None = None) -> None:
        """Take nothing up any more, and let what is going on come to its next safe point.

        Args:
            grace: Seconds after which it is cut short; None waits for it.
        """
        self._stopping.set()
        self._runs.request_stop(WORKER_ENDS, grace=grace, for_good=True)

    async def run(self) -> None:
        """Work until `stop` is called; a server that is away is waited for."""
        delivering = asyncio.create_task(self._deliver_for_ever())
        pause = _FIRST_PAUSE
        while not self._stopping.is_set():
            try:
                await self.tick()
            except _PASSING as away:
                if pause == _FIRST_PAUSE:
                    self._tell(Said("away", f"waiting: {away}"))
                await self._rest(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
                continue
            if pause > _FIRST_PAUSE:
                self._tell(Said("back", "what was away can be reached again"))
            pause = _FIRST_PAUSE
            await self._rest(TICK_SECONDS)
        await self._drained()
        delivering.cancel()
        await asyncio.wait({delivering})

    async def run_once(self) -> None:
        """Do what is due and ready, and what follows from it, then end.

        Raises:
            StorageAway: A server cannot be reached.
        """
        done = set[str]()
        while not self._stopping.is_set():
            await self.tick()
            wanted = {*self._known, *await self.queue.own()} - done
            if not wanted:
                break
            while not self._stopping.is_set() and await self.queue.unfinished(list(wanted)):
                await self._beat()
                await self._rest(_LOOKS)
            done |= wanted
        await self._drained()
        await self._outbox.deliver()

    async def tick(self) -> None:
        """Look once at everything."""
        await self._beat()
        while len(await self._desk.settle(limit=_WINDOW)) == _WINDOW:
            await self._beat()
        await self._put_ready()
        for lapsed in await self._fences.lapsed():
            workspace, _, thread = lapsed.thread.partition(":")
            if (run := await self._running(workspace, thread)) is not None:
                why = {"interrupted": lapsed.token, "run": run}
                await self._put(Order(f"{lapsed.thread}@{lapsed.token}", workspace, thread, why))
            else:
                await self._fences.clear(lapsed)
        for silent in await self._workers.gone():
            await self.queue.take_over(silent.id)
            await self._workers.bury(silent)
            self._tell(Said("took_over", f"what worker {silent.id:.8} left is carried on"))
        await self.queue.sweep()

    async def start(self, goal: str, context: Context, thread: str, run: str) -> None:
        """Have a goal run in a thread; doing so twice with the same run id starts it once.

        Args:
            goal: What should be done.
            context: For whom, and where.
            thread: A new conversation, or one that is at its end.
            run: A UUID.
        """
        await self._put(started(goal, context, thread, run))

    async def begin(self, order: Order) -> None:
        """Carry an order out here and at once where there is room; else it waits in the queue like all others.

        What is begun so is not in the queue: a crash is noticed by the fence that lapses, and what is left when the
        worker ends is put into the queue then.
        """
        if self._stopping.is_set() or self._going >= self._concurrency:
            await self.queue.put(order)
            return
        self._known[order.id] = None
        self._going += 1
        task = asyncio.create_task(self._begun(order))
        self._begun_here.add(task)
        task.add_done_callback(self._begun_here.discard)

    async def _begun(self, order: Order) -> None:
        try:
            if await self._worked_off(order):
                await self.queue.put(order)
        finally:
            self._going -= 1

    async def carry_out(self, order: Order) -> None:
        """Advance a thread to its next stop, as an order says; whatever happens is told, and nothing is raised.

        While a server is away, or somebody advances the thread in the foreground, it is tried again. Where the worker
        ends in the middle, this does not return: the order stays, and is carried out by the next one.
        """
        self._going += 1
        try:
            left = await self._worked_off(order)
        finally:
            self._going -= 1
        if left:
            await asyncio.Event().wait()

    async def _worked_off(self, order: Order) -> bool:
        """Carry an order out, and return whether something of it is left because the worker ends."""
        with self._around(order):
            while not await self._carried(order):
                await self._rest(_AGAIN)
        return self._stopping.is_set() and await self._is_left(order)

    async def _carried(self, order: Order) -> bool:
        """Carry an order out as far as it goes now; False where it is to be tried again."""
        try:
            if not self._stopping.is_set() and await self._is_wanted(order):
                async with aclosing(self._stream(order)) as stream:
                    async for stamped in stream:
                        self._tell(stamped)
                        await self._heed(stamped)
        except ThreadBusy:
            return self._stopping.is_set()
        except StorageAway as away:
            self._tell(Said("away", f"thread {order.thread!r} waits: {away}"))
            return self._stopping.is_set()
        except RunFenced as error:
            self._tell(Said("failed", str(error)))
        except Exception as error:  # noqa: BLE001 - the worker's edge: a run that breaks must not end the others
            await self._broke(order, error)
        return True

    def _stream(self, order: Order) -> AsyncGenerator[Stamped]:
        why = order.why
        if "start" not in why:
            return self._runs.resume(order.workspace, order.thread, unattended=True)
        return self._runs.start(
            why["goal"], context_of(why["context"]), thread=order.thread, run=why["start"],
            plan_only=why.get("plan_only", False), unattended=True,
        )  # fmt: skip

    async def _broke(self, order: Order, error: Exception) -> None:
        """Tell that a run broke; it stays where it is, and a person can resume it."""
        reason = str(error) if isinstance(error, UnderstudyError) else f"unexpected {type(error).__name__}: {error}"
        try:
            stamped = await self._runs.halt(order.workspace, order.thread, reason)
            self._tell(stamped)
            await self._notify(stamped, f"It could not go on by itself: {reason}", "resume")
        except UnderstudyError:
            self._tell(Said("failed", f"thread {order.thread!r}: {reason}"))

    async def _heed(self, stamped: Stamped) -> None:
        """Tell the one for whom a run works that it came to nothing, since nobody was watching."""
        if isinstance(stamped.event, RunFinished) and stamped.event.outcome.status in ("failed", "budget_exceeded"):
            failure = stamped.event.outcome.failure
            await self._notify(stamped, f"It failed: {failure.message if failure else 'no reason given'}", "trace")

    async def _notify(self, stamped: Stamped, why: str, command: str) -> None:
        entry = await self._runs.entry(stamped.workspace, stamped.thread)
        await self._outbox(
            failed_notice(
                workspace=stamped.workspace, run=stamped.run, number=stamped.seq, goal=entry.goal, why=why,
                user=entry.context["user"], command=f"{command} {shlex.quote(stamped.thread)}",
            )
        )  # fmt: skip

    async def _is_wanted(self, order: Order) -> bool:
        """Return whether an order has anything left to do."""
        if "start" in order.why:
            try:
                entry = await self._runs.entry(order.workspace, order.thread)
            except UnknownThread:
                return True
            if entry.run == order.why["start"]:
                return entry.state == "running"
            # Its end may have come before the queue knew of it, and another run of the thread after that.
            return await self._runs.first_of(order.workspace, order.thread, order.why["start"]) is None
        if "question" in order.why:
            with suppress(UnknownQuestion):
                if is_ready(await self._desk.get(order.workspace, order.why["question"])):
                    return True
        return await self._running(order.workspace, order.thread) is not None

    async def _is_left(self, order: Order) -> bool:
        """Return whether an order that was not carried to its end is there for the next worker."""
        try:
            return await self._is_wanted(order)
        except StorageAway:
            return True

    async def _running(self, workspace: str, thread: str) -> str | None:
        """Return the run that goes on in a thread, or is to go on; None where none does."""
        with suppress(UnknownThread):
            entry = await self._runs.entry(workspace, thread)
            return entry.run if entry.state == "running" else None
        return None

    async def _put_ready(self) -> None:
        """Enqueue what was decided. What broke stays ready until a person resumes it, and hides nothing behind it."""
        ready = await self._desk.ready(limit=_WINDOW + self._stuck)
        known = [question.id for question in ready if question.id in self._known]
        self._stuck = len(known) - len(await self.queue.unfinished(known))
        for question in ready:
            why = {"question": question.id, "run": question.run}
            await self._put(Order(question.id, question.workspace, question.thread, why))

    async def _put(self, order: Order) -> None:
        """Enqueue an order once, unless somebody advances the thread right now."""
        thread = checkpoint_thread(order.workspace, order.thread)
        if order.id not in self._known and await self._fences.is_free(thread):
            await self.queue.put(order)
            self._known[order.id] = None

    async def _beat(self) -> None:
        if since_boot() - self._beaten >= _BEAT_SECONDS:
            await self._workers.beat()
            self._beaten = since_boot()

    async def _rest(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    async def _deliver_for_ever(self) -> None:
        """Send notices beside all else: a channel that does not answer must not hold up a deadline."""
        while True:
            with suppress(StorageError):
                await self._outbox.deliver()
            await asyncio.sleep(_AGAIN)

    async def _drained(self) -> None:
        """Wait until nothing is carried out any more."""
        while self._going:
            with suppress(StorageAway):
                await self._beat()
            await asyncio.sleep(_LOOKS)


@asynccontextmanager
async def open_engine(
    runs: Runs, desk: Desk, fences: Fences, workers: Workers, outbox: Deliver, tell: Tell,
    *, url: str, concurrency: int, bus: Bus, around: Around = nullcontext,
) -> AsyncIterator[Engine]:  # fmt: skip
    """Open the engine of this process, of which there can be one.

    Args:
        runs: Advances threads.
        desk: Where questions wait.
        fences: Who advances which thread.
        workers: Who lives.
        outbox: Sends notices.
        tell: Is given everything that happens.
        url: SQLAlchemy's URL of the queue's database (`queue_url`).
        concurrency: Runs that are advanced at once.
        bus: Tells that there is an order.
        around: Stands around the carrying out of each order.

    Raises:
        StorageAway: The database cannot be reached.
    """
    engine = Engine(runs, desk, fences, workers, outbox, tell, concurrency=concurrency, around=around)
    await workers.beat()
    engine.queue = RunQueue(url, workers.id, engine.carry_out, concurrency=concurrency, bus=bus)
    await engine.queue.open()
    try:
        yield engine
    finally:
        await engine.queue.close()
        with suppress(StorageAway):
            await workers.leave()


def started(
    goal: str, context: Context, thread: str, run: str, *, plan_only: bool = False, traceparent: str | None = None
) -> Order:
    """Return the order that has a goal run in a thread; of several with the same run id one is carried out."""
    why = {"start": run, "goal": goal, "context": asdict(context), "plan_only": plan_only}
    return Order(run, context.workspace, thread, why | ({"traceparent": traceparent} if traceparent else {}))


def queue_url(folder: Path, database: SecretStr | None) -> str:
    """Return the URL of the queue's database: a file in the data folder, or the PostgreSQL that is configured."""
    if database is None:
        return sa.URL.create("sqlite", database=str(folder / FILE)).render_as_string()
    url = sa.make_url(database.get_secret_value()).set(drivername="postgresql+psycopg")
    return url.render_as_string(hide_password=False)
