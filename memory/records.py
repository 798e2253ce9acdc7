"""The port for records: small JSON objects under keys, atomic counters, and append-only logs.

Adapters: `memory.sqlite`, `memory.redis`, and `memory.queued`, which is Redis with a queue on disk for when it is away.
Every adapter passes the conformance suite in `tests/memory/test_records.py`.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

Value = dict[str, Any]
"""A JSON object."""


@dataclass(frozen=True)
class Merge:
    """How a change joins the value that is there; it has a name so that it can wait on disk and be done later."""

    name: str
    join: Callable[[Value | None, Value], Value]
    """Pure: from the present value (None: absent) and the change to the new value; changes neither of them."""


class Records(Protocol):
    """Where records are kept.

    Keys are colon-separated words, e.g. `memory:task_history:{workspace}:{goal_hash}`. Values, counters and logs have
    separate key spaces. A `ttl` is in seconds; a record whose time is over is never returned. Every method is atomic
    and raises `domain.errors.StorageError` when the storage cannot do it: `StorageAway` where it may later.
    """

    async def get(self, key: str) -> Value | None:
        """Return the value under `key`, or None."""

    async def put(self, key: str, value: Value, *, ttl: float | None = None) -> None:
        """Store a value; without `ttl` it stays until it is deleted."""

    async def delete(self, key: str) -> bool:
        """Delete a value for good, leaving no trace of its text in the files; return whether it was there."""

    async def scan(self, prefix: str) -> list[tuple[str, Value]]:
        """Return all values whose key starts with `prefix`, sorted by key."""

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

        Unlike a comparison it needs no answer from the storage to be decided, so it can be done later.
        """

    async def append(self, log: str, entry: Value) -> int:
        """Append to a log and return the entry's number: 1, 2, 3, ..."""

    async def read(self, log: str, *, after: int = 0, limit: int | None = None) -> list[tuple[int, Value]]:
        """Return a log's entries with a number above `after`, oldest first."""

    async def drop(self, log: str) -> None:
        """Delete a log for good; an unknown one changes nothing."""

    async def close(self) -> None:
        """Release the storage; a second call changes nothing."""


def canonical(value: Value) -> str:
    """Return the JSON text of a value; equal values have equal text, which comparisons rely on."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
