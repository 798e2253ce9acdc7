"""A process that is killed in the middle of a step leaves the database as it was."""

import asyncio
import os
import signal
from pathlib import Path

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from tests.forks import Forks
from tests.understudy.migrations.databases import first_release
from understudy.durable.database import TABLES, open_database
from understudy.migrations.schema import migrate, prepare, version_of
from understudy.migrations.steps import FIRST, LATEST, STEPS, Step


def _killed(_: sa.Connection) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def killed_on_the_way(folder: str, url: str | None) -> None:
    """Make all steps, and one in which the process dies."""
    fatal = Step(LATEST + 1, "dies", _killed, _killed)

    async def migrated() -> None:
        place = SecretStr(url) if url else None
        async with open_database(Path(folder), place, as_it_is=True) as database:
            await database.write(lambda c: migrate(c, TABLES, LATEST + 1, (*STEPS, fatal)))

    asyncio.run(migrated())


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_a_kill_in_the_middle_leaves_the_version_before(kind: str, tmp_path: Path, forks: Forks) -> None:
    async with first_release(kind, tmp_path) as (database, url):
        place = url.get_secret_value() if url else None
        with forks.start(killed_on_the_way, str(tmp_path), place) as process:
            assert await asyncio.to_thread(process.wait) == -signal.SIGKILL
        assert await database.read(lambda c: version_of(c, TABLES)) == FIRST
        columns = await database.read(lambda c: {each["name"] for each in sa.inspect(c).get_columns("workers")})
        assert "knows" not in columns
        assert (await database.write(lambda c: prepare(c, TABLES))).after == LATEST
