"""The tables of a folder: what they hold, and the two tools that describe and query them."""

import asyncio
import difflib
import re
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from agents.tools.cells import json_safe, markdown_table
from agents.tools.database import TABLE_SUFFIXES, Answer, Database, quoted, reserved_words
from agents.tools.folders import Found, Shown, everything, scan
from agents.tools.registry import Tool, ToolOutput
from domain.errors import QueryNotAllowed, ToolError, ToolRefused
from domain.outcomes import Source

MAX_BYTES = 200_000_000
MAX_ROWS = 200
QUERY_SECONDS = 10.0
MAX_EXAMPLES = 8
MAX_COLUMNS = 100
"""Columns that are looked into; what lies beyond can be queried but is not described."""
SUMMARY_CHARS = 1500


@dataclass(frozen=True)
class Column:
    """A column as it was when its table was loaded."""

    name: str
    type: str
    distinct: int
    min: Any
    max: Any
    examples: list[Any]
    """The first few different values, in order."""

    def summary(self) -> str:
        """Return name, type and what a query may select by: the values of a category, the range of years or days."""
        return f"{self.name} ({self.type}{self._values()})"

    def _values(self) -> str:
        if not self.distinct:
            return ""
        if self.type == "VARCHAR" and self.distinct <= MAX_EXAMPLES:
            return f": {', '.join(str(value)[:40] for value in self.examples)}"
        if self.type == "DATE":
            return f" {self.min} to {self.max}"
        # Whole numbers that lie close together are years or numbers of things; others are measured.
        if "INT" in self.type and isinstance(self.min, int) and self.max - self.min < 2 * self.distinct:
            return f" {self.min}-{self.max}"
        return ""


@dataclass(frozen=True)
class Table:
    """A table as it was when loaded."""

    name: str
    file: str
    """Below the folder."""
    rows: int = 0
    columns: tuple[Column, ...] = ()
    problem: str = ""
    """Why it cannot be queried; empty when it can."""

    def summary(self) -> str:
        """Return row count and columns in one line."""
        line = f"{self.rows} rows: " + ", ".join(column.summary() for column in self.columns)
        return line if len(line) <= SUMMARY_CHARS else line[: SUMMARY_CHARS - 1] + "…"


class Tables:
    """The tables of a folder, loaded on first use and again whenever a file has changed.

    Safe for threads; every method blocks, so call it off the event loop.
    """

    def __init__(self, folder: Path, shown: Shown = everything, *, query_seconds: float = QUERY_SECONDS) -> None:
        """Set up the tables of a folder; files that are not `shown` do not exist here, but for the numbers in names."""
        self._folder, self._shown = folder, shown
        self._seconds = query_seconds
        self._lock = threading.Lock()
        self._files: list[Found] | None = None
        self._names = dict[str, Found]()
        self._problems = dict[str, str]()
        self._tables: list[Table] | None = None
        """Described when somebody wants to know: a query does not."""
        self._database: Database | None = None

    def all(self) -> list[Table]:
        """Return every table by name, those that cannot be loaded included."""
        with self._lock:
            database = self._refresh()
            if self._tables is None:
                told = ((name, file.name, self._problems.get(name, "")) for name, file in self._names.items())
                self._tables = [_described(database, *each) for each in told]
            return list(self._tables)

    def get(self, name: str) -> Table:
        """Return a table that can be queried, or raise a `ToolError` naming near ones."""
        tables = {table.name: table for table in self.all()}
        if name not in tables:
            near = difflib.get_close_matches(name.lower(), tables, n=3, cutoff=0.3) or sorted(tables)[:20]
            msg = f"there is no table {name!r}; there are {', '.join(near) or 'none'}"
            raise QueryNotAllowed(msg)
        if problem := tables[name].problem:
            msg = f"table {name!r} cannot be queried: {problem}"
            raise ToolRefused(msg)
        return tables[name]

    def query(self, sql: str) -> Answer:
        """Run one SELECT; see `Database.query`. A refusal tells which tables and columns there are."""
        with self._lock:
            database = self._refresh()
        try:
            return database.query(sql, limit=MAX_ROWS, seconds=self._seconds)
        except QueryNotAllowed as error:
            tables = self.all()
            msg = f"{_broken(tables, sql) or error}. {_inventory(tables)}"
            raise QueryNotAllowed(msg) from error

    def close(self) -> None:
        """Forget everything loaded."""
        with self._lock:
            if self._database:
                self._database.close()
            self._files, self._tables, self._database = None, None, None

    def _refresh(self) -> Database:
        """Bring the database up to date with the folder: a locked one cannot take new files, so it is made anew."""
        files = [file for file in scan(self._folder) if file.suffix in TABLE_SUFFIXES]
        if self._database is None or files != self._files:
            # Running queries still hold the old database, which goes when the last of them ends.
            names = {name: file for name, file in _names(files).items() if self._shown(file)}
            refused = {name: _refusal(file) for name, file in names.items()}
            self._database = Database({name: file.path for name, file in names.items() if not refused[name]})
            self._problems = {name: why for name, why in refused.items() if why} | self._database.problems
            self._names, self._tables, self._files = names, None, files
        return self._database


def _broken(tables: Iterable[Table], sql: str) -> str:
    """Return why the tables of a query that are there cannot be queried."""
    named = {word.lower() for word in re.findall(r"\w+", sql)}
    found = [table for table in tables if table.problem and table.name in named]
    return "; ".join(f"table {t.name!r} (file {t.file}) cannot be queried: {t.problem}" for t in found)


def _inventory(tables: Iterable[Table]) -> str:
    usable = [table for table in tables if not table.problem]
    shown = "; ".join(f"{table.name}({', '.join(c.name for c in table.columns)})" for table in usable)
    return f"Tables: {shown[:600]}" if shown else "There are no tables"


def _refusal(file: Found) -> str:
    size = file.stamp[1]
    if file.problem or 0 < size <= MAX_BYTES:
        return file.problem
    if not size:
        return "it is empty"
    return f"it has {size / 1e6:,.0f} MB; at most {MAX_BYTES / 1e6:,.0f} MB are loaded"


def _names(files: Iterable[Found]) -> dict[str, Found]:
    """Give each file a table name that needs no quotes: its stem in lower case, numbered where two are alike."""
    names, reserved = dict[str, Found](), reserved_words()
    for file in files:
        stem = re.sub(r"\W+", "_", Path(file.name).stem.lower(), flags=re.ASCII).strip("_") or "table"
        base = f"t_{stem}" if stem[0].isdigit() or stem in reserved else stem
        numbered = (base if n == 1 else f"{base}_{n}" for n in range(1, len(names) + 2))
        names[next(name for name in numbered if name not in names)] = file
    return names


def _described(database: Database, name: str, file: str, problem: str) -> Table:
    if problem:
        return Table(name, file, problem=problem)
    try:
        rows = _one(database, f"SELECT count(*) FROM {quoted(name)}")[0]
        listed = database.query(f"DESCRIBE {quoted(name)}", limit=MAX_COLUMNS, seconds=QUERY_SECONDS).rows
        columns = tuple(_column(database, name, str(column), str(kind)) for column, kind, *_ in listed)
    except ToolError as error:
        return Table(name, file, problem=str(error))
    return Table(name, file, rows, columns)


def _column(database: Database, table: str, column: str, kind: str) -> Column:
    field, source = quoted(column), quoted(table)
    distinct, low, high = _one(database, f"SELECT count(DISTINCT {field}), min({field}), max({field}) FROM {source}")
    examples = database.query(
        f"SELECT DISTINCT {field} FROM {source} WHERE {field} IS NOT NULL ORDER BY {field}",
        limit=MAX_EXAMPLES,
        seconds=QUERY_SECONDS,
    ).rows
    return Column(column, kind, distinct, json_safe(low), json_safe(high), [json_safe(row[0]) for row in examples])


def _one(database: Database, sql: str) -> tuple[Any, ...]:
    return database.query(sql, limit=1, seconds=QUERY_SECONDS).rows[0]


class DescribeArguments(BaseModel):
    """Arguments of `describe_table`."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=200, description="Table name as listed.")


class QueryArguments(BaseModel):
    """Arguments of `query_tables`."""

    model_config = ConfigDict(extra="forbid")

    sql: str = Field(
        min_length=1,
        max_length=20_000,
        description="One SELECT statement in DuckDB's SQL over the listed tables.",
    )


def table_tools(tables: Tables) -> list[Tool]:
    """Return `describe_table` and `query_tables` over these tables."""

    async def describe(arguments: DescribeArguments) -> ToolOutput:
        return _description(await asyncio.to_thread(tables.get, arguments.name))

    async def query(arguments: QueryArguments) -> ToolOutput:
        return _result(arguments.sql, await asyncio.to_thread(tables.query, arguments.sql))

    return [
        Tool(
            "describe_table",
            "Show a table's columns with their types, ranges and examples. Use it before the first query of a table.",
            DescribeArguments,
            describe,
            effect="read",
        ),
        Tool(
            "query_tables",
            "Answer a question about figures with one SQL query; nothing can be changed. Let the query filter, sum and "
            f"divide rather than fetching many rows: at most {MAX_ROWS} come back.",
            QueryArguments,
            query,
            effect="read",
        ),
    ]


def _description(table: Table) -> ToolOutput:
    columns = [
        {"name": c.name, "type": c.type, "distinct": c.distinct, "min": c.min, "max": c.max, "examples": c.examples}
        for c in table.columns
    ]
    listed = [[c.name, c.type, c.distinct, c.min, c.max, ", ".join(map(str, c.examples))] for c in table.columns]
    shown = markdown_table(["column", "type", "distinct", "min", "max", "examples"], listed)
    text = f"{table.name} (file {table.file}): {table.rows} rows\n\n{shown}"
    source = Source(name=table.name, locator="columns")
    return ToolOutput(text, {"table": table.name, "rows": table.rows, "columns": columns}, (source,))


def _result(sql: str, answer: Answer) -> ToolOutput:
    rows = [[json_safe(value) for value in row] for row in answer.rows]
    text = markdown_table(answer.columns, rows) if rows else "No row fits."
    if answer.truncated:
        text += f"\n\nOnly the first {len(rows)} rows are shown; there are more."
    data = {"columns": answer.columns, "rows": rows, "sql": sql, "truncated": answer.truncated}
    return ToolOutput(text, data, tuple(Source(name=name, locator=sql) for name in answer.tables))
