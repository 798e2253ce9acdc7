"""Writes that wait on disk, in one SQLite file, until the records' server is back."""

import asyncio
import json
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
CREATE TABLE IF NOT EXISTS refused (
    place INTEGER PRIMARY KEY, queued REAL NOT NULL, reason TEXT NOT NULL,
    writer TEXT NOT NULL, number INTEGER NOT NULL, kind TEXT NOT NULL, key TEXT NOT NULL, text TEXT NOT NULL,
    expires REAL, extra TEXT NOT NULL
);
"""
_WRITE = "writer, number, kind, key, text, expires, extra"
_SUPERSEDED = {"delete": ("put", "merge"), "drop": ("append", "append")}
"""Kinds of writes whose text need not wait any longer once this one waits behind them."""
_OUTDATED = {"put": ("put", "merge"), **_SUPERSEDED}
"""Kinds of refused writes that must not be tried again once this one was made."""
_SET_ASIDE = f"""
INSERT INTO refused (place, queued, reason, {_WRITE}) SELECT place, queued, ?, {_WRITE} FROM writes WHERE place = ?
"""
_COUNTED = """
SELECT kind, key, sum(CASE kind WHEN 'append' THEN 1 ELSE CAST(text AS INTEGER) END)
FROM writes WHERE kind IN ('append', 'add') GROUP BY kind, key
"""


class Queued(NamedTuple):
    """A write that waits."""

    place: int
    write: Write


class Refused(NamedTuple):
    """A write that the server refused for good."""

    place: int
    queued: float
    """Unix time in seconds."""
    reason: str
    write: Write


class Outbox:
    """The waiting writes, oldest first, and those that were refused for good.

    Open it with `await Outbox.open(path)`; one caller at a time changes it.
    """

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

    async def add_merges(self, writes: Sequence[Write], now: float) -> None:
        """Store merges behind the others, all or none; they are on disk when this returns."""
        rows = json.dumps([(now, *write) for write in writes])
        fields = ", ".join(f"json_extract(value, '$[{i}]')" for i in range(1 + len(Write._fields)))
        await self._run(
            f"INSERT INTO writes (queued, {_WRITE}) SELECT {fields} FROM json_each(?) ORDER BY key", (rows,)
        )

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

    async def set_aside(self, place: int, reason: str) -> None:
        """Move a write to those that were refused for good."""
        await self._run("BEGIN IMMEDIATE")
        try:
            await self._run(_SET_ASIDE, (reason, place))
            await self._run("DELETE FROM writes WHERE place = ?", (place,))
        finally:
            await self._run("COMMIT")

    async def refused(self) -> list[Refused]:
        """Return the writes that were refused for good, oldest first."""
        rows = await self._run(f"SELECT place, queued, reason, {_WRITE} FROM refused ORDER BY place")
        return [Refused(place, queued, reason, Write(*fields)) for place, queued, reason, *fields in rows]

    async def count_refused(self) -> int:
        """Return how many writes were refused for good."""
        return int((await self._run("SELECT count(*) FROM refused"))[0][0])

    async def notes(self) -> list[str]:
        """Return in words for the operator that writes were refused for good; nothing where none was."""
        count = await self.count_refused()
        note = f"{count} write(s) were refused for good and lie aside: see `understudy memory refused`"
        return [note] if count else []

    async def drop_refused(self, place: int | None = None) -> None:
        """Delete one refused write for good, or all of them."""
        await self._run("DELETE FROM refused WHERE ? IS NULL OR place = ?", (place, place))
        await self._empty_write_ahead_log()

    async def outdate(self, write: Write) -> None:
        """Delete the refused writes that would undo this one, or that hold text which it has deleted."""
        if kinds := _OUTDATED.get(write.kind):
            await self._run("DELETE FROM refused WHERE key = ? AND kind IN (?, ?)", (write.key, *kinds))
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


async def left_in(path: Path) -> list[str]:
    """Return in words for the operator that writes wait in an outbox which nobody delivers; nothing where none does."""
    if not await asyncio.to_thread(path.exists):
        return []
    outbox = await Outbox.open(path)
    try:
        count = await outbox.count() + await outbox.count_refused()
    finally:
        await outbox.close()
    note = (
        f"{count} write(s) for Redis wait in {path}, and no Redis is configured: set UNDERSTUDY_REDIS_URL again to "
        "have them delivered, or delete the file to give them up"
    )
    return [note] if count else []
