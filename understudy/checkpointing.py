"""The graph's checkpoints on SQLite, read strictly: a crafted checkpoint cannot name code to run."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import ChannelVersions, Checkpoint, CheckpointMetadata, CheckpointTuple
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.sqlite import SqliteSaver

from domain.errors import StorageCorrupt, StorageError, StorageFull

T = TypeVar("T")


class ThreadedSqliteSaver(SqliteSaver):
    """The library's SQLite saver, awaited in one thread of its own.

    The library's own asynchronous saver changes threads three times for each write; this one does once, which is half
    of what a checkpoint costs.
    """

    def __init__(self, connection: sqlite3.Connection, thread: ThreadPoolExecutor) -> None:
        super().__init__(connection, serde=JsonPlusSerializer(allowed_msgpack_modules=None))
        self._thread = thread

    async def _run(self, work: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except sqlite3.DatabaseError as error:
            raise _translated(error) from error

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """Return a checkpoint."""
        return await self._run(lambda: self.get_tuple(config))

    async def alist(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[CheckpointTuple]:
        """Yield checkpoints, the newest first."""
        for found in await self._run(lambda: list(self.list(config, filter=filter, before=before, limit=limit))):
            yield found

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Store a checkpoint."""
        return await self._run(lambda: self.put(config, checkpoint, metadata, new_versions))

    async def aput_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        """Store what a task has written so far."""
        await self._run(lambda: self.put_writes(config, writes, task_id, task_path))

    async def adelete_thread(self, thread_id: str) -> None:
        """Delete a thread's checkpoints for good, leaving no trace of their text in the files."""
        await self._run(lambda: self._delete_for_good(thread_id))

    def _delete_for_good(self, thread_id: str) -> None:
        self.delete_thread(thread_id)
        self.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # its older pages still hold the text


@asynccontextmanager
async def open_checkpointer(path: Path) -> AsyncIterator[ThreadedSqliteSaver]:
    """Open the checkpoint file, or raise `StorageCorrupt` when it is damaged."""
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="checkpoints") as thread:
        saver = await asyncio.get_running_loop().run_in_executor(thread, _opened, path, thread)
        try:
            yield saver
        finally:
            await asyncio.get_running_loop().run_in_executor(thread, saver.conn.close)


def _opened(path: Path, thread: ThreadPoolExecutor) -> ThreadedSqliteSaver:
    connection = sqlite3.connect(path, check_same_thread=False)
    saver = ThreadedSqliteSaver(connection, thread)
    try:
        saver.setup()
        # A killed process loses nothing; a loss of power may lose the last steps, which are then done again. What must
        # not be done twice is in the effect ledger, which waits for the disk.
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("PRAGMA secure_delete=ON")
    except sqlite3.DatabaseError as error:
        connection.close()
        raise _translated(error, path) from error
    return saver


def _translated(error: sqlite3.DatabaseError, path: Path = Path("checkpoints.sqlite")) -> StorageError:
    if "full" in str(error):
        return StorageFull("no space is left for the run's checkpoints; free some and resume the run")
    if isinstance(error, sqlite3.OperationalError):
        return StorageError(f"{path} cannot be used ({error})")
    msg = f"{path} is damaged ({error}); move it away to start afresh: unfinished runs are lost, memory is not"
    return StorageCorrupt(msg)
