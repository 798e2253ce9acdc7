"""Composition without a model: an answer first, then figures, passages, gaps and sources, in plain Markdown."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

from agents.rules.evidence import Evidence, Figures, Quote
from agents.rules.findings import number
from agents.rules.research import asks_more_than_figures
from agents.rules.text import sentences, title

CAVEAT = (
    "*Composed by fixed rules, without a language model: figures are computed from the tables and passages are quoted "
    "as they stand; nothing was interpreted.*"
)
FIGURES = "## What the figures say"
DOCUMENTS = "## What the documents say"
CONTEXT = "## Context in the documents"
OPEN = "## What stays open"
SOURCES = "## Sources"
ANSWER_SENTENCES = 5
ANSWER_QUOTES = 3
CONTEXT_QUOTES = 3
MAX_ROWS = 24
_YEAR_COLUMNS = ("period", "year")


def brief(goal: str, evidence: Evidence) -> str:
    """Return a whole document: title, answer, sections, sources."""
    leading = _leading(goal, evidence)
    parts = [f"# {title(goal)}", _answer(evidence, leading), *_body(evidence, leading)]
    return _joined([*parts, _sources(evidence), CAVEAT])


def compact(goal: str, evidence: Evidence) -> str:
    """Return findings without a title, for a reader who has the question before him."""
    if not evidence:
        return _joined([" ".join(evidence.gaps) or "Nothing was found.", CAVEAT])
    if evidence.figures and evidence.quotes:
        leading = _leading(goal, evidence)
        parts = [_answer(evidence, leading), *_body(evidence, leading)]
    else:
        parts = list(_plain(evidence))
    return _joined([*parts, _sources(evidence), CAVEAT])


def summary(goal: str, evidence: Evidence) -> str:
    """Return the main points, document by document."""
    parts = [f"# Summary: {title(goal)}", _summary_lead(evidence), *_figure_parts(evidence, skip=ANSWER_SENTENCES)]
    for document, quotes in groupby(evidence.quotes, key=lambda quote: quote.document):
        parts += [f"## {document}", "\n".join(f"- {quote.text}{_at(quote)}" for quote in quotes)]
    parts += [text for _, text in evidence.texts]
    return _joined([*parts, _open(evidence), CAVEAT])


def _summary_lead(evidence: Evidence) -> str:
    return "" if evidence.quotes and not evidence.figures else _answer(evidence, [])


def _at(quote: Quote) -> str:
    return f" {quote.citation}"


def _joined(parts: Iterable[str]) -> str:
    return "\n\n".join(part for part in parts if part)


def _leading(goal: str, evidence: Evidence) -> Sequence[Quote]:
    """Return the passages of the opening, each from another document; none where figures answer all that is asked."""
    if any(quote.side for quote in evidence.quotes) or (evidence.figures and not asks_more_than_figures(goal)):
        return []
    firsts = {quote.document: quote for quote in reversed(evidence.quotes)}
    return [quote for quote in evidence.quotes if firsts[quote.document] is quote][:ANSWER_QUOTES]


def _answer(evidence: Evidence, leading: Sequence[Quote]) -> str:
    """Return the opening: the main figures with their unit, then the passages that say most."""
    if not evidence:
        return "The materials at hand do not answer this. " + " ".join(evidence.gaps)
    said = [sentence for figures in evidence.figures for sentence in evidence.told(figures)[:ANSWER_SENTENCES]]
    said += [_unit_sentence(evidence, figures) for figures in evidence.figures]
    opening = " ".join(part for part in said if part)
    quoted = " ".join(map(_quotation, leading))
    if opening and quoted:
        return f"**In short.** {opening}\n\n**From the documents.** {quoted}"
    lead = opening or quoted or _texts_lead(evidence)
    return f"**In short.** {lead}" if lead else ""


def _texts_lead(evidence: Evidence) -> str:
    return " ".join(sentences(evidence.texts[0][1])[:3]) if evidence.texts else ""


def _unit_sentence(evidence: Evidence, figures: Figures) -> str:
    unit = evidence.unit_of(figures)
    if unit is None or not figures.sentences:
        return ""
    label = figures.measure.replace("_", " ")
    return f"{label[:1].upper()}{label[1:]} is given in {unit.phrase} [{unit.document}]."


def _body(evidence: Evidence, leading: Sequence[Quote]) -> Iterable[str]:
    figures = list(_figure_parts(evidence, skip=ANSWER_SENTENCES))
    yield from [FIGURES, *figures] if figures else []
    rest = [quote for quote in evidence.quotes if quote not in leading]
    is_context = bool(evidence.figures) and not leading and not any(quote.side for quote in rest)
    if rest:
        yield CONTEXT if is_context else DOCUMENTS
        yield from _by_side(rest[:CONTEXT_QUOTES] if is_context else rest)
    for agent, text in evidence.texts:
        yield f"## What {agent} found"
        yield text
    yield _open(evidence)


def _plain(evidence: Evidence) -> Iterable[str]:
    for figures in evidence.figures:
        yield " ".join((*evidence.told(figures), _unit_sentence(evidence, figures)))
    yield from _figure_parts(evidence, skip=None)
    yield from _by_side(evidence.quotes)
    yield from (text for _, text in evidence.texts)
    yield " ".join(evidence.gaps)


def _by_side(quotes: Sequence[Quote]) -> Iterable[str]:
    for side, group in groupby(quotes, key=lambda quote: quote.side):
        if side:
            yield f"### {side[:1].upper()}{side[1:]}"
        yield "\n".join(f"- {_quotation(quote)}" for quote in group)


def _quotation(quote: Quote) -> str:
    return f"“{quote.text}” {quote.citation}"


def _figure_parts(evidence: Evidence, *, skip: int | None) -> Iterable[str]:
    """Yield the sentences after the first `skip` (none with None) and the tables that have more than one row."""
    for figures in evidence.figures:
        rest = evidence.told(figures)[skip:] if skip is not None else []
        if rest:
            yield "\n".join(f"- {sentence}" for sentence in rest)
        if len(figures.rows) > 1 or not figures.sentences:
            yield f"{_caption(evidence, figures)}\n\n{table(figures)}"


def _caption(evidence: Evidence, figures: Figures) -> str:
    unit = evidence.unit_of(figures)
    return f"{figures.caption or 'Result of the query'}{f', in {unit.phrase}' if unit else ''}:"


def table(figures: Figures) -> str:
    """Return a query's rows as a Markdown table; years stand as they are, other figures with separators."""
    header = [f"| {' | '.join(map(_cell, figures.columns))} |", f"|{' --- |' * len(figures.columns)}"]
    rows = [
        f"| {' | '.join(_shown(value, column) for value, column in zip(row, figures.columns, strict=True))} |"
        for row in figures.rows[:MAX_ROWS]
    ]
    left = len(figures.rows) - MAX_ROWS
    return "\n".join(header + rows) + (f"\n\n({left} more rows are left out here.)" if left > 0 else "")


def _shown(value: Any, column: str) -> str:
    if value is None:
        return "–"
    return str(value) if column in _YEAR_COLUMNS else _cell(number(value))


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _open(evidence: Evidence) -> str:
    return "\n".join([OPEN, "", *(f"- {gap}" for gap in evidence.gaps)]) if evidence.gaps and evidence else ""


def _sources(evidence: Evidence) -> str:
    lines = [*_table_sources(evidence), *_document_sources(evidence), *_other_sources(evidence)]
    return "\n".join([SOURCES, "", *lines]) if lines else ""


def _table_sources(evidence: Evidence) -> Iterable[str]:
    for figures in evidence.figures:
        sql = "\n".join(f"  {line}" for line in figures.sql.splitlines())
        yield f"- {figures.table or 'the tables'}, by this query:\n\n  ```sql\n{sql}\n  ```\n"


def _document_sources(evidence: Evidence) -> Iterable[str]:
    places: dict[str, list[str]] = {}
    for document, locator in _cited(evidence):
        known = places.setdefault(document, [])
        if locator and locator not in known:
            known.append(locator)
    return (f"- {document}{': ' + '; '.join(where) if where else ''}" for document, where in places.items())


def _cited(evidence: Evidence) -> list[tuple[str, str]]:
    """Return document and place of each quote and of each unit that is used."""
    units = [unit for figures in evidence.figures if (unit := evidence.unit_of(figures))]
    return [(quote.document, quote.locator) for quote in evidence.quotes] + [(u.document, u.locator) for u in units]


def _other_sources(evidence: Evidence) -> Iterable[str]:
    shown = {f.table for f in evidence.figures} | {document for document, _ in _cited(evidence)}
    return (f"- {name}" for name in dict.fromkeys(source.name for source in evidence.sources) if name not in shown)
