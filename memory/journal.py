"""The stored event log of a thread, from which a client rejoins after any number."""

from collections.abc import Sequence

from memory.records import Records, Value
from memory.workspaces import checked_workspace


class Journal:
    """Append-only event logs, one per workspace and thread."""

    def __init__(self, records: Records) -> None:
        self._records = records

    async def append(self, workspace: str, thread: str, event: Value) -> int:
        """Store one event, as a flat JSON object, and return its number: 1, 2, 3, ..."""
        return await self.append_many(workspace, thread, [event])

    async def append_many(self, workspace: str, thread: str, events: Sequence[Value]) -> int:
        """Store one or more events in order, with nothing between them, and return the number of the last."""
        return await self._records.append_many(_log(workspace, thread), events)

    async def read(
        self, workspace: str, thread: str, *, after: int = 0, limit: int | None = None
    ) -> list[tuple[int, Value]]:
        """Return the events with a number above `after`, oldest first; none for an unknown thread."""
        return await self._records.read(_log(workspace, thread), after=after, limit=limit)

    async def last(self, workspace: str, thread: str) -> int:
        """Return the number of a thread's last event; 0 for an unknown thread."""
        return await self._records.length(_log(workspace, thread))

    async def forget(self, workspace: str, thread: str) -> None:
        """Delete a thread's events for good."""
        await self._records.drop(_log(workspace, thread))


def _log(workspace: str, thread: str) -> str:
    return f"journal:{checked_workspace(workspace)}:{thread}"
