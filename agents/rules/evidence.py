"""What steps found, in the one form that everything written is made of: figures, quotations, texts and gaps.

It travels in `StepResult.data`, so that a step can pass on what it was given; results of models and of tools called
directly are read as far as their data tells.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pydantic import TypeAdapter, ValidationError

from agents.rules.text import sentences
from domain.outcomes import Source, StepResult

UNIT = "{unit}"
"""Where the unit goes in a sentence about figures: documents name it, and who queries tables may not read them."""
_LEAD = 5
"""Sentences taken from a document that a step read directly."""


@dataclass(frozen=True)
class Quote:
    """A passage in a document's own words."""

    text: str
    document: str
    locator: str = ""
    side: str = ""
    """What it speaks about, where several things are compared."""

    @property
    def citation(self) -> str:
        """Where it stands, in brackets."""
        return f"[{self.document}, {self.locator}]" if self.locator else f"[{self.document}]"


@dataclass(frozen=True)
class Figures:
    """The answer of one query."""

    sentences: tuple[str, ...]
    """With `UNIT` in the places of the unit; `Evidence.told` fills them."""
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    sql: str = ""
    table: str = ""
    caption: str = ""
    measure: str = ""
    """Name of the column that was measured."""


@dataclass(frozen=True)
class Unit:
    """In which unit a measure is given, as a document says."""

    measure: str
    phrase: str
    document: str
    locator: str = ""

    @property
    def short(self) -> str:
        """The abbreviation in parentheses where there is one, else the whole phrase."""
        match = re.search(r"\(([^)]+)\)$", self.phrase)
        return match[1] if match else self.phrase


@dataclass(frozen=True)
class Evidence:
    """Everything found."""

    figures: tuple[Figures, ...] = ()
    quotes: tuple[Quote, ...] = ()
    texts: tuple[tuple[str, str], ...] = ()
    """Agent and text of results that have no structure."""
    units: tuple[Unit, ...] = ()
    gaps: tuple[str, ...] = ()
    sources: tuple[Source, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.figures or self.quotes or self.texts)

    def __add__(self, other: "Evidence") -> "Evidence":
        return Evidence(
            figures=_once(self.figures + other.figures),
            quotes=_once(self.quotes + other.quotes),
            texts=_once(self.texts + other.texts),
            units=_once(self.units + other.units),
            gaps=_once(self.gaps + other.gaps),
            sources=_once(self.sources + other.sources),
        )

    def unit_of(self, figures: Figures) -> Unit | None:
        """Return the unit of a measure, where a document states it."""
        return next((unit for unit in self.units if figures.measure and unit.measure == figures.measure), None)

    def told(self, figures: Figures) -> list[str]:
        """Return the sentences about figures with their unit, where it is known."""
        unit = self.unit_of(figures)
        return [sentence.replace(UNIT, f" {unit.short}" if unit else "") for sentence in figures.sentences]

    def as_data(self) -> dict[str, Any]:
        """Return the evidence as JSON; the first query's columns, rows and SQL are at the top, where readers look."""
        data: dict[str, Any] = _EVIDENCE.dump_python(self, mode="json", exclude={"sources"})
        if self.figures:
            data |= {key: data["figures"][0][key] for key in ("columns", "rows", "sql")}
        return data


def _once(items: tuple[Any, ...]) -> tuple[Any, ...]:
    kept = list[Any]()
    for item in items:
        if item not in kept:
            kept.append(item)
    return tuple(kept)


_EVIDENCE = TypeAdapter(Evidence)


def evidence_of(results: Iterable[StepResult]) -> Evidence:
    """Return what finished steps found."""
    found = Evidence()
    for result in results:
        if result.status == "done":
            found += _read(result)
    return found


def _read(result: StepResult) -> Evidence:
    data, sources = result.data, tuple(result.sources)
    if {"figures", "quotes", "units"} <= data.keys():
        try:
            return replace(_EVIDENCE.validate_python(data), sources=sources)
        except ValidationError:
            pass  # another's data under the same names
    found = _of_tool(data)
    texts = ((result.agent, result.text),) if result.text and not found else ()
    return Evidence(texts=texts, sources=sources) + found


def _of_tool(data: Mapping[str, Any]) -> Evidence:
    """Return what a tool's data holds when a step called the tool itself; models' words are not looked for here."""
    if {"columns", "rows", "sql"} <= data.keys():
        rows = tuple(tuple(row) for row in data["rows"])
        return Evidence(figures=(Figures((), tuple(data["columns"]), rows, data["sql"]),) if rows else ())
    if "hits" in data:
        hits = data["hits"]
        return Evidence(quotes=tuple(Quote(_lead(h["text"], 2), h["document"], h["locator"]) for h in hits))
    if {"name", "text", "start"} <= data.keys():
        return Evidence(quotes=tuple(Quote(s, data["name"]) for s in sentences(data["text"])[:_LEAD]))
    return Evidence()


def _lead(text: str, count: int) -> str:
    return " ".join(sentences(text)[:count])
