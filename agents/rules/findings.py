"""Sentences that say what a query returned; every figure in them is a cell of it or part of the question."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from agents.rules.evidence import UNIT
from agents.rules.queries import ALL
from agents.rules.questions import Question

Row = Mapping[str, Any]


def number(value: object) -> str:
    """Return a figure with thousands separators and no needless decimals."""
    if isinstance(value, float):
        return f"{value:,.2f}".rstrip("0").rstrip(".")
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def signed(value: Any) -> str:
    """Return a change with its sign."""
    return ("+" if value > 0 else "−" if value < 0 else "±") + number(abs(value))


def span(question: Question) -> str:
    """Return the years that a question is about, as words; empty for a table without a time."""
    if question.shape.time is None:
        return ""
    return f"{question.first}" if question.first == question.last else f"{question.first} to {question.last}"


def caption(question: Question) -> str:
    """Return what a table of results shows."""
    measure = question.named[:1].upper() + question.named[1:]
    parts = [f"by {question.group.label}" if question.group and not question.by_period else ""]
    parts += [f"for {_join(question.chosen)}" if question.chosen else "", *_conditions(question)]
    years = span(question)
    return " ".join([measure, *(part for part in parts if part)]) + (f", {years}" if years else "")


def findings(question: Question, rows: Sequence[Row]) -> list[str]:
    """Return the answer's sentences, the most important first; none when the query found nothing."""
    rows = [row for row in rows if any(value is not None for value in list(row.values())[1:])]
    if not rows:
        return []
    match question.operation:
        case "change" if question.first != question.last:
            return list(_changes(question, rows))
        case "versus" | "trend" if question.first != question.last:
            return list(_course(question, rows))
        case "highest" | "lowest":
            return [_ranking(question, rows)]
        case "average":
            return list(_averages(question, rows))
        case "count":
            counted, names = rows[0].values()
            return [
                f"There are {number(counted)} different values of {question.group.label}: {names}."
                if question.group
                else ""
            ]
        case _:
            return list(_totals(question, rows))


def _conditions(question: Question) -> Iterable[str]:
    return (f"({column.label}: {_join(values)})" for column, values in question.filters)


def _join(parts: Iterable[str]) -> str:
    *most, last = list(parts)
    return f"{', '.join(most)} and {last}" if most else last


def _subject(question: Question, label: str) -> str:
    return f"The {_together(question)} {question.named}" if label == ALL else str(label)


def _together(question: Question) -> str:
    return "total" if question.adds_up else "average"


def _verb(before: Any, after: Any) -> str:
    return "rose" if after > before else "fell" if after < before else "stayed level,"


def _changes(question: Question, rows: Sequence[Row]) -> Iterable[str]:
    first, last = str(question.first), str(question.last)
    name = next(iter(rows[0]))
    ordered = _ordered(question, rows, name)
    if question.ranked and ordered and _moves(question, ordered[0]["change"]):
        label, change = ordered[0][name], ordered[0]["change"]
        kind = "rise" if question.ranked == "rise" else "fall"
        yield f"{label} had the largest {kind} in {question.named} from {first} to {last}: {signed(change)}{UNIT}."
    for row in ordered:
        before, after = row[first], row[last]
        if before is None or after is None:
            there, missing = (last, first) if before is None else (first, last)
            yield f"{_subject(question, row[name])} has {number(row[there])} in {there} and no figure for {missing}."
            continue
        percent = row["change %"]
        relative = f", {signed(percent)} %" if percent is not None else ""
        share = _share_change(row, first, last)
        yield (
            f"{_subject(question, row[name])} {_verb(before, after)} from {number(before)} in {first} to"
            f" {number(after)}{UNIT} in {last} ({signed(row['change'])}{relative}){share}."
        )


def _ordered(question: Question, rows: Sequence[Row], name: str) -> list[Row]:
    """Return the categories by size of change, in the direction that is asked for, and all together last."""
    if not question.ranked:
        return list(rows)
    sign = -1 if question.ranked == "rise" else 1
    return sorted(rows, key=lambda row: (row[name] == ALL, row["change"] is None, sign * (row["change"] or 0)))


def _moves(question: Question, change: Any) -> bool:
    return change is not None and (change > 0 if question.ranked == "rise" else change < 0)


def _share_change(row: Row, first: str, last: str) -> str:
    before, after = row.get(f"share {first} %"), row.get(f"share {last} %")
    if before is None or after is None:
        return ""
    return f", from {number(before)} % to {number(after)} % of the total"


def _course(question: Question, rows: Sequence[Row]) -> Iterable[str]:
    """Say where each series began and ended, its highest and lowest point, and how two of them stand to each other."""
    names = [name for name in rows[0] if name not in ("period", "difference", "ratio")]
    if "difference" in rows[0]:
        yield from _gap(rows, names[0], names[1])
    for name in names:
        points = [row for row in rows if row[name] is not None]
        if not points:
            continue
        start, end = points[0], points[-1]
        high, low = max(points, key=lambda row: row[name]), min(points, key=lambda row: row[name])
        subject = name if question.chosen else f"The {_together(question)} {name}"
        yield (
            f"{subject} {_verb(start[name], end[name])} from {number(start[name])} in {start['period']} to"
            f" {number(end[name])}{UNIT} in {end['period']}; the highest point was {number(high[name])} in"
            f" {high['period']}, the lowest {number(low[name])} in {low['period']}."
        )


def _gap(rows: Sequence[Row], one: str, other: str) -> Iterable[str]:
    full = [row for row in rows if row["difference"] is not None]
    for row in (full[:1] + full[-1:]) if len(full) > 1 else full:
        ahead, behind = (one, other) if row["difference"] >= 0 else (other, one)
        times = f", ratio {number(row['ratio'])}" if row["ratio"] is not None else ""
        yield (
            f"In {row['period']} {ahead} stood at {number(row[ahead])} and {behind} at {number(row[behind])}{UNIT}"
            f" (difference {number(abs(row['difference']))}{times})."
        )
    signs = [row["difference"] > 0 for row in full]
    if len(set(signs)) == 1:
        yield f"{one if signs[0] else other} led in every year of the period."
    for row, before in _turns(full):
        ahead, behind = (one, other) if row["difference"] > 0 else (other, one)
        scores = f"{number(before[ahead])} to {number(before[behind])}"
        yield f"{ahead} overtook {behind} in {row['period']} (the period before: {scores})."


def _turns(rows: Sequence[Row]) -> Iterable[tuple[Row, Row]]:
    """Yield each row in which the lead differs from the row before, with that row."""
    for before, row in pairwise(rows):
        if (row["difference"] > 0) != (before["difference"] > 0):
            yield row, before


def _ranking(question: Question, rows: Sequence[Row]) -> str:
    label, measure = list(rows[0])[:2]
    top, *rest = rows
    of = f" of {_join(question.chosen)}" if question.chosen and question.by_period else ""
    years = span(question)
    if question.by_period:
        said = f"{question.named}{of} was {question.operation} in {top[label]}, at {number(top[measure])}{UNIT}"
    else:
        when = f"In {years}, " if years else ""
        value = f"{number(top[measure])}{UNIT}{_share(top)}"
        said = f"{when}{top[label]} had the {question.operation} {question.named}: {value}"
    following = _join(f"{row[label]} ({number(row[measure])}{_share(row, ', ')})" for row in rest) if rest else ""
    return f"{said[:1].upper()}{said[1:]}{f'; next come {following}' if following else ''}."


def _share(row: Row, before: str = " (") -> str:
    share = row.get("share %")
    if share is None:
        return ""
    return f"{before}{number(share)} % of the total" + (")" if before == " (" else "")


def _averages(question: Question, rows: Sequence[Row]) -> Iterable[str]:
    name = next(iter(rows[0]))
    years = span(question)
    when = f"over {years}" if years else "over all rows"
    for row in rows:
        subject = (
            (f"total {question.named}" if question.adds_up else question.named)
            if row[name] == ALL
            else f"{question.named} of {row[name]}"
        )
        per = " a year" if question.shape.time else ""
        yield (
            f"The average {subject} was {number(row['average'])}{UNIT}{per} {when}, between {number(row['lowest'])} and"
            f" {number(row['highest'])}."
        )


def _totals(question: Question, rows: Sequence[Row]) -> Iterable[str]:
    name, measure = list(rows[0])[:2]
    years = span(question)
    when = f" in {years}" if question.first == question.last else f" over {years}" if years else ""
    how = _together(question)
    for row in sorted(rows, key=lambda row: row[name] != ALL):
        if row[name] == ALL:
            yield f"The {how} {question.named}{when} was {number(row[measure])}{UNIT}."
        else:
            yield f"{row[name]}: {number(row[measure])}{UNIT}{when}{_share(row)}."
