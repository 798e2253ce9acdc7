"""A DuckDB database in memory that holds copies of table files and can do nothing but answer queries.

What keeps a query harmless, from the inside out: the files are copied in first, then access to anything outside is
switched off and the configuration locked; every statement must be one SELECT (WITH, FROM, VALUES, DESCRIBE, SUMMARIZE
and SHOW are forms of it); it may call only the table functions that make rows out of its own values, because others
read addresses or change settings; it runs in a read-only transaction, because `WITH x AS (INSERT ...) SELECT` is a
SELECT too; a timer interrupts it.
"""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from domain.errors import QueryNotAllowed, ToolError, ToolTimeout

MEMORY = "1GB"
"""For the tables and the work of queries together."""
LOAD_SECONDS = 60.0

_READERS: Mapping[str, str] = {
    ".csv": "read_csv(?, sample_size = -1)",
    ".tsv": "read_csv(?, sample_size = -1)",
    ".parquet": "read_parquet(?)",
    ".json": "read_json(?)",
    ".jsonl": "read_json(?)",
    ".ndjson": "read_json(?)",
}
TABLE_SUFFIXES = frozenset(_READERS)
_TABLE_FUNCTIONS = frozenset({"range", "generate_series", "unnest", "json_each", "json_tree", "repeat"})


class Answer(NamedTuple):
    """What a query returned, as Python values."""

    columns: list[str]
    rows: list[tuple[Any, ...]]
    truncated: bool
    """Whether there were more rows than asked for."""
    tables: list[str]
    """Names of the tables that the query reads."""


class Database:
    """Copies of table files; safe for threads, each query has a cursor of its own.

    `problems` says of each file that could not be loaded, why.
    """

    def __init__(self, files: Mapping[str, Path]) -> None:
        """Load the files, given by the names their tables get."""
        self.problems = dict[str, str]()
        self._connection = duckdb.connect(":memory:", config=_config())
        self.tables = [name for name, path in files.items() if self._load(name, path)]
        self._connection.execute("SET enable_external_access = false")
        self._connection.execute("SET lock_configuration = true")

    def _load(self, name: str, path: Path) -> bool:
        reader = _READERS[path.suffix.lower()]
        try:
            with _deadline(self._connection, LOAD_SECONDS):
                self._connection.execute(f"CREATE TABLE {quoted(name)} AS FROM {reader}", [_literal(path)])
        except (duckdb.Error, UnicodeError) as error:
            reason = _words(error).replace(str(path), path.name)[:200]
            self.problems[name] = f"it is not a sound {path.suffix[1:]} table: {reason}"
            return False
        return True

    def query(self, sql: str, *, limit: int, seconds: float) -> Answer:
        """Run one SELECT and return its first rows.

        Raises:
            QueryNotAllowed: It is not one SELECT, would write or reach outside, or names something unknown.
            ToolTimeout: It ran longer than `seconds`.
            ToolError: It failed on the data: a value that does not convert, too little memory.
        """
        with self._connection.cursor() as cursor, _translated(seconds):
            self._check(cursor, sql)
            with _deadline(cursor, seconds):
                return self._run(cursor, sql, limit)

    def _run(self, cursor: duckdb.DuckDBPyConnection, sql: str, limit: int) -> Answer:
        cursor.execute("BEGIN TRANSACTION READ ONLY")
        description = cursor.execute(sql).description
        columns = [str(column[0]) for column in description]
        types = [str(column[1]) for column in description]
        if any("WITH TIME ZONE" in kind for kind in types):
            cursor.execute(_zones_as_text(types, cursor.execute(_PLAIN, [sql]).fetchall()[0][0]))
        rows = cursor.fetchmany(limit + 1)
        tables = sorted({name.lower() for name in cursor.get_table_names(sql)} & set(self.tables))
        return Answer(columns, rows[:limit], len(rows) > limit, tables)

    def _check(self, cursor: duckdb.DuckDBPyConnection, sql: str) -> None:
        statements = cursor.extract_statements(sql)
        if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
            msg = "only one SELECT statement (also WITH, DESCRIBE, SUMMARIZE) may run; tables cannot be changed"
            raise QueryNotAllowed(msg)
        serialised = cursor.execute("SELECT json_serialize_sql(?)", [sql]).fetchall()[0][0]
        if foreign := sorted(set(_table_functions(serialised)) - _TABLE_FUNCTIONS):
            msg = f"the table function {foreign[0]!r} may not be called"
            raise QueryNotAllowed(msg)

    def close(self) -> None:
        """Give the memory back."""
        self._connection.close()


def quoted(name: str) -> str:
    """Return a name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


@cache
def reserved_words() -> frozenset[str]:
    """Return the words that cannot stand as a table's name without quotes."""
    with duckdb.connect(":memory:") as connection:
        rows = connection.execute(
            "SELECT keyword_name FROM duckdb_keywords() WHERE keyword_category IN ('reserved', 'type_function')"
        ).fetchall()
    return frozenset(str(row[0]) for row in rows)


def _config() -> dict[str, str | bool | int | float | list[str]]:
    return {
        "threads": 1,
        "memory_limit": MEMORY,
        "temp_directory": "",  # otherwise large work spills into a folder below the current one
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "allow_community_extensions": False,
        "python_enable_replacements": False,  # otherwise an unknown table name is looked up among Python's variables
    }


def _literal(path: Path) -> str:
    """Return a path in which nothing acts as a pattern."""
    return "".join(f"[{character}]" if character in "*?[" else character for character in str(path))


def _table_functions(serialised: str) -> Iterator[str]:
    """Yield the names of all table functions in a statement, given as `json_serialize_sql` writes it."""
    try:
        tree = json.loads(serialised)
    except RecursionError as error:
        msg = "the query is nested too deeply"
        raise QueryNotAllowed(msg) from error
    if tree["error"]:
        msg = f"the query cannot be checked and so may not run: {tree['error_message']}"
        raise QueryNotAllowed(msg)
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            if node.get("type") == "TABLE_FUNCTION":
                yield str(node["function"]["function_name"]).lower()
            waiting += node.values()
        elif isinstance(node, list):
            waiting += node


_PLAIN = "SELECT json_deserialize_sql(json_serialize_sql(?))"
"""Writes a statement anew, without comments and semicolons, so that it can stand within another."""


def _zones_as_text(types: list[str], sql: str) -> str:
    """Return the query with zoned times as text: DuckDB needs a further package to hand them to Python."""
    columns = (f"#{n}::VARCHAR" if "WITH TIME ZONE" in kind else f"#{n}" for n, kind in enumerate(types, start=1))
    return f"SELECT {', '.join(columns)} FROM ({sql})"


@contextmanager
def _deadline(connection: duckdb.DuckDBPyConnection, seconds: float) -> Iterator[None]:
    timer = threading.Timer(seconds, connection.interrupt)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


_REFUSED = (
    duckdb.ParserException, duckdb.BinderException, duckdb.CatalogException, duckdb.PermissionException,
    duckdb.TransactionException, duckdb.NotImplementedException,
)  # fmt: skip


@contextmanager
def _translated(seconds: float) -> Iterator[None]:
    """Turn DuckDB's errors into ours."""
    try:
        yield
    except duckdb.InterruptException as error:
        msg = f"the query was stopped after {seconds:g} s; make it smaller"
        raise ToolTimeout(msg) from error
    except _REFUSED as error:
        raise QueryNotAllowed(_words(error)) from error
    except (duckdb.Error, UnicodeError) as error:
        msg = f"the query failed: {_words(error)}"
        raise ToolError(msg) from error


def _words(error: Exception) -> str:
    """Return an error's message as one line, without the excerpt of the query below it."""
    return " ".join(str(error).split("\n\nLINE ")[0].split())[:400]
