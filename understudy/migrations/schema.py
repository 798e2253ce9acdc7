"""Which version a database has, and how it gets to another: in one transaction, one process after the other."""

import time
from collections.abc import Sequence
from typing import NamedTuple

import sqlalchemy as sa

from domain.errors import InvalidSettings, SchemaInUse, SchemaTooNew
from understudy.migrations.steps import FIRST, STEPS, Step, columns_of

_AHEAD = 1
"""Versions that a database may be ahead of a release: during a rolling restart a later one has widened it."""
_ONLY = 1
_CREATING = 0x756E6465
"""Names the lock on the creation and change of tables in PostgreSQL."""
_VERSION = sa.Table(
    "schema_version", sa.MetaData(),
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("version", sa.Integer, nullable=False),
)  # fmt: skip


class Moved(NamedTuple):
    """How a database got from one version to another."""

    before: int
    after: int
    steps: tuple[str, ...]
    """Titles of the steps that were made, in order."""


def prepare(connection: sa.Connection, tables: sa.MetaData, steps: Sequence[Step] = STEPS) -> Moved:
    """Bring a database to the version that this release knows, and create the tables that are missing.

    Args:
        connection: In a transaction.
        tables: Those that this release knows.
        steps: That this release knows.

    Raises:
        SchemaTooNew: The database is of a release after the next.
        SchemaInUse: Workers of an earlier release than the one before this still work on it.
    """
    _locked(connection)
    before = version_of(connection, tables, steps)
    tables.create_all(connection)
    return _moved(connection, before, max(before, _latest(steps)), steps)


def migrate(connection: sa.Connection, tables: sa.MetaData, to: int | None, steps: Sequence[Step] = STEPS) -> Moved:
    """Bring a database to a version, forwards or backwards; None is the version that this release knows.

    Raises:
        InvalidSettings: This release does not know the version.
        SchemaTooNew: The database is of a later release than this, which alone knows the way back.
        SchemaInUse: Living workers need the schema as it is.
    """
    latest = _latest(steps)
    if to is not None and not FIRST <= to <= latest:
        msg = f"schema version {to} is not known; this release knows {FIRST} to {latest}"
        raise InvalidSettings(msg)
    _locked(connection)
    before = version_of(connection, tables, steps)
    if before > latest:
        raise SchemaTooNew(before, latest)
    tables.create_all(connection)
    return _moved(connection, before, latest if to is None else to, steps)


def version_of(connection: sa.Connection, tables: sa.MetaData, steps: Sequence[Step] = STEPS) -> int:
    """Return the version of a database; an empty one has the newest.

    Raises:
        SchemaTooNew: It is of a release after the next.
    """
    found, latest = set(sa.inspect(connection).get_table_names()), _latest(steps)
    said = connection.execute(sa.select(_VERSION.c.version)) if _VERSION.name in found else None
    version = said.scalar_one_or_none() if said else None
    if version is None:
        return FIRST if found & set(tables.tables) else latest
    if version > latest + _AHEAD:
        raise SchemaTooNew(version, latest)
    return int(version)


def known_by_workers(connection: sa.Connection) -> list[int]:
    """Return the versions that the living workers know, the earliest first."""
    if not (columns := columns_of(connection, "workers")):
        return []
    known = "knows" if "knows" in columns else str(FIRST)
    now = "extract(epoch FROM clock_timestamp())" if connection.dialect.name == "postgresql" else str(time.time())
    rows = connection.exec_driver_sql(f"SELECT DISTINCT {known} FROM workers WHERE until > {now}")
    return sorted(int(row[0]) for row in rows)


def _latest(steps: Sequence[Step]) -> int:
    return steps[-1].version if steps else FIRST


def _locked(connection: sa.Connection) -> None:
    """Let one process at a time create and change tables; SQLite's transaction for writing does so by itself."""
    if connection.dialect.name == "postgresql":
        # IF NOT EXISTS is no help: of two transactions that create the same table, one fails.
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_CREATING)))


def _moved(connection: sa.Connection, before: int, to: int, steps: Sequence[Step]) -> Moved:
    made = [step for step in steps if before < step.version <= to]
    unmade = [step for step in reversed(steps) if to < step.version <= before]
    if made or unmade:
        _refuse_while_needed(connection, before, to)
    for step in made:
        step.up(connection)
    for step in unmade:
        step.down(connection)
    _VERSION.metadata.create_all(connection)
    if not connection.execute(sa.update(_VERSION).values(version=to)).rowcount:
        connection.execute(sa.insert(_VERSION).values(id=_ONLY, version=to))
    return Moved(before, to, tuple(step.title for step in (*made, *unmade)))


def _refuse_while_needed(connection: sa.Connection, before: int, to: int) -> None:
    """Refuse to take away what a living worker needs: a release works on its own version and on the next one."""
    known = known_by_workers(connection)
    if known and (to < known[-1] or known[0] + _AHEAD < to):
        raise SchemaInUse(before, to, known[-1] if to < known[-1] else known[0])
