"""A comparison as files: the page with its tables, Markdown for a pull request, JSON for programs."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from evals.comparison import Comparison, Flip
from evals.report_page import page
from evals.report_parts import between, figure
from evals.results import SuiteResult


def write_comparison(folder: Path, comparison: Comparison, after: Sequence[SuiteResult], *, title: str) -> list[Path]:
    """Write a comparison into a folder and return its files; the same results give the same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    texts = {
        "comparison.html": page(after, title=title, comparison=comparison),
        "comparison.md": markdown(comparison, title=title),
        "comparison.json": json.dumps(as_json(comparison), indent=1, ensure_ascii=False) + "\n",
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8", errors="backslashreplace")
    return [folder / name for name in texts]


def as_json(comparison: Comparison) -> dict[str, Any]:
    """Return a comparison as one JSON object."""
    return comparison.model_dump(mode="json") | {"regressed": comparison.regressed}


def markdown(comparison: Comparison, *, title: str) -> str:
    """Return a comparison as Markdown."""
    head = ["metric", "before", "after", "change", "95 % interval", "tasks", "verdict"]
    rows = [head, ["---", *["---:"] * 5, "---"], *metric_rows(comparison)]
    lines = [f"# {title}", "", *(f"| {' | '.join(_cell(cell) for cell in row)} |" for row in rows), ""]
    for flip in comparison.flips:
        lines += [f"- **{_cell(flip.suite)}/{_cell(flip.task)}** now {flip.to}", *map(_nested, flip_lines(flip))]
    return "\n".join([*lines, "", *drift_lines(comparison)]).rstrip() + "\n"


def metric_rows(comparison: Comparison) -> list[list[str]]:
    """Return one row for each metric: name, before, after, change, interval, tasks, verdict."""
    return [
        [
            m.metric,
            figure(m.before),
            figure(m.after),
            figure(m.change, signed=True),
            between(m.interval),
            str(m.tasks),
            m.verdict,
        ]
        for m in comparison.metrics
    ]


def flip_lines(flip: Flip) -> Iterator[str]:
    """Yield why a task flipped, and where its two traces part."""
    yield from flip.why
    if parts := flip.parts:
        yield f"turn {parts.turn} parts at: {parts.before or '(nothing)'}"
        yield f"turn {parts.turn} has there now: {parts.after or '(nothing)'}"


def drift_lines(comparison: Comparison) -> Iterator[str]:
    """Yield, apart, in which tasks other things are asked, and in which other things come out."""
    for what, tasks in (("Prompt", comparison.prompt_drift), ("Output", comparison.output_drift)):
        if tasks:
            yield f"{what} drift in {len(tasks)}: {', '.join(tasks)}"
    for what, tasks in (("before", comparison.only_before), ("after", comparison.only_after)):
        if tasks:
            yield f"Only {what}: {', '.join(tasks)}"


def _nested(line: str) -> str:
    return f"  - {_cell(line)}"


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").replace("<", "&lt;").split())
