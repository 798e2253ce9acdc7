"""The suites of recorded tasks, one for each team, with what their tools talk to.

A suite is a folder with a folder `tasks` in it; whatever else it holds is its own.
"""

from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import NamedTuple

from domain.errors import UserError


class UnknownSuite(UserError):
    """There is no suite of this name; the message names those there are."""

    code = "unknown_suite"


class UnknownRecording(UserError):
    """No suite that was named has a task of this name, or any."""

    code = "unknown_recording"


class Suite(NamedTuple):
    """Recorded tasks that belong together."""

    name: str
    folder: Path
    tasks: list[Path]
    """A folder each, by name."""


def found(names: Sequence[str] = (), root: Path | None = None) -> list[Suite]:
    """Return suites by name, in the order of their names; all there are where none is named.

    Args:
        names: Which.
        root: Folder of suites; those of the project where it is None.

    Raises:
        UnknownSuite: There is none of a name, or none at all.
        UnknownRecording: None of them has a task, so that nothing would be proved.
    """
    root = root or Path(__file__).parent
    there = {path.parent.name: path.parent for path in sorted(root.glob("*/tasks")) if path.is_dir()}
    if unknown := sorted(set(names) - there.keys()):
        msg = f"there is no suite {', '.join(map(repr, unknown))} in {root}; there are: {', '.join(there) or 'none'}"
        raise UnknownSuite(msg)
    if not there:
        msg = f"there are no suites in {root}: a suite is a folder with a folder 'tasks' in it"
        raise UnknownSuite(msg)
    suites = [_suite(there[name]) for name in sorted(set(names) or there)]
    if not any(suite.tasks for suite in suites):
        msg = f"there are no tasks in {', '.join(suite.name for suite in suites)} of {root}"
        raise UnknownRecording(msg)
    return suites


def chosen(suites: Sequence[Suite], tasks: Sequence[str]) -> list[Suite]:
    """Return the suites with some of their tasks only, without those that have none of them.

    Raises:
        UnknownRecording: There is none of a name.
    """
    there = {folder.name for suite in suites for folder in suite.tasks}
    if unknown := sorted(set(tasks) - there):
        near = [each for name in unknown for each in get_close_matches(name, there, n=1)]
        msg = f"there is no task {', '.join(map(repr, unknown))} in {', '.join(suite.name for suite in suites)}"
        raise UnknownRecording(msg + (f"; did you mean {' or '.join(near)}?" if near else ""))
    left = [suite._replace(tasks=[folder for folder in suite.tasks if folder.name in tasks]) for suite in suites]
    return [suite for suite in left if suite.tasks]


def _suite(folder: Path) -> Suite:
    tasks = sorted(path for path in (folder / "tasks").iterdir() if path.is_dir() and path.name[0] not in "._")
    return Suite(folder.name, folder, tasks)
