"""Checks whether the figures of a text occur in what the steps found."""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from agents.rules.text import normalised, numbers, sentences
from domain.outcomes import StepResult

_CODE = re.compile(r"^\s*```.*?^\s*```", re.MULTILINE | re.DOTALL)
_CITATION = re.compile(r"\[[^\]\n]*\]")
_SOURCES = re.compile(r"^## Sources\b.*?(?=^## |\Z)", re.MULTILINE | re.DOTALL)
_LIST_NUMBER = re.compile(r"^\s*\d+[.)]\s", re.MULTILINE)
_SCALES = (1.0, 100.0, 0.001, 0.000001)
"""A figure may be told as a percentage, in thousands or in millions."""
_SAME_TEXT = 0.6


def prose(text: str) -> str:
    """Return a draft without code, citations, its list of sources and the numbers of its lists."""
    for pattern in (_CODE, _SOURCES, _CITATION, _LIST_NUMBER):
        text = pattern.sub(" ", text)
    return text


@dataclass(frozen=True)
class Support:
    """The figures that a draft may state."""

    known: frozenset[str]

    def unsupported(self, text: str) -> list[str]:
        """Return the figures of a text that nothing supports, each once, in order."""
        return [figure for figure in dict.fromkeys(numbers(prose(text))) if not self.covers(figure)]

    def covers(self, figure: str) -> bool:
        """Tell whether a figure is known, be it rounded, as a percentage, in thousands or in millions."""
        if figure in self.known:
            return True
        wanted = float(figure)
        decimals = len(figure.partition(".")[2])
        return any(round(float(k) * scale, decimals) == wanted for k in self.known for scale in _scales(figure))


def _scales(figure: str) -> Sequence[float]:
    """Return the scales to try: a short whole number would fit too many figures by chance."""
    return _SCALES if "." in figure or len(figure) > 2 else (1.0, 100.0)


def support_of(draft: str, goal: str, results: Iterable[StepResult]) -> Support:
    """Return the figures of the goal and of the steps' findings.

    The text of a step that the draft was taken from supports nothing, else every draft would prove itself; its data
    and sources do.
    """
    known = set(numbers(goal))
    for result in results:
        known |= set(_leaves(result.data))
        for source in result.sources:
            known |= set(numbers(f"{source.quote} {source.locator} {source.name}"))
        if not _is_draft(result.text, draft):
            known |= set(numbers(result.text))
    return Support(frozenset(known))


def _leaves(data: object) -> Iterable[str]:
    """Yield the figures in JSON-like data, but not those in queries."""
    if isinstance(data, dict):
        for key, value in data.items():
            yield from _leaves(value) if key != "sql" else ()
            yield from numbers(str(key))
    elif isinstance(data, list | tuple):
        for value in data:
            yield from _leaves(value)
    elif isinstance(data, str):
        yield from numbers(data)
    elif isinstance(data, int | float) and not isinstance(data, bool):
        yield json.dumps(data).lstrip("-") if abs(data) < 1e15 else f"{abs(data):.0f}"


def _is_draft(text: str, draft: str) -> bool:
    """Tell whether most sentences of a draft stand in a text."""
    ours = {normalised(sentence) for sentence in sentences(draft)}
    theirs = {normalised(sentence) for sentence in sentences(text)}
    return bool(ours) and len(ours & theirs) >= _SAME_TEXT * len(ours)
