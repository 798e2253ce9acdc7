"""Fences: of all processes that could advance a thread, one does; a fence that was lost refuses whatever comes late.

A fence has a token that grows by one whenever somebody takes it (Kleppmann, "How to do distributed locking", 2016). It
lapses when nobody renews it, and only then somebody else may take it: a process that died blocks a thread for seconds,
and one that was merely paused finds on waking that its token is old.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import NamedTuple

from domain.errors import RunFenced, StorageAway, UserError
from understudy.durable.clock import since_boot
from understudy.durable.database import Database
from understudy.durable.fence_rows import FenceRows, Holder, Lapsed, delete, free

TTL_SECONDS = 10.0
"""A fence may be taken over this long after it was taken or renewed."""
RENEWALS = 3
"""Times that a fence is renewed before it would lapse."""


class ThreadBusy(UserError):
    """A run is going on in this thread."""

    code = "thread_busy"


class Fence(NamedTuple):
    """The right to advance a thread."""

    thread: str
    token: int


class Fences:
    """The fences of one process. Open it with `open_fences`, which renews what is held."""

    def __init__(
        self,
        database: Database,
        holder: Holder,
        clock: Callable[[], float],
        *,
        admit: Callable[[], Awaitable[None]] | None = None,
        ttl: float = TTL_SECONDS,
    ) -> None:
        """Set up fences.

        Args:
            database: Where they are.
            holder: This process.
            clock: Unix time in seconds; with a shared database, whose own clock counts, it is not asked.
            admit: Raises where this process may advance no thread at all; asked before each is taken.
            ttl: Seconds after which a fence that is not renewed may be taken over.
        """
        self._database, self._holder, self.ttl = database, holder, ttl
        self._rows = FenceRows(holder, clock, ttl)
        self._admit = admit
        self._held: dict[str, _Held] = {}
        self._some = asyncio.Event()

    @property
    def holder(self) -> str:
        """How this process is named in what it holds."""
        return str(self._holder)

    async def take(self, thread: str) -> Fence:
        """Take the fence of a thread.

        That of an earlier process of the same data folder is taken over at once: the folder's lock says it is gone.

        Raises:
            ThreadBusy: Another process advances the thread, or it died a moment ago and its fence has not lapsed.
            StorageAway: The database cannot be reached.
        """
        if self._admit is not None:
            await self._admit()
        asked = since_boot()
        token = await self._database.write(lambda connection: self._rows.take(connection, thread))
        if token is None:
            msg = f"thread {thread.partition(':')[2]!r} is busy: another process has it; try again when that is done"
            raise ThreadBusy(msg)
        self._held[thread] = _Held(token, asked + self.ttl)
        self._some.set()
        return Fence(thread, token)

    async def give_back(self, fence: Fence) -> None:
        """Free a fence, so that anybody may take it at once; one that was lost, or cannot be freed now, lapses."""
        held = self._held.get(fence.thread)
        if held is not None and held.token == fence.token:
            del self._held[fence.thread]
        with suppress(StorageAway):
            await self._database.write(lambda connection: free(connection, *fence))

    @asynccontextmanager
    async def held(self, thread: str) -> AsyncIterator[Fence]:
        """Have the fence of a thread for the length of the block, or raise `ThreadBusy`."""
        fence = await self.take(thread)
        try:
            yield fence
        finally:
            await self.give_back(fence)

    def token_of(self, thread: str) -> int | None:
        """Return the token that this process has for a thread; None where it never took its fence."""
        held = self._held.get(thread)
        return held.token if held else None

    async def check(self, thread: str) -> None:
        """Return where this process may write for a thread now; costs nothing while its fence is fresh.

        A thread whose fence was never taken here, such as one that another server runs, is none of our business.

        Raises:
            RunFenced: Another process has taken it over.
            StorageAway: The fence may have lapsed, and the database cannot be asked.
        """
        held = self._held.get(thread)
        if held is not None and (held.is_lost or since_boot() >= held.fresh_until):
            await self._renewed_now(thread, held)

    async def confirm(self, thread: str) -> None:
        """Renew the fence of a thread now, so that nobody can take it over for as long as it lasts.

        Raises:
            RunFenced: Another process has taken it over.
            StorageAway: The database cannot be asked.
        """
        held = self._held.get(thread)
        if held is None:
            return
        if self._database.is_shared or held.is_lost:
            await self._renewed_now(thread, held)
        else:
            await self.check(thread)  # whoever has the data folder has its threads

    async def _renewed_now(self, thread: str, held: "_Held") -> None:
        if not held.is_lost:
            await self._renew([thread])
        if held.is_lost:
            raise fenced(thread)

    async def lapsed(self, *, limit: int = 100) -> list[Lapsed]:
        """Return threads whose process is gone without having given their fence back, the longest gone first."""
        found = await self._database.write(lambda connection: self._rows.lapsed(connection, limit))
        return [lapsed for lapsed in found if lapsed.thread not in self._held]

    async def clear(self, lapsed: Lapsed) -> None:
        """Free the fence of a process that is gone, where there is nothing to go on with."""
        await self._database.write(lambda connection: free(connection, *lapsed))

    async def is_free(self, thread: str) -> bool:
        """Return whether the fence of a thread could be taken now."""
        return await self._database.read(lambda connection: self._rows.is_free(connection, thread))

    async def forget(self, thread: str) -> None:
        """Delete what is known of a thread that is gone for good."""
        self._held.pop(thread, None)
        await self._database.write(lambda connection: delete(connection, thread))

    async def renew_for_ever(self) -> None:
        """Renew what is held, all of it with one write, and nothing while nothing is held."""
        while True:
            await self._some.wait()
            await asyncio.sleep(self.ttl / RENEWALS)
            threads = [thread for thread, held in self._held.items() if not held.is_lost]
            if not threads:
                self._some.clear()
                continue
            with suppress(StorageAway):  # nobody else can take them over meanwhile, either
                await self._renew(threads)

    async def _renew(self, threads: list[str]) -> None:
        wanted = {thread: self._held[thread].token for thread in threads if thread in self._held}
        asked = since_boot()
        renewed = await self._database.write(lambda connection: self._rows.renew(connection, wanted))
        for thread, token in wanted.items():
            held = self._held.get(thread)
            if held is None or held.token != token:
                continue
            if thread in renewed:
                held.fresh_until = asked + self.ttl
            else:
                held.is_lost = True


class _Held:
    """A fence that this process took."""

    def __init__(self, token: int, fresh_until: float) -> None:
        self.token = token
        self.fresh_until = fresh_until
        """Seconds since the boot until which nobody can have taken it over."""
        self.is_lost = False


def fenced(thread: str) -> RunFenced:
    """Return the error that says that another process has a thread by now."""
    return RunFenced(f"thread {thread.partition(':')[2]!r} is advanced by another process by now; nothing was written")


@asynccontextmanager
async def open_fences(
    database: Database,
    holder: Holder,
    clock: Callable[[], float],
    *,
    admit: Callable[[], Awaitable[None]] | None = None,
    ttl: float = TTL_SECONDS,
) -> AsyncIterator[Fences]:
    """Open the fences of this process, and renew what it holds for as long as they are open; see `Fences`."""
    fences = Fences(database, holder, clock, admit=admit, ttl=ttl)
    renewing = asyncio.create_task(fences.renew_for_ever())
    try:
        yield fences
    finally:
        renewing.cancel()
        await asyncio.wait({renewing})
