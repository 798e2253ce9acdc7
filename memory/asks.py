"""Vectors of what remembered goals ask for, apart from their topics; see `memory.lexical.ask_of`."""

import asyncio
from collections.abc import Sequence

import numpy as np
from cachetools import LRUCache

from memory.encoders import Vectors
from memory.index import ChromaIndex, Hit
from memory.lexical import ask_of

_KEPT = 4096
"""Asks whose vectors are kept; they are few, since many goals ask for the same of different topics."""


class Asks:
    """Finds the vector of each hit's ask: the index's own where the goal is all ask, else encoded once and kept."""

    def __init__(self, index: ChromaIndex) -> None:
        self._index = index
        self._known: LRUCache[str, Vectors] = LRUCache(_KEPT)

    async def of(self, workspace: str, hits: Sequence[Hit], goals: Sequence[str]) -> Vectors:
        """Return the vectors of the hits' asks, shape [hits, dimension].

        Args:
            workspace: Whose index.
            hits: In the index.
            goals: Of the hits.

        Raises:
            IndexDamaged: The index has no vector of a hit.
            EncoderAway: An ask that is not known cannot be encoded now.
        """
        asks = [ask_of(goal) for goal in goals]
        whole = [hit for hit, ask, goal in zip(hits, asks, goals, strict=True) if ask == goal]
        stored = await self._stored(workspace, whole)
        encoded = await self._encoded({ask for ask, goal in zip(asks, goals, strict=True) if ask != goal})
        rows = [stored[hit.id] if hit.id in stored else encoded[ask] for hit, ask in zip(hits, asks, strict=True)]
        return np.array(rows, np.float32).reshape(len(hits), self._index.encoder.dimension)

    async def _stored(self, workspace: str, hits: Sequence[Hit]) -> dict[str, Vectors]:
        unread = [hit.id for hit in hits if hit.vector is None]
        found = {hit.id: hit.vector for hit in hits if hit.vector is not None}
        if unread:
            found |= zip(unread, await self._index.vectors(workspace, unread), strict=True)
        return found

    async def _encoded(self, asks: set[str]) -> dict[str, Vectors]:
        found = {ask: self._known[ask] for ask in asks if ask in self._known}
        new = sorted(asks - found.keys())
        fresh = dict(zip(new, await asyncio.to_thread(self._index.encoder.encode, new), strict=True)) if new else {}
        self._known.update(fresh)
        return found | fresh
