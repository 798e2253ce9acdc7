"""Analysis without a model: a question becomes one query, and its rows become sentences, a table and the SQL."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from agents.contracts import Assignment
from agents.rules.evidence import Figures
from agents.rules.findings import caption, findings, number
from agents.rules.queries import sql_for
from agents.rules.questions import Question, asks_for_figures, fit, understood
from agents.rules.shapes import MAX_CATEGORIES, Shape, identifier, shape_of
from agents.rules.toolwork import materials, use
from agents.tools.registry import ToolOutput
from domain.outcomes import Source

MAX_TABLES = 12
"""Tables that are looked at for one question."""
_CHECKED = 5.0
"""Fit from which a question surely is about a table; see `questions.fit`."""


class Analysis(NamedTuple):
    """What the tables answer."""

    figures: Figures | None
    gaps: list[str]
    sources: list[Source]
    confidence: float


class _Candidate(NamedTuple):
    """A table with what may be named of it."""

    shape: Shape
    values: Mapping[str, Sequence[str]]
    fit: float


async def analysed(request: Assignment) -> Analysis:
    """Answer the goal from the table that fits it best, or say why no table does."""
    candidates = [await _candidate(request, name) for name in materials(request, "table")[:MAX_TABLES]]
    best = max(candidates, key=lambda c: c.fit, default=None)
    if best is None:
        return _nothing("There are no tables to compute from.")
    if best.fit < 1 or not (asks_for_figures(request.goal) or best.fit >= 2):
        names = ", ".join(c.shape.table for c in candidates)
        return _nothing(
            f"No question of number about the tables at hand ({names}) was recognised, so nothing was computed."
        )
    if not best.shape.measures and not best.shape.dimensions:
        return _nothing(f"The table {best.shape.table} has no column to compute with.")
    question = understood(request.goal, best.shape, best.values)
    output = await use(request, "query_tables", sql=sql_for(question))
    return _answered(question, best, output)


def _nothing(reason: str) -> Analysis:
    return Analysis(None, [reason], [], 0.1)


async def _candidate(request: Assignment, name: str) -> _Candidate:
    shape = shape_of((await use(request, "describe_table", name=name)).data)
    values = {column.name: await _values(request, shape, column.name) for column in shape.dimensions}
    return _Candidate(shape, values, fit(request.goal, shape, values))


async def _values(request: Assignment, shape: Shape, name: str) -> list[str]:
    """Return the values of a dimension; the description shows only the first few."""
    column = next(c for c in shape.dimensions if c.name == name)
    if column.distinct <= len(column.examples):
        return [str(value) for value in column.examples]
    sql = f"SELECT DISTINCT {column.sql} FROM {identifier(shape.table)} ORDER BY 1 LIMIT {MAX_CATEGORIES}"
    output = await use(request, "query_tables", sql=sql)
    return [str(row[0]) for row in output.data["rows"] if row[0] is not None]


def _answered(question: Question, table: _Candidate, output: ToolOutput) -> Analysis:
    columns, rows = output.data["columns"], output.data["rows"]
    said = findings(question, [dict(zip(columns, row, strict=True)) for row in rows])
    gaps = [f"{gap[:1].upper()}{gap[1:]}." for gap in question.gaps]
    if not said:
        return Analysis(None, [*gaps, "The query found no rows that answer this."], list(output.sources), 0.15)
    figures = Figures(
        sentences=(*gaps, *said),
        caption=caption(question),
        measure=question.measure.name if question.measure and question.operation != "count" else "",
        columns=tuple(columns),
        rows=tuple(tuple(row) for row in rows),
        sql=output.data["sql"],
        table=question.shape.table,
    )
    sure = 0.65 if table.fit >= _CHECKED else 0.5
    return Analysis(figures, [], list(output.sources), round(sure - 0.15 * bool(gaps), 2))


def shown(value: Any, column: str) -> str:
    """Return a cell as a reader wants it: years as they are, other figures with separators."""
    if value is None:
        return "–"
    return str(value) if column in ("period", "year") else number(value)
