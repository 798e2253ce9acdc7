"""Writes that wait on disk, in one SQLite file, until the records' server is back."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import aiosqlite

from memory.sqlite import BUSY_TIMEOUT_SECONDS, translated
from memory.writes import Write

# FULL: what was accepted survives a loss of power. secure_delete: what was delivered or forgotten leaves the file.
_SCHEMA = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA secure_delete = ON;
CREATE TABLE IF NOT EXISTS writes (
    place INTEGER PRIMARY KEY AUTOINCREMENT, queued REAL NOT NULL,
    writer TEXT NOT NULL, number INTEGER NOT NULL, kind TEXT NOT NULL, key TEXT NOT NULL, text TEXT NOT NULL,
    expires REAL, extra TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS keys ON writes (key);
"""
_WRITE = "writer, number, kind, key, text, expires, extra"
_SUPERSEDED = {"delete": ("put", "merge"), "drop": ("append", "append")}
"""Kinds of writes whose text need not wait any longer once this one waits behind them."""
_COUNTED = """
SELECT kind, key, sum(CASE kind WHEN 'append' THEN 1 ELSE CAST(text AS INTEGER) END)
FROM writes WHERE kind IN ('append', 'add') GROUP BY kind, key
"""


class Queued(NamedTuple):
    """A write that waits."""

    place: int
    write: Write


class Outbox:
    """The waiting writes, oldest first. Open it with `await Outbox.open(path)`; one caller at a time changes it."""

    def __init__(self, path: Path, connection: aiosqlite.Connection) -> None:
        self._path = path
        self._connection = connection

    @classmethod
    async def open(cls, path: Path) -> "Outbox":
        """Open the file, creating it where there is none.

        Raises:
            StorageError: The file is damaged, cannot be opened, or the device is full.
        """
        with translated(path):
            connection = await aiosqlite.connect(path, timeout=BUSY_TIMEOUT_SECONDS, isolation_level=None)
            try:
                await connection.executescript(_SCHEMA)
            except BaseException:
                await connection.close()
                raise
        return cls(path, connection)

    async def add(self, write: Write, now: float) -> None:
        """Store a write behind the others; it is on disk when this returns. `now` is unix time in seconds."""
        await self._run(f"INSERT INTO writes (queued, {_WRITE}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", (now, *write))
        if superseded := _SUPERSEDED.get(write.kind):
            await self._run("DELETE FROM writes WHERE key = ? AND kind IN (?, ?)", (write.key, *superseded))
            await self._empty_write_ahead_log()

    async def first(self, limit: int) -> list[Queued]:
        """Return up to `limit` writes, oldest first."""
        rows = await self._run(f"SELECT place, {_WRITE} FROM writes ORDER BY place LIMIT ?", (limit,))
        return [Queued(place, Write(*fields)) for place, *fields in rows]

    async def of(self, key: str) -> list[Write]:
        """Return the writes that concern a key, oldest first."""
        return [
            Write(*row) for row in await self._run(f"SELECT {_WRITE} FROM writes WHERE key = ? ORDER BY place", (key,))
        ]

    async def remove_up_to(self, place: int) -> None:
        """Remove the writes up to a place, since they are delivered."""
        await self._run("DELETE FROM writes WHERE place <= ?", (place,))
        if not await self.count():
            await self._empty_write_ahead_log()

    async def count(self) -> int:
        """Return how many writes wait."""
        return int((await self._run("SELECT count(*) FROM writes"))[0][0])

    async def since(self) -> float | None:
        """Return since when the oldest write waits, in unix time, or None where none does."""
        since: float | None = (await self._run("SELECT min(queued) FROM writes"))[0][0]
        return since

    async def counted(self) -> dict[tuple[str, str], int]:
        """Return by kind and key what the waiting `append` and `add` writes come to."""
        return {(kind, key): amount for kind, key, amount in await self._run(_COUNTED)}

    async def close(self) -> None:
        """Close the file; a second call changes nothing."""
        await self._connection.close()

    async def _run(self, statement: str, given: Sequence[Any] = ()) -> list[Any]:
        with translated(self._path):
            return list(await self._connection.execute_fetchall(statement, given))

    async def _empty_write_ahead_log(self) -> None:
        """Copy the log into the file and truncate it: removed text still stands in its older pages."""
        await self._run("PRAGMA wal_checkpoint(TRUNCATE)")
