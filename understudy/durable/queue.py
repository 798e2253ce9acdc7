"""The queue of runs that go on without anybody watching, on DBOS: one at a time per thread, each enqueued once.

DBOS holds what is to be advanced and by which worker; how far a run is stands in the graph's checkpoints. So the body
of its workflow needs no steps of its own, and may begin again at any time.
"""

import asyncio
import json
import logging
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from sqlalchemy.exc import DBAPIError

from domain.errors import StorageAway
from understudy.bus import Bus, ended
from understudy.durable.clock import since_boot
from understudy.durable.database import IDLE_SECONDS

if TYPE_CHECKING:
    from dbos import Queue, Serializer

T = TypeVar("T")

NAME = "understudy"
ADVANCE = "advance"
"""Name of the workflow."""
PUT_TOPIC = "orders"
"""Where the bus tells that an order was put."""
_POLLER = f"queue-worker-{NAME}"
"""Name that the library gives to the thread that looks into the queue."""
VERSION = "1"
"""Of the workflow's meaning, not of the product: a worker of a later release goes on with what an earlier one left."""
POLL_SECONDS = 0.5
"""Seconds between two looks into the queue, where the bus has not told that there is something."""
_PATIENCE_SECONDS = 30.0
KEPT_SECONDS = 24 * 3600.0
"""How long it is known of an order that it was carried out."""
_SWEPT_EVERY = 600.0
_BATCH = 500
_CONNECTIONS = 5
_LISTEN_SECONDS = 0.2
"""Nobody listens here; its thread sleeps so long, and is waited for at the end."""
_HEAR_SECONDS = 60.0
_JOIN_SECONDS = 10.0
_LONGEST_SLEEP = 1.0
_ROOM_SECONDS = 0.03
"""Time in which the library notes that an order was carried out, and has room for another one."""
_UNUSED = 3600.0
"""Seconds between looks at what is not used here."""


class Order(NamedTuple):
    """One thread that is to be advanced, and why."""

    id: str
    """An order of the same id is carried out once."""
    workspace: str
    thread: str
    why: dict[str, Any]
    """JSON."""

    @property
    def run(self) -> str:
        """The run that is to be advanced; empty where nobody said which."""
        return str(self.why.get("run") or self.why.get("start", ""))


def partition(workspace: str, thread: str) -> str:
    """Return under which key the queue keeps the orders of a thread, one of which is carried out at a time."""
    return f"{workspace}:{thread}"


Carry = Callable[[Order], Awaitable[None]]
"""Carries an order out; its cancellation leaves the order to the next worker."""


class RunQueue:
    """DBOS in this process, of which there can be one. Its threads and its loop are its own."""

    def __init__(self, url: str, worker: str, carry: Carry, *, concurrency: int, bus: Bus | None = None) -> None:
        """Set up the queue.

        Args:
            url: SQLAlchemy's URL of the database in which orders are kept.
            worker: Which worker this is; after a restart it goes on with its own orders.
            carry: Carries an order out, on the loop that calls `open`.
            concurrency: Orders that each worker carries out at once.
            bus: Tells that there is an order, so that it need not wait for the next look into the queue.
        """
        self._url, self._worker, self._carry, self._concurrency = url, worker, carry, concurrency
        self._bus, self._waker = bus or Bus(), _Waker()
        self._listening: asyncio.Task[None] | None = None
        self._stops: list[threading.Event] = []
        self._going: dict[str, Future[None]] = {}
        self._swept = since_boot()
        self._queue: Queue | None = None
        self._log = logging.getLogger("dbos")

    async def open(self) -> None:
        """Begin to carry out orders: first those that this worker left when it ended."""
        self._loop = asyncio.get_running_loop()
        await self._called(self._opened)
        self._listening = asyncio.create_task(self._listen())

    async def close(self) -> None:
        """End what is carried out now; it is carried on by the next worker, or by this one after its restart."""
        for going in list(self._going.values()):
            going.cancel()
        if self._listening is not None:
            await ended({self._listening})
        await asyncio.to_thread(self._closed)

    async def put(self, order: Order) -> None:
        """Enqueue an order unless there is, or was a while ago, one of its id."""
        await self._called(lambda: self._put(order))
        self._bus.publish(PUT_TOPIC, {})

    async def _listen(self) -> None:
        async with self._bus.listen(PUT_TOPIC) as listener:
            while True:
                if await listener.wait(_HEAR_SECONDS):
                    self._waker.wake()

    async def take_over(self, worker: str) -> None:
        """Put what a worker that is gone was doing back into the queue."""
        await self._called(lambda: self._taken_over(worker))

    async def unfinished(self, ids: list[str]) -> list[str]:
        """Return those orders that nobody has carried out yet."""
        return await self._called(lambda: self._unfinished(ids)) if ids else []

    async def own(self) -> list[str]:
        """Return the orders that wait, or that this worker carries out or left unfinished."""
        return await self._called(self._own)

    async def sweep(self) -> None:
        """Now and then, delete what was carried out long ago: ids and names of threads need not stay."""
        if since_boot() - self._swept >= _SWEPT_EVERY:
            self._swept = since_boot()
            await self._called(self._sweep)

    async def _called(self, work: Callable[[], T]) -> T:
        """Call the library in a thread; it would wait for its database for ever.

        Raises:
            StorageAway: The database cannot be reached.
        """
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                return await asyncio.to_thread(work)
        except TimeoutError as error:
            raise StorageAway("the queue of runs does not answer") from error
        except DBAPIError as error:
            raise StorageAway(f"the queue of runs cannot be used now ({error.orig})") from error

    def _opened(self) -> None:
        # In a thread without a loop: DBOS would run the workflows, and its own threads, on a loop that it finds.
        from dbos import DBOS, DBOSPortableJSONSerializer, _serialization

        self._quieten()
        # A row may name its serialiser, pickle among them: whoever can write to the database could run code here.
        _serialization.DBOSDefaultSerializer = no_pickles()
        library = DBOS(
            config={
                "name": NAME,
                "system_database_url": self._url,
                "application_version": VERSION,
                "executor_id": self._worker,
                "serializer": DBOSPortableJSONSerializer(),
                "enable_otlp": False,
                "use_listen_notify": False,
                "notification_listener_polling_interval_sec": _LISTEN_SECONDS,
                "scheduler_polling_interval_sec": _UNUSED,
                "sys_db_pool_size": _CONNECTIONS,
                "sys_db_idle_transaction_timeout_sec": float(IDLE_SECONDS),
                "log_level": "ERROR",
            }
        )

        async def advance(id_: str, workspace: str, thread: str, why: dict[str, Any]) -> None:
            await self._carried_out(Order(id_, workspace, thread, why))

        self._advance = DBOS.workflow(name=ADVANCE, max_recovery_attempts=None)(advance)
        DBOS.launch()
        self._stops = library.background_thread_stop_events
        for stop in self._stops:
            self._waker.attach(stop, _POLLER)
        self._queue = DBOS.register_queue(
            NAME,
            worker_concurrency=self._concurrency,
            partition_concurrency=1,
            polling_interval_sec=POLL_SECONDS,
            on_conflict="always_update",
        )

    async def _carried_out(self, order: Order) -> None:
        """Carry an order out on the loop of the product."""
        work = asyncio.run_coroutine_threadsafe(_awaited(self._carry(order)), self._loop)
        self._going[order.id] = work
        try:
            await asyncio.wrap_future(work)
        finally:
            self._going.pop(order.id, None)
            # Others may wait for the room that there is in a moment, or for the end of this one's thread.
            asyncio.get_running_loop().call_later(_ROOM_SECONDS, self._waker.wake)

    def _closed(self) -> None:
        from dbos import DBOS

        # The library stops its loop first, and what its thread has just taken from the queue would be lost in between.
        for stop in self._stops:
            stop.set()
        for thread in threading.enumerate():
            if thread.name == _POLLER:
                thread.join(_JOIN_SECONDS)
        DBOS.destroy(destroy_registry=True)

    def _put(self, order: Order) -> None:
        from dbos import SetEnqueueOptions, SetWorkflowID

        if self._queue is None:
            raise RuntimeError("the queue is not open")
        with SetWorkflowID(order.id), SetEnqueueOptions(queue_partition_key=partition(*order[1:3])):
            self._queue.enqueue(self._advance, *order)

    def _taken_over(self, worker: str) -> None:
        from dbos import DBOS

        DBOS._recover_pending_workflows([worker])

    def _unfinished(self, ids: list[str]) -> list[str]:
        from dbos import DBOS

        found = DBOS.list_workflows(workflow_ids=ids, status=["ENQUEUED", "PENDING"], load_input=False)
        return [each.workflow_id for each in found]

    def _own(self) -> list[str]:
        from dbos import DBOS

        waiting = DBOS.list_workflows(queue_name=NAME, status="ENQUEUED", load_input=False)
        going = DBOS.list_workflows(executor_id=self._worker, status="PENDING", load_input=False)
        return [each.workflow_id for each in (*waiting, *going)]

    def _sweep(self) -> None:
        from datetime import UTC, datetime, timedelta

        from dbos import DBOS

        before = (datetime.now(tz=UTC) - timedelta(seconds=KEPT_SECONDS)).isoformat()
        old = DBOS.list_workflows(
            name=ADVANCE, status=["SUCCESS", "ERROR"], completed_before=before, limit=_BATCH, load_input=False
        )
        if old:
            DBOS.delete_workflows([each.workflow_id for each in old])

    def _quieten(self) -> None:
        """Keep the library's log from the terminal; what matters is told by whoever uses the queue."""
        if not self._log.handlers:  # else it would add one of its own
            self._log.addHandler(logging.NullHandler())
        self._log.propagate = False


class _Waker:
    """Has the library's thread look into the queue at once, where it would sleep until its next look."""

    def __init__(self) -> None:
        self._some = threading.Event()

    def wake(self) -> None:
        """Have it look now, or once more if it is looking."""
        self._some.set()

    def attach(self, stop: threading.Event, name: str) -> None:
        """Let the sleep of the thread of this name, which ends with `stop`, end with `wake`, too."""
        sleep, end = stop.wait, stop.set

        def ended() -> None:
            end()
            self.wake()

        def wait(timeout: float | None = None) -> bool:
            if threading.current_thread().name != name:
                return sleep(timeout)
            # The library looks ever more seldom where others were quicker, up to every two minutes.
            self._some.wait(_LONGEST_SLEEP if timeout is None else min(timeout, _LONGEST_SLEEP))
            self._some.clear()
            return stop.is_set()

        # The library has no other way to be told.
        stop.wait, stop.set = wait, ended  # type: ignore[method-assign]


def no_pickles() -> "Serializer":
    """Return what stands in for the library's pickles: it reads none, and writes text."""
    from dbos import Serializer

    class NoPickles(Serializer):
        def serialize(self, data: Any) -> str:
            return json.dumps(str(data))  # the error of such a row, which ends it

        def deserialize(cls, serialized_data: str) -> Any:
            raise TypeError("orders are JSON; this one is something else, and is not read")

        def name(self) -> str:
            return "py_pickle"

    return NoPickles()


async def _awaited(work: Awaitable[None]) -> None:
    await work
