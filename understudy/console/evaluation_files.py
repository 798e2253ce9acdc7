"""Where results of evaluations lie, and what is in them: only files below the folders of the workspace are read."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from evals.comparison import Comparison, compared
from evals.report_files import read_results
from evals.report_page import page
from evals.results import InvalidResults, SuiteResult
from understudy.settings import Settings

MAX_FILES = 200
"""Files that are listed, the latest."""
MAX_BYTES = 64 * 1024 * 1024
"""Of one file; larger ones are left to the command line."""
_DEPTH = 3
_MOST_SEEN = 5000
"""Entries of folders that are looked at."""
_BEGINNING = 200
"""Bytes in which a file of results says what it is."""


class ResultsFile(NamedTuple):
    """A file that looks like results."""

    name: str
    """Folder and path below it, with `/`."""
    path: Path
    changed: float
    """Unix time in seconds."""
    bytes: int


class Summed(NamedTuple):
    """What is in a file of results, in short."""

    file: ResultsFile
    suites: int
    tasks: int
    passed: int
    problem: str = ""
    """Why it cannot be read."""


def folders_of(settings: Settings, home_workspace: str, workspace: str) -> dict[str, Path]:
    """Return the folders of a workspace by the names that they are shown under.

    The output folder belongs to the workspace that the installation is set up for: others may not look into it.

    Args:
        settings: What is configured.
        home_workspace: The installation's own workspace.
        workspace: The one that is meant.
    """
    found = {"evaluations": settings.home / "evaluations" / workspace}
    return found | ({"out": settings.out} if settings.out and workspace == home_workspace else {})


def results_in(folders: Mapping[str, Path]) -> list[ResultsFile]:
    """Return the files that look like results, the latest first; links are not followed."""
    found = [file for name, folder in folders.items() for file in _below(name, folder)]
    return sorted(found, key=lambda file: (-file.changed, file.name))[:MAX_FILES]


def named(folders: Mapping[str, Path], name: str) -> ResultsFile:
    """Return the file of a name that the list has.

    Raises:
        InvalidResults: There is none.
    """
    for file in results_in(folders):
        if file.name == name:
            return file
    msg = f"there are no results {name!r:.200} any more"
    raise InvalidResults(msg)


def summed(file: ResultsFile) -> Summed:
    """Return what is in a file, in short."""
    try:
        suites = _read(file)
    except InvalidResults as error:
        return Summed(file, 0, 0, 0, str(error))
    return Summed(file, len(suites), sum(len(s.tasks) for s in suites), sum(s.passed for s in suites))


def report(file: ResultsFile) -> str:
    """Return results as a page that needs nothing else.

    Raises:
        InvalidResults: The file cannot be read.
    """
    return page(_read(file), title=file.name)


def compared_report(before: ResultsFile, after: ResultsFile) -> tuple[Comparison, str]:
    """Return how the second results differ from the first, and that as a page.

    Raises:
        InvalidResults: One of them cannot be read.
        NothingInCommon: They are of other tasks.
    """
    one, other = _read(before), _read(after)
    found = compared(
        [result for suite in one for result in suite.results], [result for suite in other for result in suite.results]
    )
    return found, page(other, title=f"{before.name} and {after.name}", comparison=found)


def _read(file: ResultsFile) -> list[SuiteResult]:
    if file.bytes > MAX_BYTES:
        msg = f"{file.name} has {file.bytes:,} bytes; see it with: understudy eval report"
        raise InvalidResults(msg)
    return read_results(file.path)


def _below(name: str, folder: Path) -> Iterator[ResultsFile]:
    seen = 0
    for place, inner, files in os.walk(folder):
        depth = len(Path(place).relative_to(folder).parts)
        inner[:] = sorted(each for each in inner if depth < _DEPTH and not each.startswith("."))
        for file in sorted(files):
            seen += 1
            if seen > _MOST_SEEN:
                return
            path = Path(place, file)
            if file.endswith(".json") and _looks_right(path):
                status = path.stat()
                below = path.relative_to(folder).as_posix()
                yield ResultsFile(f"{name}/{below}", path, status.st_mtime, status.st_size)


def _looks_right(path: Path) -> bool:
    """Return whether a file is a plain one that begins as results do."""
    if path.is_symlink() or not path.is_file():
        return False
    try:
        with path.open("rb") as opened:
            beginning = opened.read(_BEGINNING)
    except OSError:
        return False
    return beginning.lstrip().startswith(b"{") and b'"suites"' in beginning
