"""A commit as a version: its tree in a folder of its own, which plays the present recordings and is gone afterwards."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from domain.errors import UserError

_EVALUATES = Path("understudy") / "cli" / "evaluate.py"
_TOLD = 400
"""Characters of what a commit's program said that are repeated."""
_GONE_SECONDS = 10.0
"""So long an interrupted program may take to end by itself."""


class UnknownCommit(UserError):
    """The repository has no such commit, or there is no repository."""

    code = "unknown_commit"


class UnplayableCommit(UserError):
    """The program of a commit cannot play recorded tasks."""

    code = "unplayable_commit"


def results_of_commit(root: Path, revision: str, arguments: Sequence[str]) -> dict[str, Any]:
    """Return what `eval run --json` of a commit gives.

    Args:
        root: A folder of the repository.
        revision: Anything that git understands.
        arguments: Of `eval run`, beside `--json`.

    Raises:
        UnknownCommit: There is no such commit.
        UnplayableCommit: Its program cannot do it.
    """
    with worktree(root, revision) as tree:
        return _played(tree, revision, arguments)


@contextmanager
def worktree(root: Path, revision: str) -> Iterator[Path]:
    """Check a commit out into a temporary folder, and take it away again whatever happens.

    Raises:
        UnknownCommit: There is no such commit, or `root` is in no repository.
    """
    if refused := _git(root, "rev-parse", "--git-dir").refused:
        msg = f"the program is in '{root}', where git finds no commits: {refused}"
        raise UnknownCommit(msg)
    commit = _git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}").printed
    if not commit:
        msg = f"the repository of '{root}' has no commit {revision!r:.80}"
        raise UnknownCommit(msg)
    with tempfile.TemporaryDirectory(prefix="understudy-commit-") as folder:
        tree = Path(folder) / "tree"
        try:
            if refused := _git(root, "worktree", "add", "--quiet", "--detach", str(tree), commit).refused:
                msg = f"commit {revision!r:.80} could not be checked out into '{tree}': {refused}"
                raise UnknownCommit(msg)
            yield tree
        finally:
            _git(root, "worktree", "remove", "--force", str(tree))


class _Said(NamedTuple):
    """What git said."""

    printed: str
    refused: str
    """Why it did not do it; empty where it did."""


def _git(root: Path, *arguments: str) -> _Said:
    try:
        done = subprocess.run(["git", "-C", root, *arguments], capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        msg = "a commit is compared by means of git, which is not installed"
        raise UnknownCommit(msg) from error
    if done.returncode:
        return _Said("", " ".join(done.stderr.split())[:_TOLD] or f"git ended with {done.returncode}")
    return _Said(done.stdout.strip(), "")


def _played(tree: Path, revision: str, arguments: Sequence[str]) -> dict[str, Any]:
    if not (tree / _EVALUATES).is_file():  # without it an installed program would be played in its place
        msg = f"commit {revision!r:.80} cannot play recorded tasks: it has no `eval run` yet"
        raise UnplayableCommit(msg)
    command = [sys.executable, "-m", "understudy", "eval", "run", "--json", *arguments]
    environment = os.environ | {"PYTHONPATH": str(tree)}
    pipe, nothing = subprocess.PIPE, subprocess.DEVNULL
    process = subprocess.Popen(
        command, cwd=tree, env=environment, text=True, stdin=nothing, stdout=pipe, stderr=pipe,
        process_group=0,  # Ctrl-C reaches all processes of a terminal; it is told once, by this one
    )  # fmt: skip
    try:
        printed, told = process.communicate()
    except BaseException:
        _end(process)
        raise
    with suppress(json.JSONDecodeError):  # a program that failed may have printed anything
        found = json.loads(printed)
        if isinstance(found, dict) and "suites" in found:
            return found
    said = " ".join(told.split())[-_TOLD:]
    msg = f"commit {revision!r:.80} cannot play recorded tasks: `eval run` ended with {process.returncode}: {said}"
    raise UnplayableCommit(msg)


def _end(process: subprocess.Popen[str]) -> None:
    """Interrupt a program, so that it can end its own processes first; one that does not is killed."""
    process.send_signal(signal.SIGINT)
    try:
        process.communicate(timeout=_GONE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
