from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from understudy.durable.database import Database, open_database
from understudy.durable.fence_rows import Holder
from understudy.durable.workers import Workers


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    async with open_database(tmp_path, None) as opened:
        yield opened


class Clock:
    def __init__(self) -> None:
        self.time = 1_000_000.0

    def __call__(self) -> float:
        return self.time


async def test_a_worker_that_falls_silent_is_taken_over_once(database: Database) -> None:
    clock = Clock()
    one, other = (Workers(database, Holder.of(home), clock, silence=15.0) for home in ("a", "b"))
    await one.beat()
    await other.beat()
    assert [each.id for each in await one.living()] == ["a", "b"]
    assert await other.gone() == []
    clock.time += 16
    await other.beat()
    [silent] = await other.gone()
    assert silent.id == "a"
    await other.bury(silent)
    assert await other.gone() == []
    assert [each.id for each in await one.living()] == ["b"]


async def test_one_that_says_a_word_meanwhile_is_not_buried(database: Database) -> None:
    clock = Clock()
    one, other = (Workers(database, Holder.of(home), clock) for home in ("a", "b"))
    await one.beat()
    clock.time += 60
    [silent] = await other.gone()
    await one.beat()
    await other.bury(silent)
    assert [each.id for each in await other.living()] == ["a"]


async def test_one_that_leaves_is_gone_at_once_but_not_for_its_successor(database: Database) -> None:
    clock = Clock()
    one, other = Workers(database, Holder.of("a"), clock), Workers(database, Holder.of("b"), clock)
    await one.beat()
    await one.leave()
    assert [each.id for each in await other.gone()] == ["a"]
    again = Workers(database, Holder.of("a"), clock)
    await again.beat()
    await one.leave()  # what an earlier process says late does not end its successor
    assert await other.gone() == []


async def test_a_clock_that_is_set_back_hides_no_silence(database: Database) -> None:
    clock = Clock()
    one, other = Workers(database, Holder.of("a"), clock), Workers(database, Holder.of("b"), clock)
    await one.beat()
    clock.time -= 86_400
    assert [each.id for each in await other.gone()] == ["a"]
