"""Leases: places on a resource, taken for a time, so that workers that share the records never overbook it.

A lease that is not given back, because its worker died, ends by itself (Gray and Cheriton, 1989). Whoever works longer
than a lease lasts renews it.
"""

import time
from collections.abc import Callable

from domain.errors import StorageBusy
from memory.records import Records, Value

TTL_SECONDS = 60.0
"""A lease ends this long after it was taken or renewed."""
_TRIES = 50


class Leases:
    """Who has which places on which resources; resources are shared by all workspaces of a data folder."""

    def __init__(self, records: Records, *, clock: Callable[[], float] = time.time, ttl: float = TTL_SECONDS) -> None:
        self._records, self._clock, self.ttl = records, clock, ttl

    async def take(self, resource: str, holder: str, capacity: int) -> bool:
        """Take a place, or renew the one that `holder` has; return False where all places are taken.

        Raises:
            StorageBusy: Too many others change the leases at this moment.
        """

        def taken(held: dict[str, float], now: float) -> dict[str, float] | None:
            if holder not in held and len(held) >= capacity:
                return None
            return held | {holder: now + self.ttl}

        return await self._changed(resource, taken)

    async def give_back(self, resource: str, holder: str) -> None:
        """Free the holder's place; without one nothing changes."""
        await self._changed(resource, lambda held, _: {k: v for k, v in held.items() if k != holder})

    async def taken(self, resource: str) -> int:
        """Return how many places are taken now."""
        return len(self._living(await self._records.get(_key(resource))))

    async def _changed(
        self, resource: str, change: Callable[[dict[str, float], float], dict[str, float] | None]
    ) -> bool:
        key = _key(resource)
        for _ in range(_TRIES):
            present = await self._records.get(key)
            held = self._living(present)
            wanted = change(held, self._clock())
            after = {"held": held if wanted is None else wanted}
            if after == present or await self._records.compare_and_set(key, present, after, ttl=self.ttl * 2):
                return wanted is not None
        msg = f"the leases of {resource!r} are changed by too many at once"
        raise StorageBusy(msg)

    def _living(self, value: Value | None) -> dict[str, float]:
        """Return the leases that have not ended; none lasts longer from now on, though the clock was set back."""
        now = self._clock()
        held = (value or {"held": {}})["held"]
        return {holder: min(until, now + self.ttl) for holder, until in held.items() if until > now}


def _key(resource: str) -> str:
    return f"lease:{resource}"
