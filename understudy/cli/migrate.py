"""`understudy migrate`: the schema of the database, one release forwards or back."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from understudy.cli.errors import FAILED
from understudy.cli.options import AsJson

if TYPE_CHECKING:
    from understudy.migrations.schema import Moved
    from understudy.settings import Settings

EXAMPLES = """\b
Examples:
  understudy migrate --check         exit code 0 where nothing is to be done, else 1
  understudy migrate
  understudy migrate --to 1          before an earlier release takes over again

\b
Every process migrates the database when it opens it, one after the other; this command does so before the first of
them starts. A release works on its own version and on the next one, so two releases can run side by side.
"""
_TABLES_OF = ("understudy.wiring", "understudy.identity.tables", "understudy.service.idempotency")
"""Modules whose import makes all tables known."""


class _Standing(NamedTuple):
    """How a database stands."""

    place: str
    version: int
    known: int
    workers: list[int]
    """Versions that living workers know."""


def migrate(
    to: Annotated[
        int | None, typer.Option("--to", metavar="N", help="Version to go to; else the one that this release knows.")
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Only say how the database stands.")] = False,
    as_json: AsJson = False,
) -> None:
    """Bring the database to the schema of this release, or back.

    Nothing that is stored is lost on the way up. All steps are one transaction: a crash leaves the version before.
    """
    from understudy.settings import load_settings

    settings = load_settings()
    if check:
        _check(asyncio.run(_stands(settings)), as_json)
    else:
        _tell(asyncio.run(_moved(settings, to)), as_json)


async def _stands(settings: "Settings") -> _Standing:
    from understudy.durable.database import TABLES, open_database
    from understudy.migrations.schema import known_by_workers, version_of
    from understudy.migrations.steps import LATEST

    async with open_database(_folder(settings), settings.database_url, as_it_is=True) as database:
        version = await database.read(lambda connection: version_of(connection, TABLES))
        return _Standing(database.place, version, LATEST, await database.read(known_by_workers))


async def _moved(settings: "Settings", to: int | None) -> "Moved":
    from understudy.durable.database import TABLES, open_database
    from understudy.migrations.schema import migrate as migrated

    async with open_database(_folder(settings), settings.database_url, as_it_is=True) as database:
        return await database.write(lambda connection: migrated(connection, TABLES, to))


def _folder(settings: "Settings") -> Path:
    """Return the data folder, with all tables of the product known."""
    from importlib import import_module

    from memory.home import created

    for module in _TABLES_OF:
        import_module(module)
    return created(settings.home)


def _check(found: _Standing, as_json: bool) -> None:
    if as_json:
        from understudy.cli.screen import print_json

        print_json(found._asdict())
    else:
        workers = f"; workers at work know {', '.join(map(str, found.workers))}" if found.workers else ""
        typer.echo(f"{found.place} has schema version {found.version}, this release knows {found.known}{workers}")
    if found.version != found.known:
        raise typer.Exit(FAILED)


def _tell(moved: "Moved", as_json: bool) -> None:
    if as_json:
        from understudy.cli.screen import print_json

        print_json(moved._asdict())
        return
    for title in moved.steps:
        typer.echo(f"{'made' if moved.after > moved.before else 'undone'}: {title}")
    typer.echo(f"schema version {moved.after}" + ("" if moved.steps else ", as before"))
