"""Contexts handed from agent to agent: transformed for the pair, and remembered by content."""

import hashlib
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from cachetools import TTLCache

from agents.transformers import Context, Transformers
from domain.errors import InvalidArguments, TransformFailed

MAX_BYTES = 100_000_000
TTL_SECONDS = 30 * 60.0
PRUNE_SECONDS = 5 * 60.0


@dataclass(frozen=True)
class CacheStatus:
    """How the cache does."""

    hits: int
    misses: int
    entries: int
    bytes: int

    @property
    def hit_rate(self) -> float:
        """Share of the lookups that were answered from the cache; 0 before the first."""
        return self.hits / max(self.hits + self.misses, 1)


class ContextCache:
    """Transforms contexts through registered transformers and keeps the results, least recently used out first.

    Entries are keyed by content, so a changed context is never answered with an old result, and kept as JSON bytes,
    so their size is known and nobody's later change reaches into the cache. Safe to use from several threads and
    tasks; two that ask for the same new context at once may both transform it.
    """

    def __init__(
        self,
        *,
        max_bytes: int = MAX_BYTES,
        ttl: float = TTL_SECONDS,
        prune_every: float = PRUNE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Start empty.

        Args:
            max_bytes: Size of all results together.
            ttl: Seconds after which a result is no longer used.
            prune_every: Seconds after which the next call removes what has expired.
            clock: Returns seconds that never go back.
        """
        self._entries: TTLCache[str, bytes] = TTLCache(max_bytes, ttl, timer=clock, getsizeof=len)
        self._max_bytes, self._prune_every, self._clock = max_bytes, prune_every, clock
        self._pruned = clock()
        self._hits = self._misses = 0
        self._lock = threading.Lock()

    def transform(
        self, transformers: Transformers, workspace: str, source: str, target: str, context: Context
    ) -> Context:
        """Return the context as the target gets it; workspaces share no entries.

        Raises:
            InvalidArguments: The context is not JSON.
            TransformFailed: The transformer could not do it; nothing is kept.
        """
        pair = transformers.closest(source, target)
        if pair is None:
            return context
        # By the pair that is registered: what anyone gets from one agent is made once for all of them.
        key = hashlib.sha256(_canonical([transformers.version, workspace, *pair, context])).hexdigest()
        known = self._found(key)
        if known is not None:
            return dict(json.loads(known))
        made = _made(transformers, source, target, context)
        if len(made) <= self._max_bytes:
            with self._lock:
                self._entries[key] = made
        return dict(json.loads(made))

    def status(self) -> CacheStatus:
        """Return hits, misses and size."""
        with self._lock:
            return CacheStatus(self._hits, self._misses, len(self._entries), int(self._entries.currsize))

    def clear(self) -> None:
        """Forget every result; hits and misses go on counting."""
        with self._lock:
            self._entries.clear()

    def _found(self, key: str) -> bytes | None:
        with self._lock:
            self._prune()
            found = self._entries.get(key)
            if found is None:
                self._misses += 1
            else:
                self._hits += 1
            return found

    def _prune(self) -> None:
        if self._clock() - self._pruned >= self._prune_every:
            self._entries.expire()
            self._pruned = self._clock()


def _made(transformers: Transformers, source: str, target: str, context: Context) -> bytes:
    made = transformers.apply(source, target, context)
    try:
        return _canonical(made)
    except InvalidArguments as error:
        msg = f"the transformer from {source!r} to {target!r} gave what is not JSON"
        raise TransformFailed(msg) from error


def _canonical(value: object) -> bytes:
    """Return JSON that is equal for equal values, or raise `InvalidArguments`."""
    try:
        return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        msg = f"a context is a JSON object: {error}"
        raise InvalidArguments(msg) from error
