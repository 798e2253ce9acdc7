"""Databases as releases have left them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path

import sqlalchemy as sa
from pydantic import SecretStr

from tests.postgres import new_database
from understudy.durable.database import Database, open_database

import_module("understudy.wiring")  # which makes all tables known

SCRIPT = Path(__file__).with_name("version_1.sql")
"""The tables of the first release, which had no versions."""
QUESTION = {
    "id": "q1", "workspace": "default", "thread": "t", "run": "r", "interrupt": "i", "team": "documents",
    "goal": "What grew?", "user": "ann", "requests": "[]", "digest": "d", "opened": 1.5, "status": "open", "level": 0,
    "decisions": "[]", "closed_by": "", "why": "", "applied": False,
}  # fmt: skip
WORKER = {"id": "a", "process": "p", "place": "here", "until": 1.0}


@asynccontextmanager
async def opened(kind: str, folder: Path, *, as_it_is: bool = False) -> AsyncIterator[Database]:
    """Yield a database of its own, on SQLite or PostgreSQL."""
    if kind == "sqlite":
        async with open_database(folder, None, as_it_is=as_it_is) as database:
            yield database
    else:
        with new_database() as url:
            async with open_database(folder, url, as_it_is=as_it_is) as database:
                yield database


@asynccontextmanager
async def first_release(kind: str, folder: Path) -> AsyncIterator[tuple[Database, SecretStr | None]]:
    """Yield a database of the first release with a question and a worker in it, and its URL."""
    if kind == "sqlite":
        async with open_database(folder, None, as_it_is=True) as database:
            await database.write(filled)
            yield database, None
    else:
        with new_database() as url:
            async with open_database(folder, url, as_it_is=True) as database:
                await database.write(filled)
                yield database, url


def filled(connection: sa.Connection) -> None:
    """Create the tables of the first release, and put a row into two of them, as that release does."""
    script = SCRIPT.read_text()
    if connection.dialect.name == "sqlite":
        script = script.replace("SERIAL", "INTEGER").replace("DOUBLE PRECISION", "DOUBLE")
    for statement in filter(str.strip, script.split(";")):
        connection.exec_driver_sql(statement)
    put(connection, "questions", QUESTION)
    put(connection, "workers", WORKER)


def put(connection: sa.Connection, table: str, row: dict[str, object]) -> None:
    """Insert a row, naming just these columns."""
    known = sa.table(table, *(sa.column(name) for name in row))
    connection.execute(sa.insert(known).values(row))
