"""Holding threads: whoever advances or changes one has it to itself, and can be asked to stop."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from understudy.durable.fences import Fences, ThreadBusy
from understudy.stopping import Brake
from understudy.threads import checkpoint_thread


class Holds:
    """The threads that this process has."""

    def __init__(self, fences: Fences) -> None:
        self._fences = fences
        self._brakes: dict[str, Brake] = {}
        self._end: tuple[str, float | None] | None = None
        """Why everything stops from now on, and the grace."""

    @asynccontextmanager
    async def held(self, workspace: str, thread: str) -> AsyncIterator[Brake]:
        """Keep a thread to oneself for the length of the block: no run of it goes on, and nobody else changes it.

        Raises:
            ThreadBusy: Somebody has it, here or in another process.
        """
        key = checkpoint_thread(workspace, thread)
        if key in self._brakes:
            msg = f"thread {thread!r} is busy; stop its run first, or wait for its end"
            raise ThreadBusy(msg)
        brake = self._brakes[key] = Brake()
        if self._end is not None:
            brake.stop(self._end[0], grace=self._end[1])
        try:
            async with self._fences.held(key):
                yield brake
        finally:
            del self._brakes[key]

    def request_stop(self, reason: str, *, grace: float | None = None, for_good: bool = False) -> None:
        """Stop every run at its next safe point, from which it can be resumed.

        Args:
            reason: In words, for the event.
            grace: Seconds after which a run is cut short that has not come to one; None waits for it.
            for_good: Whether what is taken up from now on is stopped, too.
        """
        if for_good:
            self._end = reason, grace
        for brake in self._brakes.values():
            brake.stop(reason, grace=grace)

    def cancel(self, workspace: str, thread: str, reason: str, *, grace: float | None = None) -> bool:
        """Stop the run of one thread until somebody resumes it, and return whether one was going on here."""
        brake = self._brakes.get(checkpoint_thread(workspace, thread))
        if brake is not None:
            brake.waits_for_a_person = True
            brake.stop(reason, grace=grace)
        return brake is not None
