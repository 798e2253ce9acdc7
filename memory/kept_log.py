"""Logs that are read time and again: what was parsed is kept, and only what is new is read."""

from collections.abc import Callable
from typing import Generic, NamedTuple, TypeVar

from cachetools import LRUCache

from memory.records import Records, Value

T = TypeVar("T")
_LOGS = 256
"""Logs of which the entries are kept."""


class _Kept(NamedTuple, Generic[T]):
    number: int
    """Of the last entry; 0 where there is none."""
    last: Value | None
    parsed: tuple[T, ...]


class KeptLog(Generic[T]):
    """Parsed entries of append-only logs; whatever another process appends is seen at the next reading."""

    def __init__(self, records: Records, parse: Callable[[int, Value], T]) -> None:
        """Set up the reading.

        Args:
            records: Where the logs are.
            parse: Makes what is kept of an entry's number and value.
        """
        self._records = records
        self._parse = parse
        self._kept: LRUCache[str, _Kept[T]] = LRUCache(_LOGS)

    async def read(self, log: str) -> tuple[T, ...]:
        """Return every entry of a log, parsed, oldest first; the very same tuple while nothing was appended.

        The last entry that is known is read with the new ones: where it is another, the log was replaced, and all of it
        is read anew.
        """
        kept: _Kept[T] = self._kept.get(log, _Kept(0, None, ()))
        found = await self._records.read(log, after=max(0, kept.number - 1))
        if kept.number and (not found or found[0] != (kept.number, kept.last)):
            kept, found = _Kept(0, None, ()), await self._records.read(log)
        new = found[1:] if kept.number else found
        if new:
            parsed = (*kept.parsed, *(self._parse(number, value) for number, value in new))
            kept = _Kept(new[-1][0], new[-1][1], parsed)
        self._kept[log] = kept
        return kept.parsed
