"""Records on Redis that outlive its absences: what can wait is queued on disk and delivered later, once and in order.

While Redis is away, or anything still waits,
- `put`, `delete`, `add`, `append`, `merge` and `drop` are queued behind what waits already. They return what they would
  if nobody else had changed the record meanwhile: `append` and `add` the last number this process knows plus what was
  queued since, `delete` True, `merge` the change joined with what is known here;
- `get` answers from the queue where that alone decides it (a waiting `put` or `delete` of the key);
- every other read, and `compare_and_set`, tries once to reach Redis and deliver, and otherwise raises `StorageAway`: a
  list with holes and a claim that only this process knows would be lies.
"""

import asyncio
import itertools
import time
import uuid
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TypeVar

from domain.errors import StorageAway, StorageCorrupt, StorageError
from memory.outbox import Outbox
from memory.records import Merge, Value, canonical
from memory.redis import RedisRecords
from memory.writes import Known, Write, WriteKind, folded

T = TypeVar("T")

BATCH = 200
"""Writes that are delivered at once."""
FIRST_WAIT, LONGEST_WAIT = 0.25, 15.0
"""Seconds between two attempts to reach Redis in the background; the wait doubles from the first to the longest."""
_NUMBERS = 10_000
"""Logs and counters whose latest number is kept, to number on from while Redis is away."""


@dataclass(frozen=True)
class Absence:
    """That Redis cannot be reached, or has not taken everything yet."""

    since: float
    """Unix time in seconds."""
    reason: str


class QueuedRecords:
    """Implements `memory.records.Records`; open it with `await QueuedRecords.open(...)`. One process per outbox."""

    def __init__(
        self, redis: RedisRecords, outbox: Outbox, merges: Sequence[Merge], clock: Callable[[], float]
    ) -> None:
        self._redis = redis
        self._outbox = outbox
        self._merges = {merge.name: merge for merge in merges}
        self._clock = clock
        self._writer = uuid.uuid4().hex
        self._numbers = itertools.count(1)
        self._latest: dict[tuple[str, str], int] = {}
        self._absence: Absence | None = None  # None only while nothing waits
        self._ordering = asyncio.Lock()
        self._delivering = asyncio.Lock()
        self._attempts = 0
        self._courier: asyncio.Task[None] | None = None

    @classmethod
    async def open(
        cls, redis: RedisRecords, path: Path, *, merges: Sequence[Merge], clock: Callable[[], float] = time.time
    ) -> "QueuedRecords":
        """Open the queue and deliver what an earlier process left in it; Redis may be away.

        Args:
            redis: The records; closed together with this.
            path: The queue's file; its folder exists.
            merges: Every merge that may ever have been queued.
            clock: Returns unix time in seconds.

        Raises:
            StorageError: The file cannot be used, or Redis is there and refuses this user.
        """
        records = cls(redis, await Outbox.open(path), merges, clock)
        try:
            await records._start()
        except BaseException:
            await records.close()
            raise
        return records

    @property
    def absence(self) -> Absence | None:
        """Since when Redis is away and why; None while it is there and has everything."""
        return self._absence

    async def queued(self) -> int:
        """Return how many writes wait."""
        return await self._outbox.count()

    async def degraded(self) -> list[str]:
        """Return what does not work as it should, in words for the operator."""
        if self._absence is None:
            with suppress(StorageAway):
                warning = await self._asked(self._redis.durability)
                return [warning] if warning else []
        absence = self._absence or Absence(self._clock(), "away")
        since = datetime.fromtimestamp(absence.since).astimezone().isoformat(" ", "seconds")
        return [f"{absence.reason}, since {since}; {await self.queued()} write(s) wait on disk and are delivered later"]

    async def deliver(self) -> bool:
        """Try to reach Redis and deliver what waits, oldest first; return whether everything is delivered."""
        seen = self._attempts
        async with self._delivering:
            if self._attempts == seen:  # else somebody else has just tried
                with suppress(StorageError):
                    await self._attempt()
        return self._absence is None

    async def get(self, key: str) -> Value | None:
        """Return the value under `key`, or None."""
        if self._absence and (known := await self._known(key)):
            return known.value
        return await self._asked(partial(self._redis.get, key))

    async def scan(self, prefix: str) -> list[tuple[str, Value]]:
        """Return all values whose key starts with `prefix`, sorted by key."""
        return await self._asked(partial(self._redis.scan, prefix))

    async def read(self, log: str, *, after: int = 0, limit: int | None = None) -> list[tuple[int, Value]]:
        """Return a log's entries with a number above `after`, oldest first."""
        return await self._asked(partial(self._redis.read, log, after=after, limit=limit))

    async def put(self, key: str, value: Value, *, ttl: float | None = None) -> None:
        """Store a value; without `ttl` it stays until it is deleted."""
        await self._write(self._numbered("put", key, canonical(value), ttl), self._applied)

    async def delete(self, key: str) -> bool:
        """Delete a value for good, also from the queue; return whether it was there, or may have been."""
        answer = await self._write(self._numbered("delete", key), self._applied)
        return answer is None or bool(answer)

    async def add(self, key: str, amount: int = 1, *, ttl: float | None = None) -> int:
        """Add to a counter that starts at 0 and return it, as far as it is known."""
        answer = await self._write(self._numbered("add", key, str(amount), ttl), self._applied)
        return self._counted(("add", key), answer, amount)

    async def compare_and_set(
        self, key: str, expected: Value | None, value: Value, *, ttl: float | None = None
    ) -> bool:
        """Store `value` only where the present one is `expected`; never queued, because the answer decides.

        Raises:
            StorageAway: Redis cannot be reached, or was lost on the way: then the value may have been stored.
        """
        wanted = "" if expected is None else canonical(expected)
        return await self._asked(partial(self._compared, key, canonical(value), ttl, wanted))

    async def merge(self, key: str, change: Value, how: Merge, *, ttl: float | None = None) -> Value:
        """Replace the present value by itself joined with `change`, and return it, as far as it is known."""
        if how.name not in self._merges:
            raise StorageError(f"{how.name!r} could not be queued: name it when the records are opened")
        write = self._numbered("merge", key, canonical(change), ttl, how.name)
        known = await self._known(key) if self._absence else None
        stored = await self._write(write, partial(self._redis.apply_merge, how=how))
        return how.join(known and known.value, change) if stored is None else stored

    async def append(self, log: str, entry: Value) -> int:
        """Append to a log and return the entry's number, as far as it is known."""
        answer = await self._write(self._numbered("append", log, canonical(entry)), self._applied)
        return self._counted(("append", log), answer, 1)

    async def drop(self, log: str) -> None:
        """Delete a log for good, also from the queue."""
        await self._write(self._numbered("drop", log), self._applied)
        self._latest.pop(("append", log), None)

    async def close(self) -> None:
        """Release Redis and the queue, which keeps what it has; a second call changes nothing."""
        if self._courier:
            self._courier.cancel()
            with suppress(asyncio.CancelledError):
                await self._courier
        await self._redis.close()
        await self._outbox.close()

    async def _start(self) -> None:
        self._latest = await self._outbox.counted()
        self._absence = Absence(await self._outbox.since() or self._clock(), f"{self._redis.place} was not reached yet")
        try:
            await self._attempt()
        except StorageAway:
            self._send_courier()

    def _numbered(self, kind: WriteKind, key: str, text: str = "", ttl: float | None = None, extra: str = "") -> Write:
        expires = None if ttl is None else self._clock() + ttl
        return Write(self._writer, 0, kind, key, text, expires, extra)

    async def _write(self, write: Write, send: Callable[[Write], Awaitable[T]]) -> T | None:
        """Send a write, or queue it while Redis is away and return None; a lost answer leaves it in the queue."""
        async with self._ordering:
            write = write._replace(number=next(self._numbers))
            if self._absence is None:
                try:
                    return await send(write)
                except StorageAway as away:
                    self._begin_absence(away)
            await self._outbox.add(write, self._clock())
            return None

    async def _compared(self, key: str, text: str, ttl: float | None, wanted: str) -> bool:
        async with self._ordering:
            if self._absence:
                raise StorageAway(self._absence.reason)
            write = self._numbered("compare_and_set", key, text, ttl, wanted)
            return bool(await self._applied(write._replace(number=next(self._numbers))))

    async def _applied(self, write: Write) -> int:
        return (await self._redis.apply([write]))[0]

    async def _asked(self, ask: Callable[[], Awaitable[T]]) -> T:
        """Ask Redis, after an attempt to reach it and to deliver what waits where it was away."""
        if self._absence and not await self.deliver():
            raise StorageAway(self._absence.reason)
        try:
            return await ask()
        except StorageAway as away:
            self._begin_absence(away)
            raise

    async def _known(self, key: str) -> Known | None:
        """Return what the queue alone says about a key."""
        return folded(await self._outbox.of(key), self._merges, self._clock())

    def _counted(self, what: tuple[str, str], answer: int | None, amount: int) -> int:
        latest = self._latest.pop(what, 0)
        self._latest[what] = latest + amount if answer is None else answer
        if len(self._latest) > _NUMBERS:
            del self._latest[next(iter(self._latest))]
        return self._latest[what]

    def _begin_absence(self, away: StorageAway) -> None:
        if self._absence is None:
            self._absence = Absence(self._clock(), str(away))
            self._send_courier()

    def _send_courier(self) -> None:
        if self._courier is None or self._courier.done():
            self._courier = asyncio.create_task(self._deliver_in_time())

    async def _deliver_in_time(self) -> None:
        wait = FIRST_WAIT
        while self._absence:
            await asyncio.sleep(wait)
            await self.deliver()
            wait = min(2 * wait, LONGEST_WAIT)

    async def _attempt(self) -> None:
        """Deliver everything, or note why not."""
        try:
            await self._redis.ping()
            while self._absence:
                await self._deliver_batch()
        except StorageError as error:
            self._absence = self._absence and replace(self._absence, reason=str(error))
            raise
        finally:
            self._attempts += 1

    async def _deliver_batch(self) -> None:
        """Deliver the oldest writes. A crash before they are removed sends them again, and they are passed over."""
        async with self._ordering:
            batch = await self._outbox.first(BATCH)
            if not batch:
                self._absence = None
                return
            groups = itertools.groupby((q.write for q in batch), key=lambda w: (w.writer, w.kind == "merge"))
            for (_, merging), writes in groups:
                await (self._deliver_merges(writes) if merging else self._redis.apply(list(writes)))
            await self._outbox.remove_up_to(batch[-1].place)

    async def _deliver_merges(self, writes: Iterable[Write]) -> None:
        for write in writes:
            if write.extra not in self._merges:
                raise StorageCorrupt(f"a queued write of {write.key!r} wants {write.extra!r}, which nobody knows")
            await self._redis.apply_merge(write, self._merges[write.extra])
