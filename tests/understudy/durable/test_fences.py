import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from domain.errors import RunFenced, StorageAway
from tests.postgres import new_database
from understudy.durable.database import Database, open_database
from understudy.durable.fence_rows import FENCES, Holder
from understudy.durable.fences import Fences, ThreadBusy

THREAD = "default:t"


class Clock:
    """Stands still until a test moves it."""

    def __init__(self) -> None:
        self.time = 1_000_000.0

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["sqlite", "postgresql"])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    async with AsyncExitStack() as stack:
        url: SecretStr | None = stack.enter_context(new_database()) if request.param == "postgresql" else None
        yield await stack.enter_async_context(open_database(tmp_path, url))


@pytest.fixture
def process(database: Database, clock: Clock) -> Callable[..., Fences]:
    """Makes the fences of a process, by its data folder."""

    def made(home: str, *, ttl: float = 60.0) -> Fences:
        return Fences(database, Holder.of(home), clock, ttl=ttl)

    return made


Process = Callable[..., Fences]


async def lapse(database: Database) -> None:
    """Let the time of every fence be over, by whatever clock."""
    await database.write(lambda connection: connection.execute(sa.update(FENCES).values(until=1.0)))


async def test_the_token_grows_each_time_and_a_fence_given_back_is_free(process: Process) -> None:
    one, other = process("a"), process("b")
    for fences, token in ((one, 1), (one, 2), (other, 3)):
        async with fences.held(THREAD) as fence:
            assert fence.token == fences.token_of(THREAD) == token
        assert fences.token_of(THREAD) is None


async def test_of_many_who_take_a_fence_at_once_one_gets_it(process: Process) -> None:
    found = await asyncio.gather(*(process(f"home{n}").take(THREAD) for n in range(20)), return_exceptions=True)
    assert sum(isinstance(each, ThreadBusy) for each in found) == 19


async def test_a_living_fence_cannot_be_taken_and_a_lapsed_one_can(process: Process, database: Database) -> None:
    one, other = process("a"), process("b")
    await one.take(THREAD)
    assert not await other.is_free(THREAD)
    with pytest.raises(ThreadBusy, match="thread 't' is busy"):
        await other.take(THREAD)
    await lapse(database)
    assert [(each.thread, each.token) for each in await other.lapsed()] == [(THREAD, 1)]
    assert (await other.take(THREAD)).token == 2


async def test_whoever_lost_a_fence_is_refused_for_good(process: Process, database: Database) -> None:
    one, other = process("a", ttl=0.0), process("b")
    await one.take(THREAD)
    await lapse(database)
    await other.take(THREAD)
    for _ in range(2):
        with pytest.raises(RunFenced, match="by another process by now"):
            await one.check(THREAD)
    with pytest.raises(RunFenced):
        await one.confirm(THREAD)
    await other.check(THREAD)


async def test_a_fence_that_lapsed_and_was_not_taken_is_renewed(process: Process, database: Database) -> None:
    one, other = process("a", ttl=0.0), process("b")
    await one.take(THREAD)
    await lapse(database)
    await one.check(THREAD)
    await one.confirm(THREAD)
    assert one.token_of(THREAD) == 1
    assert await other.is_free(THREAD)  # its time is none at all


async def test_the_next_process_of_a_data_folder_takes_over_at_once(process: Process) -> None:
    dead, next_one, elsewhere = process("a"), process("a"), process("b")
    await dead.take(THREAD)
    assert [each.token for each in await next_one.lapsed()] == [1]
    assert await elsewhere.lapsed() == []
    assert (await next_one.take(THREAD)).token == 2


async def test_a_fence_is_renewed_for_as_long_as_it_is_held(process: Process, database: Database, clock: Clock) -> None:
    one = process("a", ttl=0.15)
    renewing = asyncio.create_task(one.renew_for_ever())
    fence = await one.take(THREAD)
    first = await until(database)
    async with asyncio.timeout(30):
        while await until(database) == first:  # each look takes a moment, and the clock moves
            clock.time += 1.0
    await one.give_back(fence)
    renewing.cancel()


async def until(database: Database) -> float:
    return float(await database.read(lambda c: c.execute(sa.select(FENCES.c.until)).scalar_one()))


async def test_a_clock_that_is_set_back_keeps_no_fence_alive(database: Database, process: Process) -> None:
    one, other = process("a"), process("b")
    await one.take(THREAD)
    await database.write(lambda c: c.execute(sa.update(FENCES).values(until=FENCES.c.until + 86_400.0)))
    tomorrow = await until(database)
    with pytest.raises(ThreadBusy):
        await other.take(THREAD)
    assert await until(database) < tomorrow - 86_000
    await lapse(database)
    assert (await other.take(THREAD)).token == 2


async def test_a_thread_of_somebody_else_is_none_of_our_business(process: Process) -> None:
    await process("a").check("default:never taken")
    await process("a").confirm("default:never taken")


async def test_what_admits_nobody_takes_nothing(database: Database, clock: Clock) -> None:
    async def refuse() -> None:
        raise StorageAway("the records are away")

    with pytest.raises(StorageAway, match="records"):
        await Fences(database, Holder.of("a"), clock, admit=refuse).take(THREAD)
    assert await database.read(lambda c: c.execute(sa.select(sa.func.count()).select_from(FENCES)).scalar_one()) == 0


async def test_a_forgotten_thread_leaves_nothing_and_its_namesake_is_safe(process: Process, database: Database) -> None:
    paused, one = process("a", ttl=0.0), process("b")
    await paused.take(THREAD)
    await lapse(database)
    await one.take(THREAD)
    await one.forget(THREAD)
    fence = await one.take(THREAD)
    assert fence.token == 1  # the same number as the paused process has
    with pytest.raises(RunFenced):
        await paused.confirm(THREAD)
