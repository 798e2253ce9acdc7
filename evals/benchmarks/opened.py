"""The shipped task memory, opened for a benchmark."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from memory.encoders import Encoder
from memory.index import ChromaIndex
from memory.sqlite import SqliteRecords
from memory.tasks import TaskMemory


@asynccontextmanager
async def opened(folder: Path, encode: Encoder) -> AsyncIterator[TaskMemory]:
    """Open a memory on SQLite and Chroma in a folder; what it is learning is finished before it is closed."""
    records = await SqliteRecords.open(folder / "records.sqlite")
    index = await ChromaIndex.open(folder / "chroma", encode)
    tasks = TaskMemory(records, index)
    try:
        yield tasks
    finally:
        await tasks.close()
        await index.close()
        await records.close()
