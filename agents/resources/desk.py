"""The desk where resources are asked for: ranked offers, a reserved place while a step runs, and what was measured."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager, suppress
from typing import NamedTuple

from agents.resources.offers import Offer, Offers, Seen, offers_for
from domain.errors import ResourceBusy, StorageError
from domain.plans import Step
from domain.resources import Resource
from memory.leases import Leases
from memory.records import Merge, Records, Value
from memory.workspaces import checked_workspace

BROKEN_AFTER = 3
"""Failures in a row after which a resource is asked last."""
BROKEN_SECONDS = 60.0
"""How long it is; then one step tries it again."""
_FIRST_PAUSE, _LAST_PAUSE = 0.02, 1.0


def _added(entry: Value | None, change: Value) -> Value:
    known = entry or {"n": 0, "errors": 0, "seconds": 0.0}
    return {name: known[name] + change[name] for name in known}


SEEN = Merge("resource_seen", _added)


class _Health(NamedTuple):
    failures: int
    since: float


class ResourceDesk:
    """The resources of one team. What is measured is the workspace's own; places are shared by all."""

    def __init__(
        self,
        resources: Sequence[Resource],
        records: Records,
        leases: Leases,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.resources = tuple(resources)
        self._records, self._leases, self._clock = records, leases, clock
        self._health: dict[str, _Health] = {}

    async def offers(
        self,
        workspace: str,
        step: Step,
        wanted: frozenset[str],
        *,
        usable: Callable[[Resource], bool] = lambda _: True,
    ) -> Offers:
        """Return who could do a step, best first.

        Args:
            workspace: Whose measurements count.
            step: What is to be done.
            wanted: The names that a resource may serve it under.
            usable: Tells whether a resource is of a kind that can do it; others are neither offered nor refused.
        """
        serving = [r for r in self.resources if usable(r) and ("*" in r.serves or wanted & set(r.serves))]
        seen = {resource.name: await self.seen(workspace, resource.name) for resource in serving}
        return offers_for(step, wanted, serving, seen, self._broken())

    async def seen(self, workspace: str, resource: str) -> Seen:
        """Return what was measured of a resource; nothing while the records cannot be read."""
        with suppress(StorageError):
            if value := await self._records.get(_key(workspace, resource)):
                return Seen(**value)
        return Seen()

    @asynccontextmanager
    async def reserved(
        self, offers: Sequence[Offer], holder: str, patience: float, *, without: Collection[str] = ()
    ) -> AsyncIterator[Offer]:
        """Hold a place on the best of the offers that has one free, for the length of the block.

        Args:
            offers: Best first.
            holder: Who holds the place; the same one never holds two on a resource.
            patience: Seconds to wait for a place.
            without: Names of resources that have failed already.

        Raises:
            ResourceBusy: No place came free in time, or nothing is left to be asked.
        """
        offer = await self._taken([o for o in offers if o.resource.name not in without], holder, patience)
        renewing = asyncio.create_task(self._renewed(offer.resource, holder))
        try:
            yield offer
        finally:
            renewing.cancel()
            with suppress(asyncio.CancelledError):
                await renewing
            with suppress(StorageError):  # then it ends by itself
                await self._leases.give_back(offer.resource.name, holder)

    async def note(self, workspace: str, resource: str, *, done: bool, seconds: float) -> None:
        """Remember how a resource did at a step."""
        failures = 0 if done else self._health.get(resource, _Health(0, 0.0)).failures + 1
        self._health[resource] = _Health(failures, self._clock())
        change = {"n": 1, "errors": int(not done), "seconds": seconds if done else 0.0}
        with suppress(StorageError):  # what the step gave is worth more than the count of it
            await self._records.merge(_key(workspace, resource), change, SEEN)

    def _broken(self) -> list[str]:
        now = self._clock()
        return [n for n, h in self._health.items() if h.failures >= BROKEN_AFTER and now - h.since < BROKEN_SECONDS]

    async def _taken(self, offers: Sequence[Offer], holder: str, patience: float) -> Offer:
        until, pause = self._clock() + patience, _FIRST_PAUSE
        while offers:
            for offer in offers:
                if await self._leases.take(offer.resource.name, holder, offer.resource.capacity):
                    return offer
            if self._clock() + pause > until:
                break
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LAST_PAUSE)
        names = ", ".join(o.resource.name for o in offers)
        msg = f"no place came free within {patience:g} s on {names}" if names else "every resource for it has failed"
        raise ResourceBusy(msg)

    async def _renewed(self, resource: Resource, holder: str) -> None:
        while True:
            await asyncio.sleep(self._leases.ttl / 3)
            with suppress(StorageError):
                await self._leases.take(resource.name, holder, resource.capacity)


def _key(workspace: str, resource: str) -> str:
    return f"resource:{checked_workspace(workspace)}:{resource}"
