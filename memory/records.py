"""The port for records: small JSON objects under keys, atomic counters, and append-only logs.

Adapters: `memory.sqlite`, `memory.redis`, and `memory.queued`, which is Redis with a queue on disk for when it is away.
Every adapter passes the conformance suite in `tests/memory/test_records.py`.
"""

import json
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

Value = dict[str, Any]
"""A JSON object."""


@dataclass(frozen=True)
class Merge:
    """How a change joins the value that is there; it has a name so that it can wait on disk and be done later."""

    name: str
    join: Callable[[Value | None, Value], Value]
    """Pure: from the present value (None: absent) and the change to the new value; changes neither of them."""


class Change(NamedTuple):
    """One of several merges that are made together."""

    key: str
    value: Value
    """What is joined to the present value."""
    how: Merge
    ttl: float | None = None


class Records(Protocol):
    """Where records are kept.

    Keys are colon-separated words, e.g. `memory:task_history:{workspace}:{goal_hash}`. Values, counters and logs have
    separate key spaces. A `ttl` is in seconds; a record whose time is over is never returned. Every method is atomic
    and raises `domain.errors.StorageError` when the storage cannot do it: `StorageAway` where it may later.
    """

    async def get(self, key: str) -> Value | None:
        """Return the value under `key`, or None."""

    async def get_many(self, keys: Sequence[str]) -> list[Value | None]:
        """Return the value under each key, or None, as `get` does; one question for all."""

    async def put(self, key: str, value: Value, *, ttl: float | None = None) -> None:
        """Store a value; without `ttl` it stays until it is deleted."""

    async def delete(self, key: str) -> bool:
        """Delete a value for good, leaving no trace of its text in the files; return whether it was there."""

    async def scan(self, prefix: str) -> list[tuple[str, Value]]:
        """Return all values whose key starts with `prefix`, sorted by key."""

    def pages(self, prefix: str) -> AsyncIterator[list[tuple[str, Value]]]:
        """Yield what `scan` returns in parts, so that it need not be held at once; each is as it stands when read."""

    async def count(self, prefix: str) -> int:
        """Return how many values have a key that starts with `prefix`, without reading them."""

    async def add(self, key: str, amount: int = 1, *, ttl: float | None = None) -> int:
        """Add to a counter that starts at 0 and return it; a `ttl` counts from the latest call that gave one."""

    async def compare_and_set(
        self, key: str, expected: Value | None, value: Value, *, ttl: float | None = None
    ) -> bool:
        """Store `value` only where the present one is `expected` (None: absent); return whether it was stored.

        What was stored survives a loss of power from the moment this returns.
        """

    async def merge(self, key: str, change: Value, how: Merge, *, ttl: float | None = None) -> Value:
        """Replace the present value by itself joined with `change`, and return it; as lasting as `compare_and_set`.

        Unlike a comparison it needs no answer from the storage to be decided, so it can be done later. It never
        shortens the time that a value has left; one without a `ttl` stays until it is deleted.
        """

    async def merge_many(self, changes: Sequence[Change]) -> list[Value]:
        """Make merges in order, all of them or none, and return the value after each; as lasting as `merge`."""

    async def append(self, log: str, entry: Value) -> int:
        """Append to a log and return the entry's number: 1, 2, 3, ..."""

    async def append_many(self, log: str, entries: Sequence[Value]) -> int:
        """Append one or more entries in order, with nothing between them, and return the number of the last."""

    async def read(self, log: str, *, after: int = 0, limit: int | None = None) -> list[tuple[int, Value]]:
        """Return a log's entries with a number above `after`, oldest first."""

    async def length(self, log: str) -> int:
        """Return the number of a log's last entry; 0 for an unknown one."""

    async def drop(self, log: str) -> None:
        """Delete a log for good; an unknown one changes nothing."""

    async def close(self) -> None:
        """Release the storage; a second call changes nothing."""


def canonical(value: Value) -> str:
    """Return the JSON text of a value; equal values have equal text, which comparisons rely on."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
