"""What a benchmark reports: its figures, what they should be, and whether they are."""

import operator
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class Aim:
    """What a figure should be."""

    figure: str
    """Name of the figure; of one inside another with a dot between them."""
    relation: Literal["<=", ">="]
    value: float

    def met(self, figures: Mapping[str, Any]) -> bool:
        """Return whether the figure is there and as it should be."""
        compare = operator.le if self.relation == "<=" else operator.ge
        found = _flat(figures).get(self.figure)
        return found is not None and compare(found, self.value)

    def __str__(self) -> str:
        return f"{self.figure} {self.relation} {self.value:g}"


@dataclass(frozen=True)
class Report:
    """The outcome of one benchmark."""

    name: str
    figures: Mapping[str, Any]
    aims: tuple[Aim, ...] = ()
    notes: tuple[str, ...] = field(default=())

    @property
    def passed(self) -> bool:
        """Whether every aim is met."""
        return all(aim.met(self.figures) for aim in self.aims)

    def rows(self) -> list[tuple[str, str, str, str]]:
        """Return figure, value, aim and whether it is met, as text, one row a figure."""
        aims = {aim.figure: aim for aim in self.aims}
        return [
            (name, _shown(value), *_judged(aims.get(name), self.figures)) for name, value in _flat(self.figures).items()
        ]

    def as_json(self) -> dict[str, Any]:
        """Return the figures with `aims` (text to met) and `passed`, as one JSON object."""
        aims = {str(aim): aim.met(self.figures) for aim in self.aims}
        notes = {"notes": list(self.notes)} if self.notes else {}
        return {"benchmark": self.name, **self.figures, "aims": aims, "passed": self.passed, **notes}


def _flat(figures: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return the figures and those inside them, by their dotted names."""
    flat: dict[str, Any] = {}
    for name, value in figures.items():
        flat |= _flat(value, f"{prefix}{name}.") if isinstance(value, Mapping) else {prefix + name: value}
    return flat


def _shown(value: object) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_shown, value))}]"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _judged(aim: Aim | None, figures: Mapping[str, Any]) -> tuple[str, str]:
    if aim is None:
        return "", ""
    return f"{aim.relation} {aim.value:g}", "yes" if aim.met(figures) else "NO"
