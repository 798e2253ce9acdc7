"""Reindexing: a workspace's vectors made anew from its records, in batches, and resumed where it was broken off."""

import asyncio
from collections.abc import Callable

from memory.index import ChromaIndex
from memory.records import Records
from memory.tasks import TaskMemory
from memory.workspaces import checked_workspace

BATCH = 256
Progress = Callable[[int, int], None]
"""Takes how many tasks are done, and of how many."""


async def reindex(records: Records, tasks: TaskMemory, index: ChromaIndex, workspace: str, progress: Progress) -> int:
    """Encode every task anew and return how many there are. The index can be asked all the while.

    How far it came is noted with each batch, so that after a break the next call goes on from there.
    """
    note = f"memory:reindex:{checked_workspace(workspace)}"
    found = sorted(await tasks.list(workspace), key=lambda record: record.id)
    reached = await records.get(note) or {}
    after = reached["after"] if reached.get("encoder") == index.encoder.id else ""
    waiting = [record for record in found if record.id > after]
    progress(len(found) - len(waiting), len(found))
    for start in range(0, len(waiting), BATCH):
        batch = waiting[start : start + BATCH]
        vectors = await asyncio.to_thread(index.encoder.encode, [record.goal for record in batch])
        await index.add(workspace, [record.id for record in batch], vectors)
        await records.put(note, {"encoder": index.encoder.id, "after": batch[-1].id})
        progress(len(found) - len(waiting) + start + len(batch), len(found))
    indexed = await index.ids(workspace)
    await index.delete(workspace, sorted(indexed - {record.id for record in await tasks.list(workspace)}))
    await records.delete(note)
    return len(found)
