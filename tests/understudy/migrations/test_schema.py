"""A database of an earlier release is taken over, and can be led back by one version."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from domain.errors import InvalidSettings, SchemaInUse, SchemaTooNew
from tests.understudy.migrations.databases import QUESTION, WORKER, first_release, opened, put
from understudy.durable.database import TABLES, open_database
from understudy.durable.fence_rows import Holder
from understudy.durable.questions import QUESTIONS
from understudy.durable.workers import Workers
from understudy.migrations.schema import Moved, migrate, prepare, version_of
from understudy.migrations.steps import FIRST, LATEST, STEPS, Step, adding

KINDS = pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
NEXT = (*STEPS, Step(LATEST + 1, "questions have a colour", *adding("questions", "colour", "TEXT NOT NULL DEFAULT ''")))


def shape(connection: sa.Connection) -> dict[str, Any]:
    """What tables have, whatever the order."""
    looked = sa.inspect(connection)
    return {
        table: (
            {c["name"]: (str(c["type"]), c["nullable"], str(c["default"])) for c in looked.get_columns(table)},
            {i["name"]: (i["column_names"], i["unique"]) for i in looked.get_indexes(table)},
        )
        for table in looked.get_table_names()
    }


def rows(connection: sa.Connection) -> list[tuple[Any, ...]]:
    found = connection.exec_driver_sql("SELECT id, goal, opened, status, applied FROM questions").all()
    return [tuple(each) for each in found]


KEPT = [("q1", "What grew?", 1.5, "open", 0)]


@KINDS
async def test_a_new_database_has_the_newest_version(kind: str, tmp_path: Path) -> None:
    async with opened(kind, tmp_path) as database:
        assert await database.read(lambda c: version_of(c, TABLES)) == LATEST


@KINDS
async def test_a_database_without_a_version_becomes_just_what_a_new_one_is(kind: str, tmp_path: Path) -> None:
    async with first_release(kind, tmp_path) as (database, _):
        moved = await database.write(lambda c: prepare(c, TABLES))
        assert moved == Moved(FIRST, LATEST, tuple(step.title for step in STEPS))
        grown, kept = await database.read(shape), await database.read(rows)
    new = tmp_path / "new"
    new.mkdir()
    async with opened(kind, new) as database:
        assert grown == await database.read(shape)
    assert kept == KEPT


@KINDS
async def test_up_down_and_up_again_keep_what_is_stored(kind: str, tmp_path: Path) -> None:
    async with first_release(kind, tmp_path) as (database, _):
        before = (await database.read(shape))["workers"]
        for to in (LATEST, FIRST, LATEST):
            assert (await database.write(lambda c, to=to: migrate(c, TABLES, to))).after == to  # type: ignore[misc]
            assert await database.read(rows) == KEPT
            assert await database.read(lambda c: version_of(c, TABLES)) == to
            if to == FIRST:
                assert (await database.read(shape))["workers"] == before


@KINDS
async def test_the_earlier_release_works_on_what_the_next_has_widened(kind: str, tmp_path: Path) -> None:
    async with opened(kind, tmp_path) as database:
        await database.write(lambda c: put(c, "workers", WORKER))  # as the first release does
        await database.write(lambda c: prepare(c, TABLES, NEXT))
        again = await database.write(lambda c: prepare(c, TABLES))
        assert again == Moved(LATEST + 1, LATEST + 1, ())
        await database.write(lambda c: put(c, "questions", QUESTION))
        worker = Workers(database, Holder.of("b"), lambda: 5.0)
        await worker.beat()
        assert (await database.read(lambda c: c.execute(sa.select(QUESTIONS)).one())).goal == "What grew?"


@KINDS
async def test_a_database_of_the_release_after_the_next_is_refused_and_stays(kind: str, tmp_path: Path) -> None:
    later = (*NEXT, Step(LATEST + 2, "nothing", lambda _: None, lambda _: None))
    async with opened(kind, tmp_path) as database:
        await database.write(lambda c: prepare(c, TABLES, later))
        with pytest.raises(SchemaTooNew, match=f"version {LATEST + 2}, and this release knows {LATEST}"):
            await database.write(lambda c: prepare(c, TABLES))
        assert await database.read(lambda c: version_of(c, TABLES, later)) == LATEST + 2


async def test_only_the_later_release_leads_its_database_back(tmp_path: Path) -> None:
    async with opened("sqlite", tmp_path) as database:
        await database.write(lambda c: prepare(c, TABLES, NEXT))
        with pytest.raises(SchemaTooNew):
            await database.write(lambda c: migrate(c, TABLES, FIRST))
        assert (await database.write(lambda c: migrate(c, TABLES, LATEST, NEXT))).steps == ("questions have a colour",)
        assert await database.write(lambda c: prepare(c, TABLES)) == Moved(LATEST, LATEST, ())


@pytest.mark.parametrize("to", [0, -1, LATEST + 1, 10**9])
async def test_a_version_that_nobody_knows_is_refused(to: int, tmp_path: Path) -> None:
    async with opened("sqlite", tmp_path) as database:
        with pytest.raises(InvalidSettings, match="is not known"):
            await database.write(lambda c: migrate(c, TABLES, to))


@KINDS
async def test_what_a_living_worker_needs_is_not_taken_away(kind: str, tmp_path: Path) -> None:
    async with opened(kind, tmp_path) as database:
        worker = Workers(database, Holder.of("a"), lambda: 4e9)
        await worker.beat()
        with pytest.raises(SchemaInUse, match="stop it first"):
            await database.write(lambda c: migrate(c, TABLES, FIRST))
        await worker.beat()
        await worker.leave()
        assert (await database.write(lambda c: migrate(c, TABLES, FIRST))).after == FIRST


async def test_two_versions_are_not_passed_at_once_while_an_early_worker_lives(tmp_path: Path) -> None:
    async with first_release("sqlite", tmp_path) as (database, _):
        living = {**WORKER, "id": "b", "until": 4e9}
        await database.write(lambda c: put(c, "workers", living))
        with pytest.raises(SchemaInUse):
            await database.write(lambda c: prepare(c, TABLES, NEXT))
        assert await database.read(lambda c: version_of(c, TABLES, NEXT)) == FIRST
        assert (await database.write(lambda c: prepare(c, TABLES))).after == LATEST


@KINDS
async def test_processes_that_start_at_once_on_an_old_database_all_open_it(kind: str, tmp_path: Path) -> None:
    async with first_release(kind, tmp_path) as (database, url):

        async def start() -> int:
            async with open_database(tmp_path, url) as mine:
                return await mine.read(lambda c: version_of(c, TABLES))

        assert await asyncio.gather(*(start() for _ in range(6))) == [LATEST] * 6
        assert await database.read(rows) == KEPT
