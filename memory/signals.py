"""The signals of every workspace: the latest of each source and name, until its time is over."""

from domain.errors import InvalidRequest
from domain.signals import Signal
from memory.records import Records
from memory.workspaces import checked_workspace

MAX_SIGNALS = 500
"""Signals that a workspace keeps at once."""


class Signals:
    """Keeps signals in the records, which let go of what is past its time."""

    def __init__(self, records: Records) -> None:
        self._records = records

    async def keep(self, workspace: str, signal: Signal) -> None:
        """Keep a signal in place of what its source said of the same thing before.

        Raises:
            InvalidRequest: The workspace has as many signals as it may.
        """
        key = _key(workspace, signal.source, signal.name)
        if await self._records.count(_prefix(workspace)) >= MAX_SIGNALS and await self._records.get(key) is None:
            msg = f"workspace {workspace!r} has {MAX_SIGNALS} signals, and no more fit until one of them expires"
            raise InvalidRequest(msg)
        await self._records.put(key, signal.model_dump(mode="json"), ttl=signal.expires - signal.at)

    async def current(self, workspace: str) -> list[Signal]:
        """Return the signals that hold, by source and name."""
        return [Signal.model_validate(value) for _, value in await self._records.scan(_prefix(workspace))]

    async def forget(self, workspace: str, source: str, name: str) -> bool:
        """Delete a signal for good, and return whether it was there."""
        return await self._records.delete(_key(workspace, source, name))


def _prefix(workspace: str) -> str:
    return f"signal:{checked_workspace(workspace)}:"


def _key(workspace: str, source: str, name: str) -> str:
    return f"{_prefix(workspace)}{source}:{name}"
