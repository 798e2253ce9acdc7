"""How often a context that was handed over had been made before: of this process, and of all before it."""

from pydantic import BaseModel, ConfigDict, computed_field

from agents.context_cache import ContextCache
from memory.records import Records

_HITS, _MISSES = "contexts:hits", "contexts:misses"


class ContextUse(BaseModel):
    """What the context cache has done in this data folder."""

    model_config = ConfigDict(extra="forbid")

    hits: int
    misses: int
    entries: int
    """Kept now, in this process; so are the bytes."""
    bytes: int

    @computed_field  # type: ignore[prop-decorator]  # mypy knows no decorated properties
    @property
    def hit_rate(self) -> float:
        """Share of the contexts that were answered from the cache, 0-1; 0 before the first."""
        return self.hits / max(self.hits + self.misses, 1)


async def context_use(records: Records, cache: ContextCache) -> ContextUse:
    """Return the use of the cache, with what earlier processes have kept of theirs."""
    now = cache.status()
    hits, misses = await records.add(_HITS, 0), await records.add(_MISSES, 0)
    return ContextUse(hits=now.hits + hits, misses=now.misses + misses, entries=now.entries, bytes=now.bytes)


async def keep_context_use(records: Records, cache: ContextCache) -> None:
    """Add this process's hits and misses to those of the earlier ones; called once, at its end."""
    now = cache.status()
    if now.hits + now.misses:
        await records.add(_HITS, now.hits)
        await records.add(_MISSES, now.misses)
