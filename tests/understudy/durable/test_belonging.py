from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from domain.errors import ForeignRecords
from memory.redis import RedisRecords
from memory.sqlite import SqliteRecords
from tests.postgres import new_database
from tests.redis_server import RedisServer
from understudy.durable.belonging import Belonging
from understudy.durable.database import Database, open_database


@pytest.fixture
async def shared(tmp_path: Path) -> AsyncIterator[Database]:
    with new_database() as url:
        async with open_database(tmp_path, url) as database:
            yield database


async def opened(folder: Path) -> SqliteRecords:
    return await SqliteRecords.open(folder.with_suffix(".sqlite"))


async def test_a_database_belongs_to_the_records_that_it_is_first_opened_with(shared: Database, tmp_path: Path) -> None:
    first, second = await opened(tmp_path / "a"), await opened(tmp_path / "b")
    await Belonging(shared, first).check()
    await Belonging(shared, first).check()
    with pytest.raises(ForeignRecords, match="belongs to other records") as refused:
        await Belonging(shared, second).look()
    assert "postgres@" not in str(refused.value)
    for records in (first, second):
        await records.close()


async def test_a_file_goes_with_its_data_folder(tmp_path: Path) -> None:
    first, second = await opened(tmp_path / "a"), await opened(tmp_path / "b")
    async with open_database(tmp_path, None) as database:
        await Belonging(database, first).check()
        await Belonging(database, second).check()
    for records in (first, second):
        await records.close()


async def test_records_that_are_away_are_looked_at_before_the_first_run(
    shared: Database, tmp_path: Path, redis_server: RedisServer
) -> None:
    owner = await opened(tmp_path / "a")
    await Belonging(shared, owner).check()
    other = RedisRecords.open(redis_server.url)
    redis_server.kill()
    belonging = Belonging(shared, other)
    await belonging.look()
    redis_server.start()
    with pytest.raises(ForeignRecords):
        await belonging.check()
    await other.close()
    await owner.close()
