import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agents.resources.desk import BROKEN_AFTER, BROKEN_SECONDS, ResourceDesk
from agents.resources.offers import Offer, Seen
from domain.errors import ResourceBusy
from domain.plans import Step
from domain.resources import Resource
from memory.leases import Leases
from memory.sqlite import SqliteRecords

STEP = Step(id="write", agent="writer", task="Write it.")
WANTED = frozenset({"writer"})


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def desk(tmp_path: Path, clock: Clock) -> AsyncIterator[ResourceDesk]:
    records = await SqliteRecords.open(tmp_path / "r.sqlite")
    team = [
        Resource(name="here", kind="model", uses="openai:small", serves=("writer",), placement="local"),
        Resource(name="cloud", kind="model", uses="openai:large", serves=("writer",)),
    ]
    yield ResourceDesk(team, records, Leases(records), clock=clock)
    await records.close()


async def offers(desk: ResourceDesk) -> list[Offer]:
    return list((await desk.offers("acme", STEP, WANTED)).ranked)


async def test_the_best_that_is_free_is_taken_and_given_back(desk: ResourceDesk) -> None:
    ranked = await offers(desk)
    async with desk.reserved(ranked, "a", 0) as first, desk.reserved(ranked, "b", 0) as second:
        assert (first.resource.name, second.resource.name) == ("here", "cloud")
        with pytest.raises(ResourceBusy, match="here, cloud"):
            async with desk.reserved(ranked, "c", 0):
                pass
    async with desk.reserved(ranked, "c", 0) as third:
        assert third.resource.name == "here"


async def test_who_waits_gets_the_place_that_comes_free(desk: ResourceDesk) -> None:
    ranked = (await offers(desk))[:1]
    order: list[str] = []

    async def work(holder: str) -> None:
        async with desk.reserved(ranked, holder, 10):
            order.append(f"{holder} in")
            await asyncio.sleep(0)
            order.append(f"{holder} out")

    await asyncio.gather(work("a"), work("b"))
    assert [line.split()[1] for line in order] == ["in", "out", "in", "out"]


async def test_one_that_has_failed_is_not_asked_again(desk: ResourceDesk) -> None:
    ranked = await offers(desk)
    async with desk.reserved(ranked, "a", 0, without={"here"}) as offer:
        assert offer.resource.name == "cloud"
    with pytest.raises(ResourceBusy, match="has failed"):
        async with desk.reserved(ranked, "a", 0, without={"here", "cloud"}):
            pass


async def test_failures_in_a_row_make_it_last_for_a_while(desk: ResourceDesk, clock: Clock) -> None:
    for _ in range(BROKEN_AFTER):
        await desk.note("acme", "here", done=False, seconds=1.0)
    assert [o.resource.name for o in await offers(desk)] == ["cloud", "here"]
    clock.now += BROKEN_SECONDS
    assert [o.resource.name for o in await offers(desk)] == ["here", "cloud"]


async def test_what_is_measured_stays_in_its_workspace(desk: ResourceDesk) -> None:
    await desk.note("acme", "here", done=True, seconds=2.0)
    await desk.note("acme", "here", done=False, seconds=9.0)
    assert await desk.seen("acme", "here") == Seen(2, 1, 2.0)
    assert await desk.seen("other", "here") == Seen()


async def test_an_error_inside_gives_the_place_back(desk: ResourceDesk) -> None:
    ranked = (await offers(desk))[:1]
    with pytest.raises(ZeroDivisionError):
        async with desk.reserved(ranked, "a", 0):
            _ = 1 / 0
    async with desk.reserved(ranked, "b", 0) as offer:
        assert offer.resource.name == "here"
