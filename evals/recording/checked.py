"""Whether a recorded task is fit to be played: complete, recorded, and without secrets."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from agents.exchanges.calls import RecordedCall
from domain.findings import Kind
from domain.redaction import redacted_value
from evals.recording.task import InvalidRecording, RecordedTask, read_task

SECRETS: Mapping[Kind, str] = {"card": "a card number", "iban": "an account number", "key": "a key or a password"}
"""What no file of a recording may hold, and how it is called."""
_RECORDED = ("calls.json", "tools.json", "answers.json", "before.json")
"""What the recorder always writes, even where there is nothing in it."""


class NotRecorded(InvalidRecording):
    """The task was written by hand, and nobody has recorded it yet."""

    code = "not_recorded"


def checked_task(folder: Path, *, recorded: bool = True) -> RecordedTask:
    """Return a task that can be played.

    Args:
        folder: Of the task.
        recorded: Whether it is to be played from its recording.

    Raises:
        NotRecorded: There is no recording.
        InvalidRecording: It cannot be read, something that it refers to is not there, or it holds a secret.
    """
    task = read_task(folder)
    _check_references(task)
    if recorded:
        _check_complete(folder)
    _check_secrets(task)
    return task


def _check_references(task: RecordedTask) -> None:
    named = {"data": task.task.data, "world": task.task.world}
    for field, place in named.items():
        if place and not (task.folder / place).exists():
            msg = f"task.json: there is no {place}, which {field!r} names"
            raise InvalidRecording(msg)


def _check_complete(folder: Path) -> None:
    if not (folder / "calls.json").exists():
        msg = f"not recorded: there is no calls.json; understudy eval record --again {folder.name} writes it"
        raise NotRecorded(msg)
    for name in _RECORDED:
        if not (folder / name).exists():
            msg = f"{name} is missing: the recorder writes it with calls.json, even where there is nothing in it"
            raise InvalidRecording(msg)


def _check_secrets(task: RecordedTask) -> None:
    parts: dict[str, Iterator[Any]] = {
        "task.json": iter([task.task.model_dump(mode="json", exclude={"name", "versions", "started"})]),
        "before.json": iter([task.before.model_dump(mode="json")]),
        "calls.json": (text for call in task.calls for text in _texts(call)),
        "tools.json": (tool.model_dump(mode="json") for tool in task.tools),
        "answers.json": ("\n".join(answer.lines) for answer in task.answers),
    }
    for name, values in parts.items():
        seen: set[str] = set()  # the calls of a run repeat each other
        for value in values:
            form = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
            if form not in seen and (kind := _secret(value)):
                msg = f"{name} holds what looks like {kind}; take it out, or record the task again"
                raise InvalidRecording(msg)
            seen.add(form)


def _texts(call: RecordedCall) -> Iterator[Any]:
    """Yield what was said in a call, each message in one piece: a key may go over several lines."""
    for message in call.asked.messages:
        yield "\n".join(message.lines)
        yield message.calls
    yield call.asked.tools
    yield call.reason
    if call.answered:
        yield "\n".join(call.answered.lines)
        yield [each["args"] for each in (*call.answered.calls, *call.answered.broken)]


def _secret(value: Any) -> str:
    """Return what kind of secret a value holds, for a sentence; empty where it holds none."""
    if redacted_value(value, SECRETS) == value:
        return ""
    return next(words for kind, words in SECRETS.items() if redacted_value(value, (kind,)) != value)
