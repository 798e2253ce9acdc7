"""What a table is made of, as far as its description tells: a time, measures, and dimensions to group by."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from agents.rules.text import stem, stems

MAX_CATEGORIES = 200
"""A text column with more different values is a label or free text, not something to group by."""
_TIME_NAME = re.compile(r"(?:^|_)(?:year|date|day|month|period|quarter|time|timestamp)s?(?:$|_)", re.IGNORECASE)
_ID_NAME = re.compile(r"(?:^|_)(?:id|key|code|zip|uuid|index|number|no|lat|lon|latitude|longitude)$", re.IGNORECASE)
_NUMERIC = re.compile(r"^(?:U?(?:TINY|SMALL|BIG|HUGE)?INT(?:EGER)?|DOUBLE|FLOAT|REAL|DECIMAL.*)$")
_NOT_ADDITIVE_TEXT = """
    price rate ratio percent percentage share average mean median score temperature temp age index rating speed
    height weight density probability per pressure humidity latitude longitude gpa mpg pct avg
"""
_NOT_ADDITIVE = frozenset(map(stem, _NOT_ADDITIVE_TEXT.split()))


@dataclass(frozen=True)
class Column:
    """A column as `describe_table` gives it."""

    name: str
    type: str
    distinct: int
    min: Any
    max: Any
    examples: tuple[Any, ...]

    @property
    def label(self) -> str:
        """The name as words."""
        return self.name.replace("_", " ").strip()

    @property
    def sql(self) -> str:
        """The name as an SQL identifier."""
        return identifier(self.name)

    @property
    def is_numeric(self) -> bool:
        """Whether it holds numbers."""
        return bool(_NUMERIC.match(self.type))

    @property
    def adds_up(self) -> bool:
        """Whether a sum of its values means something, as far as the name tells."""
        return not _NOT_ADDITIVE & set(stems(self.label))


@dataclass(frozen=True)
class Shape:
    """A table by the parts that its columns play."""

    table: str
    rows: int
    time: Column | None
    measures: tuple[Column, ...]
    dimensions: tuple[Column, ...]

    @property
    def vocabulary(self) -> set[str]:
        """The stems of the table's and its columns' names."""
        columns = [*self.measures, *self.dimensions, *([self.time] if self.time else [])]
        return {word for name in (self.table.replace("_", " "), *(c.label for c in columns)) for word in stems(name)}

    @property
    def period(self) -> str:
        """The SQL expression for a row's year."""
        assert self.time is not None
        if self.time.is_numeric:
            return self.time.sql
        return f"year({self.time.sql})" if self._is_dated else f"CAST({self.time.sql} AS INTEGER)"

    @property
    def years(self) -> tuple[int, int]:
        """First and last year of the table; (0, -1), which holds no year, without a time."""
        found = [_year(value) for value in (self.time.min, self.time.max)] if self.time else []
        return (found[0], found[1]) if len(found) == 2 else (0, -1)

    @property
    def _is_dated(self) -> bool:
        return self.time is not None and self.time.type.startswith(("DATE", "TIMESTAMP"))


def shape_of(description: Mapping[str, Any]) -> Shape:
    """Return the shape of a table from the data of `describe_table`."""
    columns = [
        Column(c["name"], str(c["type"]), c["distinct"], c["min"], c["max"], tuple(c["examples"]))
        for c in description["columns"]
    ]
    time = next(_times(columns), None)
    rest = [column for column in columns if column is not time]
    return Shape(
        table=description["table"],
        rows=description["rows"],
        time=time,
        measures=tuple(c for c in rest if c.is_numeric and not _ID_NAME.search(c.name)),
        dimensions=tuple(c for c in rest if _is_dimension(c)),
    )


def identifier(name: str) -> str:
    """Return a name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: object) -> str:
    """Return a value as an SQL literal."""
    return str(value) if isinstance(value, int | float) else "'" + str(value).replace("'", "''") + "'"


def _times(columns: Iterable[Column]) -> Iterator[Column]:
    """Yield the columns that hold years or dates, the named ones first."""
    candidates = [column for column in columns if _holds_years(column)]
    return iter(sorted(candidates, key=lambda column: not _TIME_NAME.search(column.name)))


def _holds_years(column: Column) -> bool:
    if column.type.startswith(("DATE", "TIMESTAMP")):
        return _year(column.min) > 0
    if not _TIME_NAME.search(column.name):
        return False
    return all(1500 <= _year(value) <= 2200 and len(str(value)) == 4 for value in (column.min, column.max))


def _year(value: object) -> int:
    match = re.match(r"\d{4}", str(value))
    return int(match[0]) if match else 0


def _is_dimension(column: Column) -> bool:
    return column.type in ("VARCHAR", "BOOLEAN") and 0 < column.distinct <= MAX_CATEGORIES
