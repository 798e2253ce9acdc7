"""Records in one SQLite file."""

import json
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from domain.errors import StorageBusy, StorageCorrupt, StorageError, StorageFull
from memory.records import Change, Merge, Value, canonical
from memory.worker import Worker

T = TypeVar("T")

BUSY_TIMEOUT_SECONDS = 5.0
PAGE = 1000
"""Values that are read at once from many."""

# secure_delete overwrites deleted text with zeros, so that what is forgotten is gone from the file.
_SCHEMA = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
PRAGMA secure_delete = ON;
CREATE TABLE IF NOT EXISTS entries (key TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL, expires REAL);
CREATE TABLE IF NOT EXISTS counters (key TEXT PRIMARY KEY, value INTEGER NOT NULL, expires REAL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS logs (log TEXT, seq INTEGER, entry TEXT NOT NULL, PRIMARY KEY (log, seq)) WITHOUT ROWID;
"""

_PUT = """
INSERT INTO entries VALUES (:key, :value, :expires)
ON CONFLICT (key) DO UPDATE SET value = excluded.value, expires = excluded.expires
"""
_PUT_WHERE_ABSENT = _PUT + "WHERE entries.expires <= :now RETURNING key"
_PUT_WHERE_EQUAL = """
UPDATE entries SET value = :value, expires = :expires
WHERE key = :key AND value = :expected AND (expires IS NULL OR expires > :now) RETURNING key
"""
_GET = "SELECT value FROM entries WHERE key = ? AND (expires IS NULL OR expires > ?)"
_GET_MANY = """
SELECT key, value FROM entries
WHERE key IN (SELECT value FROM json_each(:keys)) AND (expires IS NULL OR expires > :now)
"""
_BELOW = """
FROM entries WHERE key >= :prefix AND substr(key, 1, length(:prefix)) = :prefix AND key < :end
AND (expires IS NULL OR expires > :now)
"""
_SCAN = f"SELECT key, value {_BELOW} ORDER BY key"
_PAGE = f"SELECT key, value {_BELOW} AND key > :after ORDER BY key LIMIT {PAGE}"
_COUNT = f"SELECT count(*) {_BELOW}"
# `changes` are [key, expected value or null, new value, expiry or null], each key once. One statement is one
# transaction: nothing is stored where a present value is not the expected one.
_MERGE = """
INSERT INTO entries
SELECT json_extract(value, '$[0]'), json_extract(value, '$[2]'), json_extract(value, '$[3]') FROM json_each(:changes)
WHERE NOT EXISTS (
    SELECT 1 FROM json_each(:changes) AS change LEFT JOIN entries AS present
    ON present.key = json_extract(change.value, '$[0]') AND (present.expires IS NULL OR present.expires > :now)
    WHERE present.value IS NOT json_extract(change.value, '$[1]')
)
ON CONFLICT (key) DO UPDATE SET value = excluded.value, expires =
CASE WHEN entries.expires <= :now THEN excluded.expires ELSE max(entries.expires, excluded.expires) END
RETURNING key
"""
_ADD = """
INSERT INTO counters VALUES (:key, :amount, :expires) ON CONFLICT (key) DO UPDATE SET
value = CASE WHEN counters.expires <= :now THEN excluded.value ELSE counters.value + excluded.value END,
expires = CASE WHEN excluded.expires IS NULL AND counters.expires > :now THEN counters.expires ELSE excluded.expires END
RETURNING value
"""
_APPEND = """
INSERT INTO logs
SELECT :log, (SELECT coalesce(max(seq), 0) FROM logs WHERE log = :log) + 1 + key, value FROM json_each(:entries)
RETURNING seq
"""
_READ = "SELECT seq, entry FROM logs WHERE log = ? AND seq > ? ORDER BY seq LIMIT ?"


class SqliteRecords:
    """Records in SQLite; implements `memory.records.Records`. Open it with `await SqliteRecords.open(path)`.

    Everything is done in one thread, and what belongs together in one go: to change threads costs as much as a
    statement.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection, worker: Worker, clock: Callable[[], float]) -> None:
        self._path = path
        self._connection = connection
        self._worker = worker
        self._clock = clock

    @classmethod
    async def open(cls, path: Path, *, clock: Callable[[], float] = time.time) -> "SqliteRecords":
        """Open the file, creating it where there is none.

        Args:
            path: The file; its folder exists.
            clock: Returns unix time in seconds; expiry follows it.

        Raises:
            StorageError: The file is damaged, cannot be opened, or the device is full.
        """
        worker, now = Worker("records"), clock()
        try:
            with translated(path):
                connection = await worker.done(lambda: _opened(path, now))
        except BaseException:
            worker.close()
            raise
        return cls(path, connection, worker, clock)

    async def get(self, key: str) -> Value | None:
        """Return the value under `key`, or None."""
        rows = await self._run(_GET, (key, self._clock()))
        return self._decoded(rows[0][0]) if rows else None

    async def get_many(self, keys: Sequence[str]) -> list[Value | None]:
        """Return the value under each key, or None, as `get` does; one question for all."""
        texts = await self._texts(keys)
        return [self._decoded(texts[key]) if key in texts else None for key in keys]

    async def put(self, key: str, value: Value, *, ttl: float | None = None) -> None:
        """Store a value; without `ttl` it stays until it is deleted."""
        await self._run(_PUT, {"key": key, "value": canonical(value), "expires": self._expiry(ttl)})

    async def delete(self, key: str) -> bool:
        """Delete a value for good; return whether it was there."""
        rows = await self._run("DELETE FROM entries WHERE key = ? RETURNING expires", (key,))
        await self._empty_write_ahead_log()
        return any(expires is None or expires > self._clock() for (expires,) in rows)

    async def scan(self, prefix: str) -> list[tuple[str, Value]]:
        """Return all values whose key starts with `prefix`, sorted by key."""
        return [(key, self._decoded(text)) for key, text in await self._run(_SCAN, self._below(prefix))]

    async def pages(self, prefix: str) -> AsyncIterator[list[tuple[str, Value]]]:
        """Yield what `scan` returns in parts; each is as it stands when it is read."""
        after = ""
        while rows := await self._run(_PAGE, self._below(prefix) | {"after": after}):
            yield [(key, self._decoded(text)) for key, text in rows]
            after = rows[-1][0]

    async def count(self, prefix: str) -> int:
        """Return how many values have a key that starts with `prefix`, without reading them."""
        return int((await self._run(_COUNT, self._below(prefix)))[0][0])

    async def add(self, key: str, amount: int = 1, *, ttl: float | None = None) -> int:
        """Add to a counter that starts at 0 and return it."""
        given = {"key": key, "amount": amount, "expires": self._expiry(ttl), "now": self._clock()}
        return int((await self._run(_ADD, given))[0][0])

    async def compare_and_set(
        self, key: str, expected: Value | None, value: Value, *, ttl: float | None = None
    ) -> bool:
        """Store `value` only where the present one is `expected` (None: absent); return whether it was stored."""
        given = {"key": key, "value": canonical(value), "expires": self._expiry(ttl), "now": self._clock()}
        if expected is None:
            return bool(await self._run_durably(_PUT_WHERE_ABSENT, given))
        return bool(await self._run_durably(_PUT_WHERE_EQUAL, given | {"expected": canonical(expected)}))

    async def merge(self, key: str, change: Value, how: Merge, *, ttl: float | None = None) -> Value:
        """Replace the present value by itself joined with `change`, and return it."""
        return (await self.merge_many([Change(key, change, how, ttl)]))[0]

    async def merge_many(self, changes: Sequence[Change]) -> list[Value]:
        """Make merges in order, all of them or none, and return the value after each."""
        return await self._done(partial(self._merged, changes)) if changes else []

    async def append(self, log: str, entry: Value) -> int:
        """Append to a log and return the entry's number: 1, 2, 3, ..."""
        return await self.append_many(log, [entry])

    async def append_many(self, log: str, entries: Sequence[Value]) -> int:
        """Append one or more entries in order, with nothing between them, and return the number of the last."""
        texts = json.dumps([canonical(entry) for entry in entries])
        return max(int(seq) for (seq,) in await self._run(_APPEND, {"log": log, "entries": texts}))

    async def read(self, log: str, *, after: int = 0, limit: int | None = None) -> list[tuple[int, Value]]:
        """Return a log's entries with a number above `after`, oldest first."""
        rows = await self._run(_READ, (log, after, -1 if limit is None else limit))
        return [(seq, self._decoded(text)) for seq, text in rows]

    async def length(self, log: str) -> int:
        """Return the number of a log's last entry; 0 for an unknown one."""
        [(last,)] = await self._run("SELECT coalesce(max(seq), 0) FROM logs WHERE log = ?", (log,))
        return int(last)

    async def drop(self, log: str) -> None:
        """Delete a log for good."""
        await self._run("DELETE FROM logs WHERE log = ?", (log,))
        await self._empty_write_ahead_log()

    async def close(self) -> None:
        """Close the file; a second call changes nothing."""
        if not self._worker.closed:
            await self._done(self._connection.close)
            self._worker.close()

    async def _run(self, statement: str, given: Sequence[Any] | dict[str, Any] = ()) -> list[Any]:
        return await self._done(lambda: self._rows(statement, given))

    async def _run_durably(self, statement: str, given: dict[str, Any]) -> list[Any]:
        return await self._done(lambda: self._durably(statement, given))

    async def _done(self, work: Callable[[], T]) -> T:
        with translated(self._path):
            return await self._worker.done(work)

    def _rows(self, statement: str, given: Sequence[Any] | dict[str, Any] = ()) -> list[Any]:
        return self._connection.execute(statement, given).fetchall()

    def _durably(self, statement: str, given: dict[str, Any]) -> list[Any]:
        """Run a statement whose commit reaches the disk before this returns, not only the write-ahead log's cache."""
        self._rows("PRAGMA synchronous = FULL")
        try:
            return self._rows(statement, given)
        finally:
            self._rows("PRAGMA synchronous = NORMAL")

    def _merged(self, changes: Sequence[Change]) -> list[Value]:
        while True:  # another process may have changed a value after it was read
            present = self._present([change.key for change in changes])
            texts, joined = dict(present), []
            for key, change, how, _ in changes:
                joined.append(how.join(self._decoded(texts[key]) if key in texts else None, change))
                texts[key] = canonical(joined[-1])
            rows = [[key, present.get(key), texts[key], end] for key, end in self._ends(changes).items()]
            if self._durably(_MERGE, {"changes": json.dumps(rows), "now": self._clock()}):
                return joined

    async def _empty_write_ahead_log(self) -> None:
        """Copy the log into the file and truncate it: deleted text still stands in its older pages."""
        await self._run("PRAGMA wal_checkpoint(TRUNCATE)")

    async def _texts(self, keys: Sequence[str]) -> dict[str, str]:
        """Return the values that are there as they are stored, by key."""
        return await self._done(lambda: self._present(keys))

    def _present(self, keys: Sequence[str]) -> dict[str, str]:
        return dict(self._rows(_GET_MANY, {"keys": json.dumps(keys), "now": self._clock()}))

    def _below(self, prefix: str) -> dict[str, Any]:
        return {"prefix": prefix, "end": prefix + chr(0x10FFFF), "now": self._clock()}

    def _ends(self, changes: Sequence[Change]) -> dict[str, float | None]:
        """Return by key until when its value is kept; the last of several ends counts."""
        ends: dict[str, float | None] = {}
        for key, _, _, ttl in changes:
            end, known = self._expiry(ttl), ends.get(key, 0.0)
            ends[key] = None if end is None or known is None else max(end, known)
        return ends

    def _expiry(self, ttl: float | None) -> float | None:
        return None if ttl is None else self._clock() + ttl

    def _decoded(self, text: str) -> Value:
        try:
            value = json.loads(text)
        except ValueError as error:
            raise _corrupt(self._path, "a record is not JSON") from error
        return dict(value)


def _opened(path: Path, now: float) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        connection.executescript(_SCHEMA)
        connection.execute("DELETE FROM entries WHERE expires <= ?", (now,))
    except BaseException:
        connection.close()
        raise
    return connection


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into the project's, naming the file and what to do."""
    try:
        yield
    except sqlite3.Error as error:
        raise _translation(path, error) from error


def _translation(path: Path, error: sqlite3.Error) -> StorageError:
    primary = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF  # the rest is detail
    match primary:
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return _corrupt(path, str(error))
        case sqlite3.SQLITE_FULL:
            return StorageFull(f"no space is left on the device of {path}; free some and try again")
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return StorageBusy(f"{path} is locked by another program; close it and try again")
        case _:
            return StorageError(f"{path} cannot be used: {error}")


def _corrupt(path: Path, detail: str) -> StorageCorrupt:
    return StorageCorrupt(
        f"{path} is damaged ({detail}); restore it from a backup, or move it away to start without it"
    )
