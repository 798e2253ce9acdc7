"""The graph's checkpoints on SQLite, read strictly: a crafted checkpoint cannot name code to run."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiosqlite
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

from domain.errors import StorageCorrupt


@asynccontextmanager
async def open_checkpointer(path: Path) -> AsyncIterator[AsyncSqliteSaver]:
    """Open the checkpoint file, or raise `StorageCorrupt` when it is damaged."""
    async with aiosqlite.connect(path) as connection:
        saver = AsyncSqliteSaver(connection, serde=JsonPlusSerializer(allowed_msgpack_modules=None))
        try:
            await saver.setup()
        except sqlite3.DatabaseError as error:
            msg = f"{path} is damaged ({error}); move it away to start afresh: unfinished runs are lost, memory is not"
            raise StorageCorrupt(msg) from error
        yield saver
