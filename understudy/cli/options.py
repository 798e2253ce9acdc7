"""The options that several commands share, and how a goal is read."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from domain.errors import InvalidGoal
from domain.goals import checked_goal

_MAX_STDIN_BYTES = 8_000_000
"""Far beyond the longest goal; an endless stdin must not fill the memory."""


def new_file(path: Path | None) -> Path | None:
    """Return a file that will be written, or refuse it before any work is done for it."""
    if path is None or os.access(path if path.exists() else path.absolute().parent, os.W_OK):
        return path
    folder = path.absolute().parent
    msg = f"'{path}' cannot be written" if folder.is_dir() else f"there is no folder '{folder}'"
    raise typer.BadParameter(msg)


def new_folder(path: Path) -> Path:
    """Make a folder that will be written to, or refuse it before any work is done for it."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        msg = f"'{path}' cannot be written: {error.strerror}"
        raise typer.BadParameter(msg) from error
    if not os.access(path, os.W_OK):
        msg = f"'{path}' cannot be written"
        raise typer.BadParameter(msg)
    return path


Team = Annotated[
    str | None, typer.Option("--team", metavar="NAME|FILE", help="Team that works: a shipped one or a team file.")
]
Workspace = Annotated[
    str | None, typer.Option("--workspace", metavar="NAME", help="Memory to use; workspaces see nothing of each other.")
]
Data = Annotated[
    Path | None,
    typer.Option(
        "--data",
        metavar="DIR",
        exists=True,
        file_okay=False,
        resolve_path=True,
        help="Folder of documents and tables that may be read.",
    ),
]
Out = Annotated[
    Path | None,
    typer.Option("--out", metavar="DIR", file_okay=False, resolve_path=True, help="Folder that may be written to."),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Approve everything that is asked.")]
Decide = Annotated[
    Path | None,
    typer.Option(
        "--decide",
        metavar="FILE",
        exists=True,
        dir_okay=False,
        help="Answer from a JSON or JSON Lines file of decisions; with --yes, what it lacks is approved.",
    ),
]
Png = Annotated[
    Path | None,
    typer.Option("--png", metavar="FILE", dir_okay=False, callback=new_file, help="Draw it, too, into this PNG file."),
]
Unredacted = Annotated[
    bool, typer.Option("--unredacted", help="Leave keys, account numbers and addresses in what is written.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on stdout and nothing else there.")]


def goal_from(argument: str) -> str:
    """Return the goal that an argument stands for, `-` meaning stdin, or raise `InvalidGoal`."""
    if argument != "-":
        return checked_goal(argument)
    try:
        return checked_goal(sys.stdin.buffer.read(_MAX_STDIN_BYTES).decode())
    except UnicodeDecodeError as error:
        msg = f"the goal on stdin is not UTF-8 text (byte {error.start})"
        raise InvalidGoal(msg) from error
