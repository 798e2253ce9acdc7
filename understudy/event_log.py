"""The events of threads: stored under their numbers before anybody is shown them."""

from collections.abc import Awaitable, Callable, Sequence

from domain.events import Event, Stamped
from memory.journal import Journal
from understudy.threads import ThreadEntry


class EventLog:
    """Stamps events and keeps them."""

    def __init__(self, journal: Journal, clock: Callable[[], float], guard: Callable[[str], Awaitable[None]]) -> None:
        """Set up the log.

        Args:
            journal: Where events are kept.
            clock: Unix time in seconds.
            guard: Raises where a thread, by its key, may not be written now.
        """
        self._journal, self._clock, self._guard = journal, clock, guard

    async def read(self, workspace: str, thread: str, *, after: int = 0) -> list[Stamped]:
        """Return a thread's events with a higher seq than `after`."""
        entries = await self._journal.read(workspace, thread, after=after)
        return [Stamped(seq=seq, **value) for seq, value in entries]

    async def add(self, entry: ThreadEntry, told: Sequence[tuple[str, Event]]) -> list[Stamped]:
        """Store events, each with the node that it comes from, and return them as stored."""
        await self._guard(entry.key)
        workspace, time = entry.workspace, self._clock()
        stamp = {"time": time, "thread": entry.thread, "run": entry.run, "workspace": workspace}
        stamps = [stamp | {"namespace": node} for node, _ in told]
        bodies = [s | {"event": event.model_dump(mode="json")} for s, (_, event) in zip(stamps, told, strict=True)]
        last = await self._journal.append_many(workspace, entry.thread, bodies)
        numbered = enumerate(zip(stamps, told, strict=True), last - len(told) + 1)
        return [Stamped(seq=seq, **stamp, event=event) for seq, (stamp, (_, event)) in numbered]

    async def forget(self, workspace: str, thread: str) -> None:
        """Delete a thread's events."""
        await self._journal.forget(workspace, thread)
