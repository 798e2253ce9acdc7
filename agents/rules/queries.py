"""One SELECT for each kind of question.

Every figure that an answer states is a column of the query (changes, shares and ratios included), so that a reader can
check the sentences against the table.
"""

from collections.abc import Iterable

from agents.rules.questions import Question
from agents.rules.shapes import identifier, literal

ALL = "All"
"""The label of the row that takes every category together."""
MAX_SERIES = 6
"""Categories that are set side by side."""
LIMIT = 100


def sql_for(question: Question) -> str:
    """Return the query that answers a question."""
    match question.operation:
        case "change" if question.first != question.last:
            return _change(question)
        case "versus" | "trend" if question.first != question.last:
            return _series(question)
        case "highest" | "lowest":
            return _ranking(question)
        case "average":
            return _average(question) if question.shape.time else _mean(question)
        case "count":
            return _count(question)
        case _:
            return _total(question)


def _value(question: Question, condition: str = "") -> str:
    """Return the aggregate, over the rows that meet a condition: a sum where values add up, else a mean."""
    rows = f" FILTER (WHERE {condition})" if condition else ""
    if question.measure is None:
        return f"count(*){rows}"
    if question.adds_up:
        return f"sum({question.measure.sql}){rows}"
    return f"round(avg({question.measure.sql}){rows}, 2)"


def _where(question: Question, *, chosen: bool) -> str:
    terms = list(_terms(question, chosen=chosen))
    return f"\nWHERE {' AND '.join(terms)}" if terms else ""


def _terms(question: Question, *, chosen: bool) -> Iterable[str]:
    shape = question.shape
    for column, values in question.filters:
        yield f"{column.sql} IN ({', '.join(map(literal, values))})"
    if chosen and question.group and question.chosen:
        yield f"{question.group.sql} IN ({', '.join(map(literal, question.chosen))})"
    if shape.time and (question.first, question.last) != shape.years:
        if question.first == question.last:
            yield f"{shape.period} = {question.first}"
        else:
            yield f"{shape.period} BETWEEN {question.first} AND {question.last}"


def _label(question: Question) -> str:
    return f"CAST({question.group.sql} AS VARCHAR)" if question.group else literal(ALL)


def _group_name(question: Question) -> str:
    return identifier(question.group.name if question.group else "group")


def _only_chosen(question: Question, name: str) -> str:
    return f"\nWHERE {name} IN ({', '.join(map(literal, question.chosen))})" if question.chosen else ""


def _change(question: Question) -> str:
    """Compare the first and the last period of each category, with its share of the total where values add up."""
    name = _group_name(question)
    first, last = (identifier(str(year)) for year in (question.first, question.last))
    period = question.shape.period
    shares = (
        f",\n  round(100.0 * {first} / sum({first}) OVER (), 1) AS {identifier(f'share {question.first} %')}"
        f",\n  round(100.0 * {last} / sum({last}) OVER (), 1) AS {identifier(f'share {question.last} %')}"
        if question.adds_up and question.group
        else ""
    )
    columns = ", ".join(
        f"{_value(question, f'{period} = {year}')} AS {identifier(str(year))}"
        for year in (question.first, question.last)
    )
    total = (
        f"\nUNION ALL\nSELECT {literal(ALL)}, sum({first}), sum({last}), sum({last}) - sum({first}),"
        f" round(100.0 * (sum({last}) - sum({first})) / nullif(sum({first}), 0), 1), NULL, NULL FROM ends"
        if shares and not question.chosen
        else ""
    )
    return (
        f"WITH ends AS (\n  SELECT {_label(question)} AS {name}, {columns}\n"
        f"  FROM {identifier(question.shape.table)}{_where(question, chosen=False)}\n  GROUP BY 1\n)\n"
        f"SELECT * FROM (\nSELECT {name}, {first}, {last}, {last} - {first} AS change,\n"
        f"  round(100.0 * ({last} - {first}) / nullif({first}, 0), 1) AS {identifier('change %')}{shares}\n"
        f"FROM ends{total}\n){_only_chosen(question, name)}\n"
        f"ORDER BY {name} = {literal(ALL)}, abs(change) DESC NULLS LAST, 1\nLIMIT {LIMIT}"
    )


def _series(question: Question) -> str:
    """Set categories side by side, one row for each period."""
    shape, value = question.shape, _value(question)
    names = question.chosen[:MAX_SERIES]
    if not names or not question.group:
        return (
            f"SELECT {shape.period} AS period, {value} AS {identifier(question.named)}\n"
            f"FROM {identifier(shape.table)}{_where(question, chosen=False)}\nGROUP BY 1\nORDER BY 1\nLIMIT {LIMIT}"
        )
    columns = ", ".join(
        f"{_value(question, f'{question.group.sql} = {literal(name)}')} AS {identifier(name)}" for name in names
    )
    inner = (
        f"SELECT {shape.period} AS period, {columns}\nFROM {identifier(shape.table)}"
        f"{_where(question, chosen=True)}\nGROUP BY 1"
    )
    if len(names) != 2:
        return f"{inner}\nORDER BY 1\nLIMIT {LIMIT}"
    one, other = map(identifier, names)
    ratio = f"round(1.0 * greatest({one}, {other}) / nullif(least({one}, {other}), 0), 2)"
    return f"SELECT *, {one} - {other} AS difference, {ratio} AS ratio\nFROM (\n{inner}\n)\nORDER BY 1\nLIMIT {LIMIT}"


def _ranking(question: Question) -> str:
    """Order periods or categories by the measure."""
    shape = question.shape
    label = shape.period if question.by_period else _label(question)
    name = "period" if question.by_period else _group_name(question)
    share = "" if question.by_period or not question.adds_up else _SHARE
    direction = "DESC" if question.operation == "highest" else "ASC"
    return (
        f"SELECT {label} AS {name}, {_value(question)} AS {identifier(question.named)}"
        f"{share.replace('{value}', _value(question))}\n"
        f"FROM {identifier(shape.table)}{_where(question, chosen=question.by_period)}\n"
        f"GROUP BY 1\nORDER BY 2 {direction}, 1\nLIMIT {question.limit}"
    )


_SHARE = ', round(100.0 * {value} / sum({value}) OVER (), 1) AS "share %"'


def _average(question: Question) -> str:
    """Average over periods, of each category and of all together."""
    name, period = _group_name(question), question.shape.period
    source = f"FROM {identifier(question.shape.table)}{_where(question, chosen=True)}"
    figures = "round(avg(value), 1) AS average, min(value) AS lowest, max(value) AS highest, count(*) AS periods"
    grouped = (
        f"WITH parts AS (\n  SELECT {_label(question)} AS {name}, {period} AS period, {_value(question)} AS value\n"
        f"  {source}\n  GROUP BY ALL\n)"
    )
    each = f"SELECT {name}, {figures} FROM parts GROUP BY 1"
    if question.chosen and len(question.chosen) == 1 or not question.group or not question.adds_up:
        return f"{grouped}\n{each}\nORDER BY average DESC\nLIMIT {LIMIT}"
    return (
        f"{grouped}\nSELECT {literal(ALL)} AS {name}, {figures}\n"
        f"FROM (SELECT period, sum(value) AS value FROM parts GROUP BY 1)\n"
        f"UNION ALL\n{each}\nORDER BY {name} <> {literal(ALL)}, average DESC\nLIMIT {LIMIT}"
    )


def _mean(question: Question) -> str:
    """Average over rows, of each category, in a table without a time."""
    assert question.measure is not None
    value = question.measure.sql
    figures = (
        f"round(avg({value}), 2) AS average, min({value}) AS lowest, max({value}) AS highest, count({value}) AS rows"
    )
    return (
        f"SELECT {_label(question)} AS {_group_name(question)}, {figures}\nFROM {identifier(question.shape.table)}"
        f"{_where(question, chosen=True)}\nGROUP BY 1\nORDER BY 2 DESC, 1\nLIMIT {LIMIT}"
    )


def _total(question: Question) -> str:
    """Add up each category and all together, with shares."""
    name, value = _group_name(question), _value(question)
    source = f"FROM {identifier(question.shape.table)}{_where(question, chosen=False)}"
    if not question.group:
        return f"SELECT {literal(ALL)} AS {name}, {value} AS {identifier(question.named)}\n{source}"
    share = _SHARE.replace("{value}", value) if question.adds_up else ""
    total = f"\nUNION ALL\nSELECT {literal(ALL)}, {value}{', 100.0' if share else ''} {source}"
    return (
        f"SELECT * FROM (\nSELECT {_label(question)} AS {name}, {value} AS {identifier(question.named)}{share}\n"
        f"{source}\nGROUP BY 1{'' if question.chosen else total}\n){_only_chosen(question, name)}\n"
        f"ORDER BY {name} = {literal(ALL)}, 2 DESC, 1\nLIMIT {LIMIT}"
    )


def _count(question: Question) -> str:
    """Count the different values of the dimension and name them."""
    assert question.group is not None
    column = question.group.sql
    return (
        f"SELECT count(DISTINCT {column}) AS {identifier(question.group.label)},"
        f" string_agg(DISTINCT CAST({column} AS VARCHAR), ', ' ORDER BY CAST({column} AS VARCHAR)) AS names\n"
        f"FROM {identifier(question.shape.table)}{_where(question, chosen=False)}"
    )
