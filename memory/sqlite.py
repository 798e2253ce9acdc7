"""Records in one SQLite file."""

import asyncio
import json
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiosqlite

from domain.errors import StorageBusy, StorageCorrupt, StorageError, StorageFull
from memory.records import Merge, Value, canonical

BUSY_TIMEOUT_SECONDS = 5.0

# secure_delete overwrites deleted text with zeros, so that what is forgotten is gone from the file.
_SCHEMA = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
PRAGMA secure_delete = ON;
CREATE TABLE IF NOT EXISTS entries (key TEXT PRIMARY KEY, value TEXT NOT NULL, expires REAL) WITHOUT ROWID;
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
_SCAN = """
SELECT key, value FROM entries
WHERE key >= :prefix AND substr(key, 1, length(:prefix)) = :prefix AND key < :end
AND (expires IS NULL OR expires > :now) ORDER BY key
"""
_ADD = """
INSERT INTO counters VALUES (:key, :amount, :expires) ON CONFLICT (key) DO UPDATE SET
value = CASE WHEN counters.expires <= :now THEN excluded.value ELSE counters.value + excluded.value END,
expires = CASE WHEN excluded.expires IS NULL AND counters.expires > :now THEN counters.expires ELSE excluded.expires END
RETURNING value
"""
_APPEND = """
INSERT INTO logs VALUES (:log, (SELECT coalesce(max(seq), 0) + 1 FROM logs WHERE log = :log), :entry) RETURNING seq
"""
_READ = "SELECT seq, entry FROM logs WHERE log = ? AND seq > ? ORDER BY seq LIMIT ?"


class SqliteRecords:
    """Records in SQLite; implements `memory.records.Records`. Open it with `await SqliteRecords.open(path)`."""

    def __init__(self, path: Path, connection: aiosqlite.Connection, clock: Callable[[], float]) -> None:
        self._path = path
        self._connection = connection
        self._clock = clock
        self._durable = asyncio.Lock()

    @classmethod
    async def open(cls, path: Path, *, clock: Callable[[], float] = time.time) -> "SqliteRecords":
        """Open the file, creating it where there is none.

        Args:
            path: The file; its folder exists.
            clock: Returns unix time in seconds; expiry follows it.

        Raises:
            StorageError: The file is damaged, cannot be opened, or the device is full.
        """
        with translated(path):
            connection = await aiosqlite.connect(path, timeout=BUSY_TIMEOUT_SECONDS, isolation_level=None)
            try:
                await connection.executescript(_SCHEMA)
                await connection.execute("DELETE FROM entries WHERE expires <= ?", (clock(),))
            except BaseException:
                await connection.close()
                raise
        return cls(path, connection, clock)

    async def get(self, key: str) -> Value | None:
        """Return the value under `key`, or None."""
        rows = await self._run(_GET, (key, self._clock()))
        return self._decoded(rows[0][0]) if rows else None

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
        bounds = {"prefix": prefix, "end": prefix + chr(0x10FFFF), "now": self._clock()}
        return [(key, self._decoded(text)) for key, text in await self._run(_SCAN, bounds)]

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
        while True:
            present = await self.get(key)
            joined = how.join(present, change)
            if await self.compare_and_set(key, present, joined, ttl=ttl):
                return joined

    async def append(self, log: str, entry: Value) -> int:
        """Append to a log and return the entry's number: 1, 2, 3, ..."""
        return int((await self._run(_APPEND, {"log": log, "entry": canonical(entry)}))[0][0])

    async def read(self, log: str, *, after: int = 0, limit: int | None = None) -> list[tuple[int, Value]]:
        """Return a log's entries with a number above `after`, oldest first."""
        rows = await self._run(_READ, (log, after, -1 if limit is None else limit))
        return [(seq, self._decoded(text)) for seq, text in rows]

    async def drop(self, log: str) -> None:
        """Delete a log for good."""
        await self._run("DELETE FROM logs WHERE log = ?", (log,))
        await self._empty_write_ahead_log()

    async def close(self) -> None:
        """Close the file; a second call changes nothing."""
        await self._connection.close()

    async def _run(self, statement: str, given: Sequence[Any] | dict[str, Any] = ()) -> list[Any]:
        with translated(self._path):
            return list(await self._connection.execute_fetchall(statement, given))

    async def _run_durably(self, statement: str, given: dict[str, Any]) -> list[Any]:
        """Run a statement whose commit reaches the disk before this returns, not only the write-ahead log's cache."""
        async with self._durable:
            await self._run("PRAGMA synchronous = FULL")
            try:
                return await self._run(statement, given)
            finally:
                await self._run("PRAGMA synchronous = NORMAL")

    async def _empty_write_ahead_log(self) -> None:
        """Copy the log into the file and truncate it: deleted text still stands in its older pages."""
        await self._run("PRAGMA wal_checkpoint(TRUNCATE)")

    def _expiry(self, ttl: float | None) -> float | None:
        return None if ttl is None else self._clock() + ttl

    def _decoded(self, text: str) -> Value:
        try:
            value = json.loads(text)
        except ValueError as error:
            raise _corrupt(self._path, "a record is not JSON") from error
        return dict(value)


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
