"""The graph's checkpoints on SQLite, read strictly: a crafted checkpoint cannot name code to run.

What is large in them lies beside the file in the blob store (`understudy.folding`).
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    BaseCheckpointSaver,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
    get_checkpoint_id,
)
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.sqlite import SqliteSaver

from domain.errors import StorageCorrupt, StorageError, StorageFull
from memory.blobs import BlobStore
from understudy.folding import Folding, FoldingSerializer, digests, written_digest

T = TypeVar("T")
Guard = Callable[[str], Awaitable[None]]
"""Raises where a thread, by its name, may not be written now."""

# What sub-graphs have checkpointed stays as long as the graph's own checkpoint before it, and crowds out none of those.
_TRIM = """
DELETE FROM checkpoints WHERE thread_id = :thread AND rowid < (
    SELECT min(rowid) FROM (
        SELECT rowid FROM checkpoints WHERE thread_id = :thread AND checkpoint_ns = '' ORDER BY rowid DESC LIMIT :keep
    )
)
"""
_LATEST = """
SELECT checkpoint_id FROM checkpoints WHERE thread_id = ? AND checkpoint_ns = ? ORDER BY rowid DESC LIMIT 1
"""
_TRIM_WRITES = """
DELETE FROM writes WHERE thread_id = :thread AND (checkpoint_ns, checkpoint_id) NOT IN (
    SELECT checkpoint_ns, checkpoint_id FROM checkpoints WHERE thread_id = :thread
)
"""


class ThreadedSqliteSaver(SqliteSaver):
    """The library's SQLite saver, awaited in one thread of its own.

    The library's own asynchronous saver changes threads three times for each write; this one does once, which is half
    of what a checkpoint costs.
    """

    def __init__(
        self, connection: sqlite3.Connection, path: Path, thread: ThreadPoolExecutor, guard: Guard | None = None
    ) -> None:
        blobs = BlobStore(path.parent / "blobs")
        self._folder = FoldingSerializer(JsonPlusSerializer(allowed_msgpack_modules=None), blobs)
        super().__init__(connection, serde=self._folder)
        self._folding = Folding(self._folder)
        self._path, self._blobs = path, blobs
        self._thread = thread
        self._guard = guard

    def with_allowlist(self, extra_allowlist: Collection[tuple[str, ...]]) -> "ThreadedSqliteSaver":
        """Let the graph's own types be read, and return the saver: reading stays strict."""
        self._folder.allow(extra_allowlist)
        return self

    async def _run(self, work: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except sqlite3.DatabaseError as error:
            raise _translated(error) from error

    async def _guarded(self, config: RunnableConfig) -> None:
        if self._guard is not None:
            await self._guard(_thread_of(config))

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
        await self._guarded(config)
        return await self._run(lambda: self.put(config, checkpoint, metadata, new_versions))

    async def aput_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        """Store what a task has written so far."""
        await self._guarded(config)
        await self._run(lambda: self.put_writes(config, writes, task_id, task_path))

    def get_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """Return a checkpoint, that which was stored last where the config names none; blocks."""
        found = super().get_tuple(config if get_checkpoint_id(config) else self._latest(config))
        return self._whole(found) if found else None

    def list(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> Iterator[CheckpointTuple]:
        """Yield checkpoints, the newest first; blocks."""
        for found in super().list(config, filter=filter, before=before, limit=limit):
            yield self._whole(found)

    def put(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Store a checkpoint; blocks."""
        return super().put(config, self._folding.folded(_thread_of(config), checkpoint), metadata, new_versions)

    def put_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        """Store what a task has written so far; blocks."""
        with self._folder.folding(_thread_of(config)):
            super().put_writes(config, writes, task_id, task_path)

    def _latest(self, config: RunnableConfig) -> RunnableConfig:
        """Return a config that names the thread's latest checkpoint; by its id, a clock set back would hide it."""
        thread, namespace = _thread_of(config), config["configurable"].get("checkpoint_ns", "")
        with self.cursor(transaction=False) as cursor:
            found = cursor.execute(_LATEST, (thread, namespace)).fetchone()
        named = {"thread_id": thread, "checkpoint_ns": namespace}
        return {"configurable": named | {"checkpoint_id": found[0]}} if found else config

    def _whole(self, found: CheckpointTuple) -> CheckpointTuple:
        return found._replace(checkpoint=self._folding.unfolded(_thread_of(found.config), found.checkpoint))

    # The library's short cut for SQLite reads checkpoints as they are stored: it would miss what is folded.
    get_delta_channel_history = BaseCheckpointSaver.get_delta_channel_history

    async def trim(self, thread_id: str, keep: int, *, slack: int = 0) -> int:
        """Delete a thread's checkpoints but the newest `keep`, with the blobs that no other needs; return how many.

        The latest one, from which the thread goes on, always stays. Nothing is done before there are `slack` too many.
        """
        return await self._run(lambda: self._trim(thread_id, max(1, keep), slack))

    async def compact(self) -> None:
        """Give the space of deleted checkpoints back to the disk."""
        await self._run(self._compact)

    async def size(self) -> int:
        """Return the bytes of all workspaces' checkpoints and blobs on the disk."""
        return await self._run(self._size)

    async def adelete_thread(self, thread_id: str) -> None:
        """Delete a thread's checkpoints for good, leaving no trace of their text in the files."""
        await self._run(lambda: self._delete_for_good(thread_id))

    def _delete_for_good(self, thread_id: str) -> None:
        self.delete_thread(thread_id)
        self._blobs.drop(thread_id)
        self._folding.forget(thread_id)
        self.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # its older pages still hold the text

    def _trim(self, thread_id: str, keep: int, slack: int) -> int:
        with self.cursor(transaction=False) as cursor:
            cursor.execute("SELECT COUNT(*) FROM checkpoints WHERE thread_id = ? AND checkpoint_ns = ''", (thread_id,))
            if cursor.fetchone()[0] <= keep + slack:
                return 0
        with self.cursor() as cursor:
            deleted = cursor.execute(_TRIM, {"thread": thread_id, "keep": keep}).rowcount
            cursor.execute(_TRIM_WRITES, {"thread": thread_id})
        self._folding.forget(thread_id)
        self._blobs.sweep(thread_id, self._referred(thread_id))
        return deleted

    def _referred(self, thread_id: str) -> set[str]:
        """Return the blobs that are still referred to."""
        found: set[str] = set()
        with self.cursor(transaction=False) as cursor:
            for row in cursor.execute("SELECT type, checkpoint FROM checkpoints WHERE thread_id = ?", (thread_id,)):
                found |= digests(self.serde.loads_typed(row))
            written = cursor.execute("SELECT type, value FROM writes WHERE thread_id = ?", (thread_id,))
            found |= {digest for row in written if (digest := written_digest(*row))}
        return found

    def _size(self) -> int:
        files = [*self._path.parent.glob(f"{self._path.name}*"), *(self._path.parent / "blobs").rglob("*")]
        return sum(file.stat().st_size for file in files if file.is_file())

    def _compact(self) -> None:
        with self.cursor() as cursor:
            cursor.execute("VACUUM")
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")


@asynccontextmanager
async def open_checkpointer(path: Path, *, guard: Guard | None = None) -> AsyncIterator[ThreadedSqliteSaver]:
    """Open the checkpoint file, with the folder `blobs` beside it, or raise `StorageCorrupt` when it is damaged.

    Args:
        path: The file.
        guard: Is asked before each write whether the thread may be written.
    """
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="checkpoints") as thread:
        saver = await asyncio.get_running_loop().run_in_executor(thread, _opened, path, thread, guard)
        try:
            yield saver
        finally:
            await asyncio.get_running_loop().run_in_executor(thread, saver.conn.close)


def _opened(path: Path, thread: ThreadPoolExecutor, guard: Guard | None) -> ThreadedSqliteSaver:
    connection = sqlite3.connect(path, check_same_thread=False)
    saver = ThreadedSqliteSaver(connection, path, thread, guard)
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


def _thread_of(config: RunnableConfig) -> str:
    return str(config["configurable"]["thread_id"])
