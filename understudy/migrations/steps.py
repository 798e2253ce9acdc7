"""The steps between versions of the database's schema, and what they are made of.

Tables that are new need no step: they are created where they are missing. A step changes tables that are there.

A step only widens (expand): a column with a default, an index, a table beside another. What an earlier release reads
and writes goes on to work, since during a rolling restart processes of two releases work on one database. What nobody
uses any more is dropped by a step of the release after that (contract). Each step may find its work done already: the
tables of a new database are created in their newest shape.
"""

from collections.abc import Callable
from typing import NamedTuple

import sqlalchemy as sa

Change = Callable[[sa.Connection], None]


class Step(NamedTuple):
    """From one version to the next, and back."""

    version: int
    """That it leads to."""
    title: str
    up: Change
    down: Change


def adding(table: str, column: str, declaration: str) -> tuple[Change, Change]:
    """Return what adds a column to a table, and what takes it away.

    Args:
        table: Its name.
        column: Its name.
        declaration: Type, and the default that rows of the earlier release get.
    """

    def up(connection: sa.Connection) -> None:
        if (found := columns_of(connection, table)) and column not in found:
            connection.exec_driver_sql(f"ALTER TABLE {table} ADD COLUMN {column} {declaration}")

    def down(connection: sa.Connection) -> None:
        if column in columns_of(connection, table):
            connection.exec_driver_sql(f"ALTER TABLE {table} DROP COLUMN {column}")

    return up, down


def columns_of(connection: sa.Connection, table: str) -> set[str]:
    """Return the names of a table's columns, none where there is no such table."""
    looked = sa.inspect(connection)
    return {each["name"] for each in looked.get_columns(table)} if looked.has_table(table) else set()


STEPS = (Step(2, "workers say which schema they know", *adding("workers", "knows", "INTEGER NOT NULL DEFAULT 1")),)
"""All of them, in order."""
FIRST = 1
"""Version of a database that does not say which it has."""
LATEST = STEPS[-1].version
"""Version that this release knows."""
