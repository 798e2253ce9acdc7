"""What a question asks of a table: which operation, on which measure, for which categories and years."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from agents.rules.shapes import Column, Shape
from agents.rules.text import STOP_WORDS, stem, stems, words

Operation = Literal["change", "highest", "lowest", "average", "total", "trend", "versus", "count"]

_WORDS: tuple[tuple[Operation, str], ...] = (
    ("change", r"\bchang\w*|\bgr[eo]wn?\b|\bgrowth\b|\bgrow(?:s|ing)?\b|\bris(?:e|en|ing)\b|\brose\b"
               r"|\bf[ae]ll(?:en|ing)?\b|\bshift\w*|\bincreas\w+|\bdecreas\w+|\bdeclin\w+|\bdrop\w*|\bevol\w+|\bdeveloped\b"
               r"|\bdevelopment\b|\bgain\w*"),
    ("highest", r"\bhighest\b|\blargest\b|\bmaximum\b|\bmax\b|\bpeak\w*|\btop\b|\bmost\b|\bbiggest\b|\bbest\b"),
    ("lowest", r"\blowest\b|\bsmallest\b|\bminimum\b|\bmin\b|\bleast\b|\bbottom\b|\bworst\b|\bfewest\b"),
    ("average", r"\baverages?\b|\bmean (?!by)\w+|\btypical\w*|\bper year\b|\ba year on average\b|\bmedian\b"),
    ("trend", r"\btrends?\b|\bover time\b|\b(?:each|every|by) year\b|\byear (?:by|over) year\b|\bhistory\b"),
    ("total", r"\btotals?\b|\bsum\b|\bhow (?:much|many|large|big)\b|\baltogether\b|\boverall\b|\bshares?\b|\bpercent\w*"
              r"|\bproportion\b|\bmix\b|\bbreakdown\b|\bdistribution\b|\bby \w+\b"),
)  # fmt: skip
_OPERATIONS = tuple((operation, re.compile(pattern, re.IGNORECASE)) for operation, pattern in _WORDS)
_RISING = re.compile(r"\bgr[eo]w\w*|\bris\w+|\brose\b|\bincreas\w+|\bgain\w*", re.IGNORECASE)
_FALLING = re.compile(r"\bf[ae]ll\w*|\bdecreas\w+|\bdeclin\w+|\bdrop\w*", re.IGNORECASE)
_VERSUS = re.compile(
    r"\bcompar\w+|\bversus\b|\bvs\b|\bagainst\b|\bdifferences?\b|\bthan\b|\bcontrast\w*", re.IGNORECASE
)
_WHICH_TIME = re.compile(r"\b(?:which|what) years?\b|\bwhen\b|\bin (?:which|what) year\b", re.IGNORECASE)
_YEAR = re.compile(r"\b(1[5-9]\d\d|2[01]\d\d)\b")


@dataclass(frozen=True)
class Question:
    """A question in terms of one table."""

    shape: Shape
    operation: Operation
    measure: Column | None
    """None counts rows."""
    group: Column | None
    """The dimension whose values the answer tells apart."""
    chosen: tuple[str, ...]
    """Values of `group` that the question names; empty for all."""
    filters: tuple[tuple[Column, tuple[str, ...]], ...]
    """Other dimensions, and the values named of them."""
    first: int
    last: int
    by_period: bool
    """Whether the answer is a year rather than a category."""
    ranked: Literal["rise", "fall", ""] = ""
    """For a change: whether the largest rise or fall is asked for."""
    limit: int = 5
    gaps: tuple[str, ...] = ()
    """What the question names that the table does not have."""

    @property
    def adds_up(self) -> bool:
        """Whether values may be summed."""
        return self.measure is None or self.measure.adds_up

    @property
    def named(self) -> str:
        """What is measured, in words."""
        return self.measure.label if self.measure else "number of rows"


def fit(goal: str, shape: Shape, values: Mapping[str, Sequence[str]]) -> float:
    """Return how well a table fits a question: named values count 3, measures 2, other names and its years 1."""
    wanted = set(stems(goal))
    named = sum(len(_named(goal, values[column.name])) for column in shape.dimensions if column.name in values)
    measures = sum(bool(wanted & set(stems(column.label))) for column in shape.measures)
    in_range = any(shape.years[0] <= year <= shape.years[1] for year in _years(goal))
    return 3.0 * named + 2.0 * measures + len(wanted & shape.vocabulary) + in_range


def asks_for_figures(goal: str) -> bool:
    """Tell whether a question has words that ask for a figure."""
    return any(pattern.search(goal) for _, pattern in _OPERATIONS) or bool(_VERSUS.search(goal))


def understood(goal: str, shape: Shape, values: Mapping[str, Sequence[str]]) -> Question:
    """Return a question in terms of a table; `values` holds the values of each dimension."""
    named = {c.name: _named(goal, values.get(c.name, ())) for c in shape.dimensions}
    group = _group(goal, shape, named)
    chosen = named.get(group.name, ()) if group else ()
    measure = _measure(goal, shape)
    operation = _operation(goal, shape, chosen, measure)
    first, last, gaps = _range(goal, shape)
    which_group = group is not None and bool(
        re.search(rf"\b(?:which|what) {_plural(group.label)}", goal, re.IGNORECASE)
    )
    by_period = shape.time is not None and not which_group and (bool(_WHICH_TIME.search(goal)) or len(chosen) == 1)
    return Question(
        shape=shape,
        operation=operation,
        measure=measure,
        group=group,
        chosen=chosen,
        filters=tuple((c, named[c.name]) for c in shape.dimensions if c is not group and named[c.name]),
        first=first,
        last=last,
        by_period=by_period and first != last,
        ranked=_ranked(goal),
        limit=_limit(goal),
        gaps=(*gaps, *_unknown(goal, shape, values, operation, chosen)),
    )


def _plural(label: str) -> str:
    return re.escape(label) + "s?"


def _named(goal: str, values: Iterable[str]) -> tuple[str, ...]:
    """Return the values that a question names: by all their words, or by a first word that no other value has."""
    wanted = {stem(word) for word in words(goal)} - STOP_WORDS
    split = {value: [stem(word) for word in words(str(value))] for value in values if str(value).strip()}
    firsts = [parts[0] for parts in split.values() if parts]
    return tuple(
        value
        for value, parts in split.items()
        if parts
        and (set(parts) <= wanted or (len(parts[0]) > 3 and parts[0] in wanted and firsts.count(parts[0]) == 1))
    )


def _group(goal: str, shape: Shape, named: Mapping[str, Sequence[str]]) -> Column | None:
    """Return the dimension that the answer tells apart: with several values named, else named itself, else free."""
    wanted = set(stems(goal))
    asked = [c for c in shape.dimensions if wanted & set(stems(c.label)) and len(named[c.name]) != 1]
    several = [c for c in shape.dimensions if len(named[c.name]) > 1]
    free = [c for c in shape.dimensions if not named[c.name] and 1 < c.distinct <= 30]
    if len(shape.dimensions) == 1:
        return shape.dimensions[0]
    return next(iter([*several, *asked, *free, *shape.dimensions]), None)


def _measure(goal: str, shape: Shape) -> Column | None:
    if re.search(r"\bhow many (?:rows|records|entries|lines)\b", goal, re.IGNORECASE):
        return None
    wanted = set(stems(goal))
    return max(shape.measures, key=lambda c: len(wanted & set(stems(c.label))), default=None)


def _operation(goal: str, shape: Shape, chosen: Sequence[str], measure: Column | None) -> Operation:
    counted = re.search(r"\bhow many (?:different |distinct )?(\w+)", goal, re.IGNORECASE)
    if counted and any(stem(counted[1]) in stems(c.label) for c in shape.dimensions):
        return "count"
    if measure is None:
        return "total"
    if len(chosen) > 1 and _VERSUS.search(goal):
        return "versus" if shape.time else "total"
    found = [operation for operation, pattern in _OPERATIONS if pattern.search(goal)]
    if shape.time is None or len(_years(goal)) == 1 and _is_single_year(goal):
        found = [operation for operation in found if operation not in ("change", "trend")]
    if found and _WHICH_TIME.search(goal) and found[0] == "change" and set(found) & {"highest", "lowest"}:
        found = found[1:]
    return found[0] if found else ("change" if shape.time and not _is_single_year(goal) else "total")


def _is_single_year(goal: str) -> bool:
    years = _years(goal)
    return len(set(years)) == 1 and not re.search(
        rf"\b(?:since|from|after|before|until|till|up to|by)\s+(?:the year\s+)?{years[0]}", goal, re.IGNORECASE
    )


def _years(goal: str) -> list[int]:
    return [int(year) for year in _YEAR.findall(goal)]


def _range(goal: str, shape: Shape) -> tuple[int, int, tuple[str, ...]]:
    """Return the first and last year asked for, held within the table's, and what lies outside."""
    low, high = shape.years
    years = _years(goal)
    outside = tuple(f"{y} lies outside the table, which covers {low} to {high}" for y in years if not low <= y <= high)
    if shape.time is None:
        return low, high, ()
    if last := re.search(r"\blast (\d{1,2}|two|three|five|ten) years\b", goal, re.IGNORECASE):
        spelled = {"two": 2, "three": 3, "five": 5, "ten": 10}
        count = spelled.get(last[1].lower()) or int(last[1])
        return max(low, high - count + 1), high, ()
    inside = sorted(year for year in years if low <= year <= high)
    if not inside:
        return low, high, outside
    if len(set(inside)) > 1:
        return inside[0], inside[-1], outside
    year = inside[0]
    if re.search(rf"\b(?:since|from|after)\s+(?:the year\s+)?{year}", goal, re.IGNORECASE):
        return year, high, outside
    if re.search(rf"\b(?:before|until|till|up to|by)\s+(?:the year\s+)?{year}", goal, re.IGNORECASE):
        return low, year, outside
    return year, year, outside


def _ranked(goal: str) -> Literal["rise", "fall", ""]:
    if not re.search(r"\b(?:most|fastest|largest|biggest|highest|strongest|more)\b", goal, re.IGNORECASE):
        return ""
    if _RISING.search(goal):
        return "rise"
    return "fall" if _FALLING.search(goal) else ""


def _limit(goal: str) -> int:
    top = re.search(r"\b(?:top|bottom|first|best|worst) (\d{1,2})\b", goal, re.IGNORECASE)
    return max(1, int(top[1])) if top else 5


_GENERIC_TEXT = """
    year years total average mean highest lowest largest smallest most least change grow grew growth share
    percent percentage mix number many much figure table data energy power produced generated made explain
    answer amount value electricity output overall sum per trend time rise rose fall fell peak production long
    come came go went use used
"""
_GENERIC = frozenset(map(stem, _GENERIC_TEXT.split()))


def _unknown(
    goal: str, shape: Shape, values: Mapping[str, Sequence[str]], operation: Operation, chosen: Sequence[str]
) -> Iterable[str]:
    """Yield a remark on things that a question counts and the table does not tell apart."""
    if chosen or operation == "count":
        return
    question = re.split(r"(?<=[.?!])\s|,? and (?:why|what|how|which)\b", goal)[0]
    known = shape.vocabulary | _GENERIC | {stem(w) for column in values.values() for v in column for w in words(str(v))}
    counted = re.findall(
        r"\b(?:how (?:much|many)|total|average|share of|which year (?:had|saw) the \w+)\s+(?:of\s+)?(\w+)",
        question,
        re.I,
    )
    for word in counted:
        if stem(word) not in known and word.lower() not in STOP_WORDS and not word.isdigit():
            yield f"the table has no column or value called {word.lower()!r}, so the figures are for all that it holds"
