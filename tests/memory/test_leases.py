import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from memory.leases import Leases
from memory.records import Records
from memory.sqlite import SqliteRecords


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def records(tmp_path: Path, clock: Clock) -> AsyncIterator[Records]:
    opened = await SqliteRecords.open(tmp_path / "r.sqlite", clock=clock)
    yield opened
    await opened.close()


async def test_no_more_places_are_given_than_there_are(records: Records, clock: Clock) -> None:
    workers = [Leases(records, clock=clock) for _ in range(3)]
    asked = [workers[i % 3].take("printer", f"worker-{i}", 2) for i in range(9)]
    assert sorted(await asyncio.gather(*asked)) == [False] * 7 + [True] * 2
    assert await workers[0].taken("printer") == 2


async def test_a_place_that_is_given_back_can_be_taken(records: Records, clock: Clock) -> None:
    leases = Leases(records, clock=clock)
    assert await leases.take("printer", "a", 1)
    assert not await leases.take("printer", "b", 1)
    await leases.give_back("printer", "b")
    assert not await leases.take("printer", "b", 1)
    await leases.give_back("printer", "a")
    assert await leases.take("printer", "b", 1)


async def test_the_place_of_a_dead_worker_comes_free_and_a_living_one_renews(records: Records, clock: Clock) -> None:
    leases = Leases(records, clock=clock, ttl=60)
    await leases.take("printer", "dead", 2)
    await leases.take("printer", "alive", 2)
    clock.now += 40
    assert await leases.take("printer", "alive", 2)
    clock.now += 20
    assert await leases.taken("printer") == 1
    assert await leases.take("printer", "next", 2)
    assert not await leases.take("printer", "one too many", 2)


async def test_a_dead_worker_keeps_no_place_for_long_though_the_clock_was_set_back(
    records: Records, clock: Clock
) -> None:
    clock.now = 100_000.0
    leases = Leases(records, clock=clock, ttl=60)
    await leases.take("printer", "dead", 1)
    clock.now = 10_000.0
    assert not await leases.take("printer", "next", 1)
    clock.now += 60
    assert await leases.take("printer", "next", 1)
