"""Records on Redis that outlive its absences: what can wait is queued on disk and delivered later, once and in order.

While Redis is away, or anything still waits,
- `put`, `delete`, `add`, `append`, `merge` and `drop` are queued behind what waits already. They return what they would
  if nobody else had changed the record meanwhile: `append` and `add` the last number this process knows plus what was
  queued since, `delete` True, `merge` the change joined with what is known here;
- `get` answers from the queue where that alone decides it (a waiting `put` or `delete` of the key);
- every other read, and `compare_and_set`, tries once to reach Redis and deliver, and otherwise raises `StorageAway`: a
  list with holes and a claim that only this process knows would be lies.

Redis without memory or disk counts as away: what it refuses for that reason is queued and tried again. A queued write
that it refuses for good (a key of another type, a key that this user may not write) goes aside with the reason, so that
those behind it arrive; a person has it tried again or gives it up.
"""

import asyncio
import itertools
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TypeVar

from domain.errors import StorageAway, StorageCorrupt, StorageError, StorageFull, StorageRefused
from memory.outbox import Outbox, Queued, Refused
from memory.records import Change, Merge, Value, canonical
from memory.redis import RedisRecords
from memory.writes import Absence, Known, Write, WriteKind, folded

T = TypeVar("T")

_PASSING = (StorageAway, StorageFull)
"""What passes by itself, or when an operator has helped the server."""
_FOR_GOOD = (StorageRefused, StorageCorrupt)
"""What would happen to the same write again."""
BATCH = 200
"""Writes that are delivered at once."""
FIRST_WAIT, LONGEST_WAIT = 0.25, 15.0
"""Seconds between two attempts to reach Redis in the background; the wait doubles from the first to the longest."""
_NUMBERS = 10_000
"""Logs and counters whose latest number is kept, to number on from while Redis is away."""


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
        self._refused = 0
        self._purge_due = False

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
        return await self._degraded() + await self._outbox.notes()

    async def _degraded(self) -> list[str]:
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

    async def refused(self) -> list[Refused]:
        """Return the writes that Redis refused for good, oldest first."""
        return await self._outbox.refused()

    async def retry_refused(self) -> int:
        """Queue the refused writes behind all others, try to deliver, and return how many are refused again."""
        async with self._ordering:
            for refused in await self._outbox.refused():
                again = refused.write._replace(writer=self._writer, number=next(self._numbers))
                await self._outbox.add(again, self._clock())
                await self._outbox.drop_refused(refused.place)
            self._refused = 0
            self._absence = self._absence or Absence(self._clock(), "refused writes are tried again")
        if not await self.deliver():
            self._send_courier()
        return self._refused

    async def discard_refused(self) -> int:
        """Give the refused writes up and return how many they were."""
        async with self._ordering:
            given_up, self._refused = self._refused, 0
            await self._outbox.drop_refused()
        return given_up

    async def purge(self) -> str:
        """Have deleted text leave Redis's files, and return what of that could not be done; empty where nothing."""
        if self._absence and not await self.deliver():
            return f"{self._absence.reason}; deletions wait, and its files are rewritten when they are delivered"
        return await self._asked(self._redis.purge)

    async def get(self, key: str) -> Value | None:
        """Return the value under `key`, or None."""
        if self._absence and (known := await self._known(key)):
            return known.value
        return await self._asked(partial(self._redis.get, key))

    async def get_many(self, keys: Sequence[str]) -> list[Value | None]:
        """Return the value under each key, or None, as `get` does; one question for all."""
        if self._absence:
            return [await self.get(key) for key in keys]
        return await self._asked(partial(self._redis.get_many, keys))

    async def scan(self, prefix: str) -> list[tuple[str, Value]]:
        """Return all values whose key starts with `prefix`, sorted by key."""
        return await self._asked(partial(self._redis.scan, prefix))

    async def pages(self, prefix: str) -> AsyncIterator[list[tuple[str, Value]]]:
        """Yield what `scan` returns in parts; each is as it stands when it is read."""
        pages = aiter(self._redis.pages(prefix))
        while (page := await self._asked(partial(anext, pages, None))) is not None:
            yield page

    async def count(self, prefix: str) -> int:
        """Return how many values have a key that starts with `prefix`, without reading them."""
        return await self._asked(partial(self._redis.count, prefix))

    async def read(self, log: str, *, after: int = 0, limit: int | None = None) -> list[tuple[int, Value]]:
        """Return a log's entries with a number above `after`, oldest first."""
        return await self._asked(partial(self._redis.read, log, after=after, limit=limit))

    async def length(self, log: str) -> int:
        """Return the number of a log's last entry; 0 for an unknown one."""
        return await self._asked(partial(self._redis.length, log))

    async def put(self, key: str, value: Value, *, ttl: float | None = None) -> None:
        """Store a value; without `ttl` it stays until it is deleted."""
        await self._write(self._numbered("put", key, canonical(value), ttl))

    async def delete(self, key: str) -> bool:
        """Delete a value for good, also from the queue; return whether it was there, or may have been."""
        answer = await self._write(self._numbered("delete", key))
        return answer is None or bool(answer)

    async def add(self, key: str, amount: int = 1, *, ttl: float | None = None) -> int:
        """Add to a counter that starts at 0 and return it, as far as it is known."""
        answer = await self._write(self._numbered("add", key, str(amount), ttl))
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
        return (await self.merge_many([Change(key, change, how, ttl)]))[0]

    async def merge_many(self, changes: Sequence[Change]) -> list[Value]:
        """Make merges in order, all of them or none, and return the value after each, as far as it is known."""
        if unknown := {change.how.name for change in changes} - self._merges.keys():
            raise StorageError(f"{min(unknown)!r} could not be queued: name it when the records are opened")
        if not changes:
            return []
        writes = [self._numbered("merge", c.key, canonical(c.value), c.ttl, c.how.name) for c in changes]
        async with self._ordering:
            writes = [write._replace(number=next(self._numbers)) for write in writes]
            if self._absence is None:
                try:
                    return await self._redis.apply_merges(writes, self._merges)
                except _PASSING as away:
                    self._begin_absence(away)
            values = await self._foreseen(changes)
            await self._outbox.add_merges(writes, self._clock())
            return values

    async def append(self, log: str, entry: Value) -> int:
        """Append to a log and return the entry's number, as far as it is known."""
        return await self.append_many(log, [entry])

    async def append_many(self, log: str, entries: Sequence[Value]) -> int:
        """Append one or more entries in order and return the number of the last, as far as it is known."""
        answer = await self._write(*(self._numbered("append", log, canonical(entry)) for entry in entries))
        return self._counted(("append", log), answer, len(entries))

    async def drop(self, log: str) -> None:
        """Delete a log for good, also from the queue."""
        await self._write(self._numbered("drop", log))
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
        self._refused = await self._outbox.count_refused()
        self._absence = Absence(await self._outbox.since() or self._clock(), f"{self._redis.place} was not reached yet")
        try:
            await self._attempt()
        except _PASSING:
            self._send_courier()

    def _numbered(self, kind: WriteKind, key: str, text: str = "", ttl: float | None = None, extra: str = "") -> Write:
        expires = None if ttl is None else self._clock() + ttl
        return Write(self._writer, 0, kind, key, text, expires, extra)

    async def _write(self, *writes: Write) -> int | None:
        """Send writes together and return the last answer, or queue them while Redis is away and return None.

        A lost answer leaves them in the queue.
        """
        async with self._ordering:
            numbered = [write._replace(number=next(self._numbers)) for write in writes]
            if self._absence is None:
                try:
                    answer = await self._applied(*numbered)
                except _PASSING as away:
                    self._begin_absence(away)
                else:
                    for write in numbered:
                        await self._outdate(write)
                    return answer
            for write in numbered:
                await self._outbox.add(write, self._clock())
                await self._outdate(write)
            return None

    async def _outdate(self, write: Write) -> None:
        if self._refused:
            await self._outbox.outdate(write)
            self._refused = await self._outbox.count_refused()

    async def _compared(self, key: str, text: str, ttl: float | None, wanted: str) -> bool:
        async with self._ordering:
            if self._absence:
                raise StorageAway(self._absence.reason)
            write = self._numbered("compare_and_set", key, text, ttl, wanted)
            return bool(await self._applied(write._replace(number=next(self._numbers))))

    async def _applied(self, *writes: Write) -> int:
        return (await self._redis.apply(writes))[-1]

    async def _asked(self, ask: Callable[[], Awaitable[T]]) -> T:
        """Ask Redis, after an attempt to reach it and to deliver what waits where it was away."""
        if self._absence and not await self.deliver():
            raise StorageAway(self._absence.reason)
        try:
            return await ask()
        except StorageAway as away:
            self._begin_absence(away)
            raise

    async def _foreseen(self, changes: Sequence[Change]) -> list[Value]:
        """Return the value after each merge, from what waits in the queue before it."""
        known = {change.key: await self._known(change.key) for change in changes}
        values = []
        for key, change, how, _ in changes:
            before = known[key]
            values.append(how.join(before and before.value, change))
            known[key] = Known(values[-1])
        return values

    async def _known(self, key: str) -> Known | None:
        """Return what the queue alone says about a key."""
        return folded(await self._outbox.of(key), self._merges, self._clock())

    def _counted(self, what: tuple[str, str], answer: int | None, amount: int) -> int:
        latest = self._latest.pop(what, 0)
        self._latest[what] = latest + amount if answer is None else answer
        if len(self._latest) > _NUMBERS:
            del self._latest[next(iter(self._latest))]
        return self._latest[what]

    def _begin_absence(self, away: StorageError) -> None:
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
            if self._purge_due:
                await self._redis.purge(seconds=0)
                self._purge_due = False
        except StorageError as error:
            self._absence = self._absence and self._absence._replace(reason=str(error))
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
            try:
                await self._deliver([queued.write for queued in batch])
            except _FOR_GOOD:
                for queued in batch:  # what was done is passed over
                    await self._deliver_or_set_aside(queued)
            await self._outbox.remove_up_to(batch[-1].place)
            self._purge_due |= any(queued.write.kind in ("delete", "drop") for queued in batch)

    async def _deliver_or_set_aside(self, queued: Queued) -> None:
        try:
            await self._deliver([queued.write])
        except _FOR_GOOD as error:
            await self._outbox.set_aside(queued.place, str(error))
            self._refused += 1

    async def _deliver(self, batch: Sequence[Write]) -> None:
        for (_, merging), group in itertools.groupby(batch, key=lambda w: (w.writer, w.kind == "merge")):
            writes = list(group)
            await (self._deliver_merges(writes) if merging else self._redis.apply(writes))

    async def _deliver_merges(self, writes: Iterable[Write]) -> None:
        for write in writes:
            if write.extra not in self._merges:
                raise StorageCorrupt(f"a queued write of {write.key!r} wants {write.extra!r}, which nobody knows")
            await self._redis.apply_merges([write], self._merges)  # some may be done already: not all together
