"""Stopping a run from outside: at its next safe point, or after a time of grace at once; either way it can go on."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from langgraph.errors import GraphDrained
from langgraph.runtime import RunControl

_END = object()


class Brake(RunControl):
    """Asks one run to stop, and cuts it short when it has not done so in time."""

    def __init__(self) -> None:
        super().__init__()
        self._pump: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._is_cut = False
        self.waits_for_a_person = False
        """Whether somebody stopped it who decides when it goes on."""

    def stop(self, reason: str, *, grace: float | None = None) -> None:
        """Let the run begin nothing more, and end it as soon as what is going on has ended.

        Args:
            reason: In words, for the event.
            grace: Seconds that what is going on may still take; None lets it take its time. The first one counts.
        """
        self.request_drain(reason)
        if grace is not None and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(grace, self._cut)

    async def followed(self, stream: AsyncIterator[Any]) -> AsyncIterator[list[Any]]:
        """Yield what a run streams until it ends, each time all that has come since.

        The stream is read in a task of its own, which can be cancelled whatever the run is doing.

        Raises:
            GraphDrained: The run was stopped.
        """
        chunks: asyncio.Queue[Any] = asyncio.Queue()
        self._pump = pump = asyncio.create_task(_pumped(stream, chunks))
        try:
            while (news := await _news(chunks))[-1] is not _END:
                yield news
            if news[:-1]:
                yield news[:-1]
            await asyncio.wait({pump})
            if self._is_cut and pump.cancelled():
                raise GraphDrained(self.drain_reason or "stopped")
            pump.result()
        finally:
            pump.cancel()
            await asyncio.wait({pump})
            if self._timer is not None:
                self._timer.cancel()

    def _cut(self) -> None:
        self._is_cut = True
        if self._pump is not None:
            self._pump.cancel()


async def _pumped(stream: AsyncIterator[Any], chunks: "asyncio.Queue[Any]") -> None:
    try:
        async for chunk in stream:
            chunks.put_nowait(chunk)
    finally:
        chunks.put_nowait(_END)


async def _news(chunks: "asyncio.Queue[Any]") -> list[Any]:
    """Wait for the next chunk and return it with those behind it."""
    found = [await chunks.get()]
    while not chunks.empty():
        found.append(chunks.get_nowait())
    return found
