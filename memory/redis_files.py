"""Redis's own files: what was deleted stands in them until they are rewritten. This asks for that and waits."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from domain.errors import StorageAway, StorageError

REWRITE_SECONDS = 30.0
"""How long to wait for the end of a rewriting."""
_POLL_SECONDS = 0.02
_BUSY = ("aof_rewrite_in_progress", "aof_rewrite_scheduled", "rdb_bgsave_in_progress")
_NOT_ASKED = "deleted text stands in its files until they are rewritten (BGREWRITEAOF, BGSAVE)"

Ask = Callable[..., Awaitable[Any]]
"""Sends a command and returns the answer; raises `StorageError`."""


async def purged(ask: Ask, seconds: float) -> str:
    """Have the append-only file and the snapshot rewritten without what was deleted, where there are any.

    Returns:
        What could not be done, in words; empty where nothing.

    Raises:
        StorageAway: The server cannot be reached.
    """
    limit = time.monotonic() + seconds
    try:
        files = await _information(ask)
        snapshots = await _has_snapshots(ask, files)
        told = await _rewritten(ask, "BGREWRITEAOF", "aof_last_bgrewrite_status", limit) if files["aof_enabled"] else ""
        if snapshots and not told:
            told = await _rewritten(ask, "BGSAVE", "rdb_last_bgsave_status", limit)
        return told
    except StorageAway:
        raise
    except StorageError as error:
        return f"{error}; {_NOT_ASKED}"


async def _rewritten(ask: Ask, command: str, status: str, limit: float) -> str:
    """Begin a rewriting once nothing else is being written, and wait for its end."""
    idle = await _idle(ask, limit)  # one that is under way may have begun before the text was deleted
    if not idle and time.monotonic() < limit:
        return f"the server is still busy with its files; {_NOT_ASKED}"
    await ask(command)
    if not await _idle(ask, limit):
        return f"{command} was asked for; until it ends, deleted text stands in the server's files"
    ended = (await _information(ask))[status]
    return "" if ended == "ok" else f"{command} failed; look at the server's disk: {_NOT_ASKED}"


async def _idle(ask: Ask, limit: float) -> bool:
    while True:
        found = await _information(ask)
        if not any(found[name] for name in _BUSY):
            return True
        if time.monotonic() >= limit:
            return False
        await asyncio.sleep(_POLL_SECONDS)


async def _information(ask: Ask) -> dict[str, Any]:
    found: dict[str, Any] = await ask("INFO", "persistence")
    return found


async def _has_snapshots(ask: Ask, files: dict[str, Any]) -> bool:
    """Return whether the server writes snapshots: by its configuration or, where that is secret, by what it did."""
    try:
        answer = await ask("CONFIG GET", "save")
    except StorageAway:
        raise
    except StorageError:
        answer = {}
    return bool(answer.get("save")) or bool(files.get("rdb_saves"))
