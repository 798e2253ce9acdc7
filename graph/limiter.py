"""The limiter: how many steps work at a time, and who is next."""

import asyncio
import heapq
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

Rank = tuple[float, float, int, int]


class Limiter:
    """A semaphore that hands its slots to the lowest rank first."""

    def __init__(self, slots: int) -> None:
        self._free = slots
        self._waiting: list[tuple[Rank, int, asyncio.Future[None]]] = []
        self._count = itertools.count()

    @asynccontextmanager
    async def slot(self, rank: Rank) -> AsyncIterator[None]:
        """Hold a slot for the length of the block."""
        await self._acquire(rank)
        try:
            yield
        finally:
            self._free += 1
            self._wake()

    async def _acquire(self, rank: Rank) -> None:
        turn = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (rank, next(self._count), turn))
        # Steps made ready by the same event all queue before the first slot is given away.
        asyncio.get_running_loop().call_soon(self._wake)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._free += 1
                self._wake()
            raise

    def _wake(self) -> None:
        while self._free and self._waiting:
            _, _, turn = heapq.heappop(self._waiting)
            if not turn.done():
                self._free -= 1
                turn.set_result(None)
