"""Opening the database of what waits."""

import asyncio
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from domain.errors import StorageFull
from tests.postgres import new_database
from understudy.durable.database import SHORT_TRANSACTIONS, open_database
from understudy.durable.questions import QUESTIONS


async def test_workers_that_start_at_once_on_a_new_database_all_open_it(tmp_path: Path) -> None:
    with new_database() as url:

        async def tables() -> list[str]:
            async with open_database(tmp_path, url) as database:
                return await database.read(lambda connection: sa.inspect(connection).get_table_names())

        found = await asyncio.gather(*(tables() for _ in range(8)))
    assert all(QUESTIONS.name in names for names in found)


async def test_a_disk_without_space_is_called_so_and_nothing_of_the_transaction_stays(tmp_path: Path) -> None:
    def much(connection: sa.Connection) -> None:
        connection.exec_driver_sql("PRAGMA max_page_count = 60")
        connection.exec_driver_sql("CREATE TABLE big (text TEXT)")
        for _ in range(100):
            connection.exec_driver_sql("INSERT INTO big VALUES (zeroblob(100000))")

    async with open_database(tmp_path, None) as database:
        with pytest.raises(StorageFull, match="no space is left"):
            await database.write(much)
        assert await database.write(lambda c: sa.inspect(c).has_table("big")) is False


async def test_a_process_that_is_paused_in_a_transaction_does_not_keep_its_locks(tmp_path: Path) -> None:
    with new_database() as url:
        async with open_database(tmp_path, url) as database:
            with psycopg.connect(url.get_secret_value(), options=SHORT_TRANSACTIONS) as paused:
                paused.execute(f"LOCK TABLE {QUESTIONS.name}")
                await database.write(lambda c: c.execute(sa.delete(QUESTIONS)))
                with pytest.raises(psycopg.errors.IdleInTransactionSessionTimeout):
                    paused.execute("SELECT 1")
