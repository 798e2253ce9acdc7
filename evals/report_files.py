"""The report of an evaluation as files: a page to look at, Markdown for a pull request, JSON for programs."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from evals.report_markdown import markdown
from evals.report_page import page
from evals.results import InvalidResults, SuiteResult, as_json, from_json

TITLE = "Recorded tasks"


def write_report(folder: Path, suites: Sequence[SuiteResult]) -> list[Path]:
    """Write a report into a folder and return its files; the same results give the same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    texts = {
        "report.html": page(suites, title=TITLE),
        "report.md": markdown(suites, title=TITLE),
        "results.json": json.dumps(as_json(suites), indent=1, ensure_ascii=False) + "\n",
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8", errors="backslashreplace")
    return [folder / name for name in texts]


def read_results(path: Path) -> list[SuiteResult]:
    """Return the results in a file that `write_report` or `eval run --json` wrote.

    Raises:
        InvalidResults: It cannot be read, or holds something else.
    """
    try:
        document: Any = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        msg = f"{path} cannot be read as results: {error}"
        raise InvalidResults(msg) from error
    return from_json(document)
