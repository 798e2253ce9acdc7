"""The events of threads: stored under their numbers before anybody is shown them."""

from collections.abc import Awaitable, Callable, Sequence

from domain.events import Event, Stamped, TextStreamed, Whispered
from memory.journal import Journal
from understudy.bus import Bus, thread_topic
from understudy.stored import stamped_of
from understudy.threads import ThreadEntry


class EventLog:
    """Stamps events and keeps them."""

    def __init__(
        self, journal: Journal, clock: Callable[[], float], guard: Callable[[str], Awaitable[None]], bus: Bus
    ) -> None:
        """Set up the log.

        Args:
            journal: Where events are kept.
            clock: Unix time in seconds.
            guard: Raises where a thread, by its key, may not be written now.
            bus: Tells those who follow a thread that there is more.
        """
        self._journal, self._clock, self._guard, self._bus = journal, clock, guard, bus

    async def read(self, workspace: str, thread: str, *, after: int = 0, limit: int | None = None) -> list[Stamped]:
        """Return a thread's events with a higher seq than `after`, all or the first so many of them."""
        entries = await self._journal.read(workspace, thread, after=after, limit=limit)
        return [stamped_of(seq, value) for seq, value in entries]

    async def first_of(self, workspace: str, thread: str, run: str) -> int | None:
        """Return the number of a run's first event in a thread; None where it has none."""
        entries = await self._journal.read(workspace, thread)
        return next((seq for seq, value in entries if value.get("run") == run), None)

    async def last(self, workspace: str, thread: str) -> Stamped | None:
        """Return a thread's last event; None for an unknown thread."""
        number = await self._journal.last(workspace, thread)
        found = await self.read(workspace, thread, after=number - 1) if number else []
        return found[-1] if found else None

    async def add(self, entry: ThreadEntry, told: Sequence[tuple[str, Event]]) -> list[Stamped]:
        """Store events, each with the node that it comes from, and return them as stored."""
        await self._guard(entry.key)
        workspace, time = entry.workspace, self._clock()
        stamp = {"time": time, "thread": entry.thread, "run": entry.run, "workspace": workspace}
        stamps = [stamp | {"namespace": node} for node, _ in told]
        bodies = [s | {"event": event.model_dump(mode="json")} for s, (_, event) in zip(stamps, told, strict=True)]
        last = await self._journal.append_many(workspace, entry.thread, bodies)
        self._bus.publish(thread_topic(workspace, entry.thread), {"seq": last})
        numbered = enumerate(zip(stamps, told, strict=True), last - len(told) + 1)
        return [Stamped(seq=seq, **stamp, event=event) for seq, (stamp, (_, event)) in numbered]

    def whisper(self, entry: ThreadEntry, event: TextStreamed) -> None:
        """Tell those who watch now, and nobody later."""
        stamp = {"time": self._clock(), "thread": entry.thread, "run": entry.run, "workspace": entry.workspace}
        whispered = Whispered(**stamp, event=event)
        self._bus.publish(thread_topic(entry.workspace, entry.thread), {"whispered": whispered.model_dump(mode="json")})

    async def forget(self, workspace: str, thread: str) -> None:
        """Delete a thread's events."""
        await self._journal.forget(workspace, thread)
