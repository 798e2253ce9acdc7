"""A write as data, so that it can wait on disk, be sent again after a lost answer, and still happen once."""

import json
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from memory.records import Merge, Value

WriteKind = Literal["put", "delete", "add", "compare_and_set", "merge", "append", "drop"]


class Write(NamedTuple):
    """One change of the records, numbered by who makes it.

    The numbers of a writer rise with every write. Whoever carries writes out notes each writer's latest number together
    with the change itself, and passes over a write whose number is not above it.
    """

    writer: str
    number: int
    kind: WriteKind
    key: str
    """Of the value, counter or log."""
    text: str = ""
    """Canonical JSON of the value, entry or change; a counter's amount."""
    expires: float | None = None
    """Unix time in seconds."""
    extra: str = ""
    """Of `compare_and_set` the text of what is expected, empty for nothing; of `merge` the name of how."""


class Known(NamedTuple):
    """What a key is known to hold."""

    value: Value | None


def folded(writes: Sequence[Write], merges: Mapping[str, Merge], now: float) -> Known | None:
    """Return the value that writes of one key lead to, or None where it depends on what was there before them."""
    known: Known | None = None
    for write in writes:
        if write.kind in ("put", "delete") or (write.kind == "merge" and known):
            expired = write.expires is not None and write.expires <= now
            known = Known(None if expired else _after(write, known, merges))
    return known


def _after(write: Write, known: Known | None, merges: Mapping[str, Merge]) -> Value | None:
    value: Value = json.loads(write.text or "{}")
    match write.kind:
        case "put":
            return value
        case "merge" if known:
            return merges[write.extra].join(known.value, value)
        case _:
            return None


class Absence(NamedTuple):
    """That the storage cannot be reached, or has not taken everything yet."""

    since: float
    """Unix time in seconds."""
    reason: str
