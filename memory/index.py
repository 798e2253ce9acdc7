"""The vector index of task memory in Chroma: ids and embeddings only, one collection per workspace.

Records are the truth. The index holds no text, so nothing in it has to be forgotten, and it can be thrown away and
filled again at any time.
"""

import asyncio
import hashlib
import re
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast

import numpy as np

from domain.errors import StorageCorrupt, StorageFull
from memory.encoders import Encoder, Vectors
from memory.workspaces import checked_workspace

if TYPE_CHECKING:
    from chromadb.api import ClientAPI
    from chromadb.api.models.Collection import Collection

T = TypeVar("T")

_BATCH = 1000


class Hit(NamedTuple):
    """A stored vector near the query."""

    id: str
    similarity: float
    """Cosine, -1 to 1."""


class IndexDamaged(StorageCorrupt):
    """The index cannot be read; `renew` it and add everything again."""

    code = "index_damaged"


class ChromaIndex:
    """Vectors by workspace. Open it with `await ChromaIndex.open(folder, encoder)`.

    Every call runs in one thread of its own: the event loop is never blocked and Chroma is never entered twice.
    """

    def __init__(self, folder: Path, encoder: Encoder) -> None:
        self.encoder = encoder
        self._folder = folder
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="chroma")
        self._client: ClientAPI | None = None
        self._collections: dict[str, Collection] = {}

    @classmethod
    async def open(cls, folder: Path, encoder: Encoder) -> "ChromaIndex":
        """Open the index in `folder`; one that cannot be opened is replaced by an empty one."""
        index = cls(folder, encoder)
        try:
            await index._call(index._connect)
        except IndexDamaged:
            await index.renew()
        return index

    async def add(self, workspace: str, ids: Sequence[str], vectors: Vectors) -> None:
        """Add vectors, shape [ids, dimension]; an id that is there gets the new vector."""

        def work() -> None:
            collection = self._collection(workspace)
            for start in range(0, len(ids), _BATCH):
                part = slice(start, start + _BATCH)
                collection.upsert(ids=list(ids[part]), embeddings=vectors[part])

        await self._call(work)

    async def query(self, workspace: str, vector: Vectors, limit: int) -> list[Hit]:
        """Return the `limit` vectors nearest to `vector` (shape [dimension]), nearest first.

        Raises:
            IndexDamaged: It cannot be read, or answers with fewer vectors than it counts.
        """

        def work() -> list[Hit]:
            collection = self._collection(workspace)
            wanted = min(limit, collection.count())
            if wanted == 0:
                return []
            found = collection.query(query_embeddings=vector.tolist(), n_results=wanted, include=["distances"])
            hits = [Hit(i, 1 - d) for i, d in zip(found["ids"][0], (found["distances"] or [[]])[0], strict=True)]
            if len(hits) < wanted:  # Chroma answers like this, without an error, when files of a segment are gone
                msg = f"the index in {self._folder} has lost vectors"
                raise IndexDamaged(msg)
            return hits

        return await self._call(work)

    async def ids(self, workspace: str) -> set[str]:
        """Return all ids of a workspace."""
        return await self._call(lambda: set(self._collection(workspace).get(include=[])["ids"]))

    async def vectors(self, workspace: str, ids: Sequence[str]) -> Vectors:
        """Return the vectors of ids that are there, shape [ids, dimension].

        Raises:
            IndexDamaged: It cannot be read, or one is missing.
        """

        def work() -> Vectors:
            found: dict[str, Any] = {}
            for start in range(0, len(ids), _BATCH):
                answer = self._collection(workspace).get(list(ids[start : start + _BATCH]), include=["embeddings"])
                found |= zip(answer["ids"], cast(Vectors, answer["embeddings"]), strict=True)
            if len(found) < len(ids):
                msg = f"the index in {self._folder} has lost vectors"
                raise IndexDamaged(msg)
            return np.array([found[i] for i in ids], np.float32).reshape(len(ids), self.encoder.dimension)

        return await self._call(work)

    async def count(self, workspace: str) -> int:
        """Return how many vectors a workspace has."""
        return await self._call(lambda: self._collection(workspace).count())

    async def delete(self, workspace: str, ids: Sequence[str]) -> None:
        """Delete vectors; unknown ids change nothing."""
        if ids:
            await self._call(lambda: self._collection(workspace).delete(ids=list(ids)) and None)

    async def renew(self) -> None:
        """Throw the index away and begin an empty one."""
        await self._call(self._begin_anew)

    async def close(self) -> None:
        """Release the files; a second call changes nothing."""
        if self._client is not None:
            await self._call(self._disconnect)
        self._thread.shutdown(wait=False)

    async def _call(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, lambda: self._translated(work))

    def _translated(self, work: Callable[[], T]) -> T:
        from chromadb.errors import ChromaError

        try:
            return work()
        except ChromaError as error:
            if "disk is full" in str(error):
                msg = f"no space is left on the device of {self._folder}; free some and try again"
                raise StorageFull(msg) from error
            msg = f"the index in {self._folder} is damaged: {error}"
            raise IndexDamaged(msg) from error

    def _connect(self) -> None:
        import chromadb  # 0.5 s: not for those who only want `--help`
        from chromadb.config import Settings

        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        newest = max(self._generations(), default=1)
        settings = Settings(anonymized_telemetry=False)
        self._client = chromadb.PersistentClient(path=str(self._folder / str(newest)), settings=settings)

    def _disconnect(self) -> None:
        self._collections.clear()
        if self._client is not None:
            # Without this the client stays in a process-wide registry and keeps the files open.
            self._client.close()  # type: ignore[attr-defined]  # missing in the ClientAPI protocol
            self._client = None

    def _begin_anew(self) -> None:
        # A client that failed to open stays in Chroma's registry under its path, so the path is never used again.
        self._disconnect()
        old = self._generations()
        (self._folder / str(max(old, default=0) + 1)).mkdir(mode=0o700, parents=True)
        for number in old:
            shutil.rmtree(self._folder / str(number), ignore_errors=True)
        self._connect()

    def _generations(self) -> list[int]:
        return [int(p.name) for p in self._folder.iterdir() if p.name.isdecimal()]

    def _collection(self, workspace: str) -> "Collection":
        if workspace not in self._collections:
            self._collections[workspace] = self._opened(_collection_name(workspace, self.encoder))
        return self._collections[workspace]

    def _opened(self, name: str) -> "Collection":
        """Open a collection; one that measures another distance is replaced by an empty one."""
        if self._client is None:
            msg = f"the index in {self._folder} is closed"
            raise IndexDamaged(msg)
        create = partial(
            self._client.get_or_create_collection,
            name,
            configuration={"hnsw": {"space": "cosine"}},
            embedding_function=None,
        )
        collection = create()
        if collection.configuration_json["hnsw"]["space"] != "cosine":
            self._client.delete_collection(name)
            collection = create()
        return collection


def _collection_name(workspace: str, encoder: Encoder) -> str:
    """Return a name Chroma accepts for any workspace; another encoder or dimension means another collection."""
    digest = hashlib.sha256(checked_workspace(workspace).encode()).hexdigest()[:24]
    model = re.sub(r"[^a-z0-9]+", "-", encoder.id.lower()).strip("-")
    return f"tasks-{digest}-{model}-{encoder.dimension}"
