"""What a recorded conversation takes along of this machine: its team file, and the folder that it worked on."""

import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from agents.exchanges.logged import hidden
from agents.tools.extraction import Unreadable, decoded
from agents.tools.folders import Found, scan
from domain.findings import Kind
from domain.redaction import redacted_value
from domain.secrets import Secrets
from evals.recording.task import InvalidRecording
from understudy.evaluation.turns import NotRecordable

MAX_DATA_BYTES = 20_000_000
"""That a task may take with it of the folder that it worked on."""
DATA, TEAM = "data", "team.toml"
_OWN = ("task.json", TEAM, DATA)
"""What makes a folder that of a task."""
_SECRET_KINDS: tuple[Kind, ...] = ("card", "iban", "key")
"""What is taken out of a recording; the models were not told it either."""
_NO_TEXT = b"%PDF"
"""Beginning of a file that may look like a text and is none."""


def hider(secrets: Secrets) -> Callable[[Any], Any]:
    """Return what takes secrets out of a JSON value: those that are known, and what looks like one."""
    return lambda value: hidden(value, lambda part: redacted_value(secrets.value(part), _SECRET_KINDS))


def check_place(folder: Path) -> None:
    """Raise `NotRecordable` where a folder holds what would be written over, or mixed with what is taken along."""
    if taken := [name for name in _OWN if os.path.lexists(folder / name)]:
        msg = f"{folder} already holds a recorded task, or what is left of one: {', '.join(taken)}"
        raise NotRecordable(msg)


def clear_place(folder: Path) -> None:
    """Leave nothing behind of a task that could not be recorded whole; `check_place` saw that it is ours."""
    for name in _OWN:
        if (folder / name).is_dir():
            shutil.rmtree(folder / name, ignore_errors=True)
        else:
            with suppress(OSError):
                (folder / name).unlink()


def taken_team(team: str, folder: Path, secrets: Secrets) -> str:
    """Return a team as a task names it: a shipped one as it is, a file by its copy beside the task.

    Raises:
        InvalidRecording: It cannot be copied.
    """
    if not team.endswith(".toml"):
        return team
    try:
        _write(folder / TEAM, _without_secrets(Path(team), secrets))
    except OSError as error:
        raise InvalidRecording(f"{team} cannot be taken along: {error}") from error
    return TEAM


def taken_data(data: str | None, folder: Path, secrets: Secrets) -> str | None:
    """Copy the folder that a conversation worked on, as far as its tools may read it, and return what it is called.

    Texts and names of files come without secrets; what is no text comes as it is.

    Raises:
        NotRecordable: The folder is too large to be kept beside a test, or a file that is no text holds a secret.
        InvalidRecording: Something cannot be copied.
    """
    if data is None:
        return None
    files = [file for file in scan(Path(data)) if not file.problem]
    if (size := sum(file.stamp[1] for file in files)) > MAX_DATA_BYTES:
        msg = f"{data} has {size:,} bytes; a recorded task takes up to {MAX_DATA_BYTES:,} along"
        raise NotRecordable(msg)
    for file in files:
        _take(file, folder / DATA, secrets)
    (folder / DATA).mkdir(parents=True, exist_ok=True)
    return DATA


def _take(file: Found, to: Path, secrets: Secrets) -> None:
    name = str(hider(secrets)(file.name))
    if (to / name).exists():
        msg = f"two files are called {name!r} once secrets are taken out of their names; rename one"
        raise NotRecordable(msg)
    try:
        _write(to / name, _without_secrets(file.path, secrets))
    except OSError as error:
        raise InvalidRecording(f"{name!r} cannot be taken along: {error.strerror}") from error


def _without_secrets(path: Path, secrets: Secrets) -> bytes:
    """Return what a file holds; a text that held a secret is written anew, in UTF-8."""
    content = path.read_bytes()
    try:
        text = decoded(content) if not content.startswith(_NO_TEXT) else None
    except Unreadable:
        text = None
    if text is None:
        bare = content.decode("latin-1")
        if secrets.text(bare) != bare:
            msg = f"{secrets.text(path.name)!r} holds a secret of this installation and is no text; take it out"
            raise NotRecordable(msg)
        return content
    without = str(hider(secrets)(text))
    return content if without == text else without.encode("utf-8")


def _write(copy: Path, content: bytes) -> None:
    copy.parent.mkdir(parents=True, exist_ok=True)
    copy.write_bytes(content)
