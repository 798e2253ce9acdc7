"""What checkpoints can measure, where it can be measured, and tests on it as data. Pure.

The set is closed: a name that is not in it, or a test that cannot apply, is an error when it is loaded. A value that is
missing or of a wrong type when the test is held against it leaves the test open, which means that a person is asked.
"""

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, model_validator

from domain.privacy import CLASSES

Place = Literal["plan", "step", "output", "result"]
"""Where a checkpoint can stand: at a plan, before a step, behind a step, at the final draft."""
MeasureName = Literal[
    "quality", "confidence", "success_rate", "novelty", "cost", "amount", "recipients", "steps", "writes",
    "risk", "privacy", "tool", "agent", "effect", "undoable",
]  # fmt: skip
"""Measures of a run.

- `quality`: what the critic gave, 0-1: of the output, of the draft; before a step that of the draft so far.
- `confidence`: of the plan, the output, or the draft's plan, 0-1.
- `success_rate`: share of the runs with this agent that succeeded, 0-1; of several agents the lowest.
- `novelty`: 1 for an act of a kind that nobody has decided on before, 1/2 after one approval, 1/(1+n) after n.
- `cost`: dollars that it is expected to take.
- `amount`: money in the arguments; `recipients`: how many there are.
- `steps`, `writes`: steps of the plan, and those of them that change something outside.
- `risk`: what could go wrong (`domain.risk`), 0-1; `privacy`: the class of the data, compared by its place in `LEVELS`;
  of a plan the highest of its steps.
- `tool`, `agent`, `effect`: the name; `undoable`: whether it can be taken back.
"""
Op = Literal["eq", "ne", "lt", "le", "gt", "ge", "in"]
Kind = Literal["share", "number", "level", "word", "flag"]

LEVELS: Mapping[str, tuple[str, ...]] = {"privacy": tuple(CLASSES)}
"""The classes of measures that have an order, the least first."""


class Measure(NamedTuple):
    """What kind of value a measure has, and where it can be measured."""

    kind: Kind
    places: frozenset[Place]


def _at(kind: Kind, *places: Place) -> Measure:
    return Measure(kind, frozenset(places))


COSTLY: frozenset[MeasureName] = frozenset({"quality"})
"""What may take a model's call to find out; it is measured last, and only where nothing else has decided."""
MEASURES: Mapping[MeasureName, Measure] = {
    "quality": _at("share", "step", "output", "result"),
    "confidence": _at("share", "plan", "step", "output", "result"),
    "success_rate": _at("share", "plan", "step", "output", "result"),
    "novelty": _at("share", "step"),
    "cost": _at("number", "plan", "step"),
    "amount": _at("number", "step"),
    "recipients": _at("number", "step"),
    "steps": _at("number", "plan", "result"),
    "writes": _at("number", "plan", "result"),
    "risk": _at("share", "plan", "step"),
    "privacy": _at("level", "plan", "step", "output", "result"),
    "tool": _at("word", "step", "output"),
    "agent": _at("word", "step", "output"),
    "effect": _at("word", "step", "output"),
    "undoable": _at("flag", "plan", "step"),
}
_ORDERED: frozenset[Op] = frozenset({"eq", "ne", "lt", "le", "gt", "ge"})
_OPS: Mapping[Kind, frozenset[Op]] = {
    "share": _ORDERED,
    "number": _ORDERED,
    "level": _ORDERED | {"in"},
    "word": frozenset({"eq", "ne", "in"}),
    "flag": frozenset({"eq", "ne"}),
}
_SIGNS: Mapping[Op, str] = {"eq": "is", "ne": "is not", "lt": "<", "le": "≤", "gt": ">", "ge": "≥", "in": "is one of"}


class Test(BaseModel):
    """One test on a measure."""

    __test__ = False  # for pytest, which takes the name for one of its own

    model_config = ConfigDict(extra="forbid", frozen=True)

    measure: MeasureName
    op: Op
    value: str | bool | int | float | tuple[str, ...]

    @model_validator(mode="after")
    def _applies(self) -> "Test":
        kind = MEASURES[self.measure].kind
        if self.op not in _OPS[kind]:
            msg = f"{self.op!r} cannot be held against {self.measure!r}; there is {', '.join(sorted(_OPS[kind]))}"
            raise ValueError(msg)
        values = self.value if self.op == "in" and isinstance(self.value, tuple) else (self.value,)
        if not values or (self.op == "in") is not isinstance(self.value, tuple):
            msg = f"{self.op!r} of {self.measure!r} takes {'a list of words' if self.op == 'in' else 'one value'}"
            raise ValueError(msg)
        for value in values:
            if wrong := unfit(self.measure, value):
                raise ValueError(wrong)
        return self

    def __str__(self) -> str:
        value = ", ".join(self.value) if isinstance(self.value, tuple) else shown(self.value)
        return f"{self.measure} {_SIGNS[self.op]} {value}"


def unfit(measure: MeasureName, value: Any) -> str:
    """Return in words why a value is none that a measure can have, or nothing."""
    match MEASURES[measure].kind:
        case "share" | "number":
            return _unfit_number(measure, value)
        case "level":
            fits, wanted = value in LEVELS[measure], f"one of {', '.join(LEVELS[measure])}"
        case "word":
            fits, wanted = isinstance(value, str) and bool(value.strip()), "a word"
        case "flag":
            fits, wanted = isinstance(value, bool), "true or false"
    return "" if fits else f"{measure!r} is {wanted}, not {value!r:.60}"


def _unfit_number(measure: MeasureName, value: Any) -> str:
    share = MEASURES[measure].kind == "share"
    highest, wanted = (1.0, "a number from 0 to 1") if share else (sys.float_info.max, "a number")
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if number and 0 <= value <= highest:
        return ""
    given = "a larger one" if number and value > highest else f"{value!r:.60}"  # not every integer can be written
    return f"{measure!r} is {wanted}, not {given}"


def holds(test: Test, data: Mapping[str, Any]) -> bool | None:
    """Return whether a test holds for measured data; None where that cannot be told."""
    if test.measure not in data or unfit(test.measure, data[test.measure]):
        return None
    return compared(test.measure, data[test.measure], test.op, test.value)


def compared(measure: MeasureName, measured: Any, op: Op, value: Any) -> bool:
    """Return whether a comparison holds between two values that a measure can have."""
    levels = LEVELS.get(measure)
    if levels and op != "in":
        measured, value = levels.index(measured), levels.index(value)
    match op:
        case "eq":
            return bool(measured == value)
        case "ne":
            return bool(measured != value)
        case "lt":
            return bool(measured < value)
        case "le":
            return bool(measured <= value)
        case "gt":
            return bool(measured > value)
        case "ge":
            return bool(measured >= value)
        case "in":
            return measured in value


def shown(value: Any) -> str:
    """Return a measured value in words."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f"{value:.4g}" if abs(value) >= 1 or value == 0 else f"{value:.2f}"
    return "unknown" if value is None else f"{value!s:.60}"


def measurable_at(measures: Iterable[MeasureName]) -> frozenset[Place]:
    """Return the places at which all of these can be measured."""
    places: frozenset[Place] = frozenset({"plan", "step", "output", "result"})
    for measure in measures:
        places &= MEASURES[measure].places
    return places


def never_together(tests: Sequence[Test]) -> tuple[Test, Test] | None:
    """Return two tests on one measure that no value passes together, or None."""
    for place, first in enumerate(tests):
        for second in tests[place + 1 :]:
            if first.measure == second.measure and not _any_passes(first, second):
                return first, second
    return None


def _any_passes(first: Test, second: Test) -> bool:
    """Return whether some value passes both: for numbers it is enough to try the bounds and what lies around them."""
    measure, kind = first.measure, MEASURES[first.measure].kind
    if kind == "level":
        tried: list[Any] = list(LEVELS[measure])
    elif kind == "flag":
        tried = [True, False]
    elif kind == "word":
        tried = [*_values(first), *_values(second), "\0"]
    else:
        bounds = sorted({0.0, 1.0, *map(float, (*_values(first), *_values(second)))})
        between = [(low + high) / 2 for low, high in zip(bounds, bounds[1:], strict=False)]
        tried = [*bounds, *between, *([] if kind == "share" else [bounds[-1] + 1])]
    return any(all(compared(measure, value, test.op, test.value) for test in (first, second)) for value in tried)


def _values(test: Test) -> tuple[Any, ...]:
    return test.value if isinstance(test.value, tuple) else (test.value,)
