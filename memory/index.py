"""The vector index of task memory in Chroma: ids and embeddings only, one collection per workspace and encoder.

Records are the truth. The index holds no text, so nothing in it has to be forgotten, and it can be thrown away and
filled again at any time.
"""

import asyncio
import hashlib
import re
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast

import numpy as np

from domain.errors import StorageAway, StorageError
from memory.chroma import Chroma, ChromaFolder, IndexDamaged
from memory.encoders import Encoder, Vectors
from memory.workspaces import checked_workspace

if TYPE_CHECKING:
    from chromadb.api.models.Collection import Collection

__all__ = ["ChromaIndex", "Hit", "IndexDamaged"]

T = TypeVar("T")

_BATCH = 1000
_FOUND = 32
"""Vectors that a sound index finds where it has as many."""


class Hit(NamedTuple):
    """A stored vector near the query."""

    id: str
    similarity: float
    """Cosine, -1 to 1."""
    vector: Vectors | None = None
    """As it is stored, shape [dimension], where it was read."""


class ChromaIndex:
    """Vectors by workspace. Open it with `await ChromaIndex.open(folder_or_server, encoder)`.

    Every call runs in one thread of its own: the event loop is never blocked and Chroma is never entered twice. A
    server that is away makes a call raise `StorageAway`; the next one tries again.
    """

    def __init__(self, chroma: Chroma, encoder: Encoder, owner: Callable[[], Awaitable[str]] | None) -> None:
        self.encoder = encoder
        self._chroma = chroma
        self._find_owner = owner
        self._owner: str | None = None if owner else ""
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="chroma")
        self._collections: dict[str, Collection] = {}
        self._open = False

    @classmethod
    async def open(
        cls, where: Path | Chroma, encoder: Encoder, *, owner: Callable[[], Awaitable[str]] | None = None
    ) -> "ChromaIndex":
        """Open the index; one that cannot be read is replaced by an empty one, and a server may be away.

        Args:
            where: A folder that nobody else uses, or a server.
            encoder: Makes the vectors.
            owner: Returns the name of the records that the index belongs to, for a server that others use too:
                processes with the same records share collections, all others have their own.
        """
        index = cls(ChromaFolder(where) if isinstance(where, Path) else where, encoder, owner)
        try:
            await index._call(index._connect)
        except IndexDamaged:
            await index.renew()
        except StorageAway:
            pass  # whoever needs it is told
        except BaseException:
            await index.close()
            raise
        return index

    async def degraded(self) -> list[str]:
        """Return what does not work as it should, in words for the operator."""
        try:
            await self._call(self._check)
        except StorageError as error:
            return [str(error)]
        return []

    async def add(self, workspace: str, ids: Sequence[str], vectors: Vectors) -> None:
        """Add vectors, shape [ids, dimension]; an id that is there gets the new vector."""

        def work(part: slice) -> None:
            self._collection(workspace).upsert(ids=list(ids[part]), embeddings=vectors[part])

        for start in range(0, len(ids), _BATCH):  # apart, so that queries need not wait for all of them
            await self._call(partial(work, slice(start, start + _BATCH)))

    async def query(
        self, workspace: str, vector: Vectors, limit: int, *, among: Sequence[str] | None = None
    ) -> list[Hit]:
        """Return the `limit` vectors nearest to `vector` (shape [dimension]), nearest first.

        Args:
            workspace: Whose vectors.
            vector: What they are compared with.
            limit: How many.
            among: Ids that alone count, some of which may be unknown; several times slower than a query among all.

        Raises:
            IndexDamaged: It cannot be read, or answers with fewer vectors than it counts.
        """

        def work() -> list[Hit]:
            collection = self._collection(workspace)
            if among is not None:
                return _among(collection, vector, limit, among)
            hits = _nearest(collection, vector, limit)
            # Chroma answers with too few, without an error, when files of a segment are gone; of many vectors at equal
            # distance its graph may miss some. Counting takes longer the more there are, so it comes last, and again:
            # another process may have just deleted some.
            due = min(limit, _FOUND)
            if len(hits) < due and len(hits) < min(due, collection.count(), collection.count()):
                msg = f"the index in {self._chroma.place} has lost vectors"
                raise IndexDamaged(msg)
            return hits

        return await self._call(work) if limit and (among is None or among) else []

    async def ids(self, workspace: str) -> set[str]:
        """Return all ids of a workspace."""
        return await self._call(lambda: set(self._collection(workspace).get(include=[])["ids"]))

    async def vectors(self, workspace: str, ids: Sequence[str]) -> Vectors:
        """Return the vectors of ids that are there, shape [ids, dimension].

        Raises:
            IndexDamaged: It cannot be read, or one is missing.
        """

        def work(part: Sequence[str]) -> dict[str, Any]:
            answer = self._collection(workspace).get(list(part), include=["embeddings"])
            return dict(zip(answer["ids"], cast(Vectors, answer["embeddings"]), strict=True))

        found: dict[str, Any] = {}
        for start in range(0, len(ids), _BATCH):  # apart, so that queries need not wait for all of them
            found |= await self._call(partial(work, ids[start : start + _BATCH]))
        if len(found) < len(set(ids)):
            msg = f"the index in {self._chroma.place} has lost vectors"
            raise IndexDamaged(msg)
        return np.array([found[i] for i in ids], np.float32).reshape(len(ids), self.encoder.dimension)

    async def count(self, workspace: str) -> int:
        """Return how many vectors a workspace has."""
        return await self._call(lambda: self._collection(workspace).count())

    async def delete(self, workspace: str, ids: Sequence[str]) -> None:
        """Delete vectors; unknown ids change nothing."""
        if ids:
            await self._call(lambda: self._collection(workspace).delete(ids=list(ids)) and None)

    async def forget(self, workspace: str, ids: Sequence[str]) -> None:
        """Delete vectors for good, also those that other encoders made."""

        def work() -> None:
            self._connect()
            for collection in self._chroma.beginning(f"{self._space(workspace)}-"):
                collection.delete(ids=list(ids))
            self._chroma.purge()

        if ids:
            await self._call(work)

    async def renew(self) -> None:
        """Throw away what is damaged and begin with an empty index."""

        def work() -> None:
            held = list(self._collections.values())
            self._collections.clear()
            self._chroma.begin_anew(held)
            self._open = True

        await self._call(work)

    async def close(self) -> None:
        """Release the files or connections; a second call changes nothing."""
        if self._open:
            await self._call(self._disconnect)
        self._thread.shutdown(wait=False)

    async def _call(self, work: Callable[[], T]) -> T:
        if self._owner is None and self._find_owner:
            self._owner = await self._find_owner()
        return await asyncio.get_running_loop().run_in_executor(self._thread, lambda: self._translated(work))

    def _translated(self, work: Callable[[], T]) -> T:
        try:
            return work()
        except StorageAway:
            self._disconnect()
            raise
        except self._chroma.foreign as error:
            failure = self._chroma.translated(error)
            if isinstance(failure, StorageAway):
                self._disconnect()  # its collections may be others when it is back, and its name lead elsewhere
            raise failure from error

    def _connect(self) -> None:
        if not self._open:
            self._chroma.connect()
            self._open = True

    def _check(self) -> None:
        self._connect()
        self._chroma.ping()

    def _disconnect(self) -> None:
        self._collections.clear()
        self._chroma.disconnect()
        self._open = False

    def _collection(self, workspace: str) -> "Collection":
        if workspace not in self._collections:
            self._connect()
            self._collections[workspace] = self._chroma.collection(self._name(workspace))
        return self._collections[workspace]

    def _space(self, workspace: str) -> str:
        """Return how the names of a workspace's collections begin, which any encoder may have made."""
        digest = hashlib.sha256(checked_workspace(workspace).encode()).hexdigest()[:24]
        return f"tasks-{self._owner}-{digest}" if self._owner else f"tasks-{digest}"

    def _name(self, workspace: str) -> str:
        """Return a name Chroma accepts for any workspace; another encoder or dimension means another collection."""
        model = re.sub(r"[^a-z0-9]+", "-", self.encoder.id.lower()).strip("-")
        return f"{self._space(workspace)}-{model}-{self.encoder.dimension}"


def _nearest(collection: "Collection", vector: Vectors, limit: int, ids: Sequence[str] | None = None) -> list[Hit]:
    found: Any = collection.query(
        query_embeddings=vector.tolist(),
        n_results=limit,
        ids=None if ids is None else list(ids),
        include=["distances", "embeddings"],
    )
    rows = zip(found["ids"][0], found["distances"][0], found["embeddings"][0], strict=True)
    return [Hit(i, max(-1.0, min(1.0, 1 - d)), np.asarray(v, np.float32)) for i, d, v in rows]


def _among(collection: "Collection", vector: Vectors, limit: int, ids: Sequence[str]) -> list[Hit]:
    """Return the nearest of some ids; Chroma answers with an error where one of them is unknown."""
    from chromadb.errors import ChromaError

    try:
        return _nearest(collection, vector, limit, ids)
    except ChromaError:
        known = collection.get(list(ids), include=[])["ids"]
        return _nearest(collection, vector, limit, known) if known else []
