"""A recorded task as a folder of plain files, made to be read, compared and mended by hand.

    task.json      what was asked by whom, in which circumstances, and by which versions   written by the recorder
    before.json    what the workspace knew before: tasks, profile, rules                     written by the recorder
    calls.json     every model call with its answer and the hash of its request              written by the recorder
    tools.json     what tools gave that may give something else next time                    written by the recorder
    answers.json   how each turn ended, to tell whether a replay ends otherwise              written by the recorder
    expect.toml    what must come of it: one `[[turns]]` for each turn                       written by a person

All but `task.json` may be missing: then there is nothing in them.
"""

import json
import os
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from agents.exchanges.calls import Asked, RecordedCall, RecordedTool
from domain.errors import UserError
from evals.scoring.expectations import ExpectedTurn

FORMAT = 1
"""Version of the files; an older one is migrated when it is read."""
Migration = Callable[[dict[str, Any]], dict[str, Any]]
"""Takes all files of a task by their names, as data, from one version to the next."""
MIGRATIONS: Mapping[int, Migration] = {}
"""By the version that they start from."""
_FILES = ("task.json", "before.json", "calls.json", "tools.json", "answers.json", "expect.toml")
_SHOWN = 5
_LATEST = 253_402_300_800
"""The year 10000, which no calendar here knows."""

T = TypeVar("T")


class InvalidRecording(UserError):
    """A recorded task cannot be read; the message names the file and the place."""

    code = "invalid_recording"


class _Kept(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Turn(_Kept):
    """What the person did: said something, answered a question, or let its time pass."""

    say: str | None = None
    anew: bool = False
    """Whether what is said begins another conversation."""
    decide: list[dict[str, Any]] | None = None
    """Decisions in a client's form, one for each request of the open question."""
    wait: float | None = Field(default=None, gt=0)
    """Seconds that pass without an answer."""

    @model_validator(mode="after")
    def _one_thing(self) -> "Turn":
        if sum(value is not None for value in (self.say, self.decide, self.wait)) != 1:
            msg = "a turn has exactly one of say, decide and wait"
            raise ValueError(msg)
        return self


class TaskFile(_Kept):
    """Who asked what, in which circumstances."""

    format: int = FORMAT
    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,79}$")
    about: str = ""
    """What the task shows, in one sentence."""
    team: str
    """Name of a shipped team, or path of a team file relative to the task's folder."""
    turns: list[Turn] = Field(min_length=1)
    user: str = "local"
    started: float = Field(ge=0, lt=_LATEST)
    """Unix time in seconds at which the first turn came; a replay's clock begins there."""
    data: str | None = None
    """Folder of documents and tables, relative to the task's folder."""
    out: bool = True
    """Whether there is a folder to write to; each play has its own."""
    world: str | None = None
    """File with which a simulated world begins, relative to the task's folder; only a live play reads it."""
    settings: dict[str, Any] = Field(default_factory=dict)
    """Settings that differ from their defaults and are no secrets."""
    versions: dict[str, str] = Field(default_factory=dict)
    """Team, prompts, encoder, models and program that it was recorded with."""
    answered_by: str = ""
    """What gave the model's answers, and whether they were relayed."""


class Before(_Kept):
    """What the workspace knew when the task began."""

    tasks: list[dict[str, Any]] = Field(default_factory=list)
    """Remembered tasks (`memory.task_record.TaskRecord`) without the workspace; ages count back from the start:
    `created` and `updated` are seconds before it, written as numbers that are not positive."""
    profile: dict[str, Any] = Field(default_factory=dict)
    rules: list[dict[str, Any]] = Field(default_factory=list)
    """Hard rules in force."""
    tools: list[dict[str, Any]] = Field(default_factory=list)
    """Foreign tools as their sources described them when they were confirmed."""


class RecordedAnswer(_Kept):
    """How a turn ended."""

    status: str
    """That of the outcome; `asked` where a person is asked, `stopped` where it was stopped."""
    lines: list[str] = Field(default_factory=list)
    """The answer, or what is asked."""


class RecordedTask(NamedTuple):
    """Everything about one recorded task."""

    folder: Path
    task: TaskFile
    before: Before = Before()
    calls: tuple[RecordedCall, ...] = ()
    tools: tuple[RecordedTool, ...] = ()
    answers: tuple[RecordedAnswer, ...] = ()
    """One for each turn."""
    expected: tuple[ExpectedTurn, ...] = ()
    """One for each of the first turns."""

    @property
    def name(self) -> str:
        """The task's name."""
        return self.task.name

    @property
    def data(self) -> Path | None:
        """The folder of documents and tables."""
        return (self.folder / self.task.data).resolve() if self.task.data else None


class _Expectations(_Kept):
    turns: tuple[ExpectedTurn, ...] = ()


def read_task(folder: Path, *, migrations: Mapping[int, Migration] = MIGRATIONS) -> RecordedTask:
    """Return a recorded task.

    Raises:
        InvalidRecording: A file is missing, cut short or does not fit, or comes from a later version.
    """
    files = _migrated(folder, {name: _read(folder / name) for name in _FILES}, migrations)
    task = _parsed(TypeAdapter(TaskFile), folder / "task.json", files["task.json"])
    expected = _parsed(TypeAdapter(_Expectations), folder / "expect.toml", files["expect.toml"] or {}).turns
    if len(expected) > len(task.turns):
        msg = f"{folder / 'expect.toml'}: {len(expected)} turns are expected, the task has {len(task.turns)}"
        raise InvalidRecording(msg)
    return RecordedTask(
        folder=folder,
        task=task,
        before=_parsed(TypeAdapter(Before), folder / "before.json", files["before.json"] or {}),
        calls=_untouched(
            _parsed(TypeAdapter(tuple[RecordedCall, ...]), folder / "calls.json", files["calls.json"] or []),
            folder / "calls.json",
        ),
        tools=_parsed(TypeAdapter(tuple[RecordedTool, ...]), folder / "tools.json", files["tools.json"] or []),
        answers=_parsed(TypeAdapter(tuple[RecordedAnswer, ...]), folder / "answers.json", files["answers.json"] or []),
        expected=expected,
    )


def write_task(recorded: RecordedTask, hide: Callable[[Any], Any]) -> None:
    """Write what the recorder knows of a task; `expect.toml` belongs to people and is never written over.

    Args:
        recorded: The task.
        hide: Takes secrets out of a JSON value.

    Raises:
        InvalidRecording: A known secret is such a plain word that the task's own name or team would be hidden, or the
            folder cannot be written.
    """
    for name in (recorded.task.name, recorded.task.team):
        if hide(name) != name:
            msg = f"{name!r} holds what is known as a secret, so nothing is recorded; use a key that is no word"
            raise InvalidRecording(msg)
    parts: dict[str, Any] = {
        "task.json": recorded.task.model_dump(mode="json", exclude_defaults=True) | {"format": FORMAT},
        "before.json": recorded.before.model_dump(mode="json", exclude_defaults=True),
        "calls.json": [call.model_dump(mode="json", exclude_defaults=True) for call in recorded.calls],
        "tools.json": [tool.model_dump(mode="json", exclude_defaults=True) for tool in recorded.tools],
        "answers.json": [answer.model_dump(mode="json", exclude_defaults=True) for answer in recorded.answers],
    }
    hidden = {name: hide(value) for name, value in parts.items()}
    hidden["calls.json"] = [call | {"digest": _digest(call)} for call in hidden["calls.json"]]
    texts = {name: json.dumps(value, indent=1, ensure_ascii=False) + "\n" for name, value in hidden.items()}
    try:
        recorded.folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            _replace(recorded.folder / name, text)
    except OSError as error:
        raise InvalidRecording(f"{recorded.folder} cannot be written: {error.strerror}") from error


def _digest(call: dict[str, Any]) -> str:
    return Asked.model_validate(call["asked"]).digest


def _untouched(calls: tuple[RecordedCall, ...], path: Path) -> tuple[RecordedCall, ...]:
    """Return calls whose requests are those that were made; an edited answer is found again all the same."""
    for number, call in enumerate(calls, 1):
        if call.digest and call.digest != call.asked.digest:
            who = f"{call.role}{f' for step {call.step!r}' if call.step else ''}"
            msg = f"{path}: the request of call {number}, by {who}, was edited after it was recorded; record it again"
            raise InvalidRecording(msg)
    return calls


def _replace(path: Path, text: str) -> None:
    """Put a whole file in place of another, so that a recording is never cut short."""
    draft = path.with_name(f".{path.name}.new")
    # A half of a surrogate pair is written as JSON escapes it, since UTF-8 has no bytes for it.
    with draft.open("w", encoding="utf-8", errors="backslashreplace") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def _read(path: Path) -> Any:
    """Return what a file holds, or None where there is no file."""
    try:
        text = path.read_text(encoding="utf-8")
        return tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
    except FileNotFoundError:
        return None
    except json.JSONDecodeError as error:
        raise InvalidRecording(f"{path}, line {error.lineno}: not JSON ({error.msg}); was it cut short?") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError, OSError) as error:
        raise InvalidRecording(f"{path}: {error}") from error


def _migrated(folder: Path, files: dict[str, Any], migrations: Mapping[int, Migration]) -> dict[str, Any]:
    path = folder / "task.json"
    if not isinstance(files["task.json"], dict):
        msg = f"{path}: a recorded task begins with this file, a JSON object" if files["task.json"] else f"no {path}"
        raise InvalidRecording(msg)
    current = FORMAT if migrations is MIGRATIONS else max(migrations) + 1
    found = files["task.json"].get("format")
    while found != current:
        if not isinstance(found, int) or found not in migrations:
            msg = f"{path}: format {found!r} cannot be read by this version, which writes {FORMAT}"
            raise InvalidRecording(msg)
        files = migrations[found](files)
        found = files["task.json"]["format"]
    files["task.json"] = files["task.json"] | {"format": FORMAT}
    return files


def _parsed(form: TypeAdapter[T], path: Path, value: Any) -> T:
    try:
        return form.validate_python(value)
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, e['loc'])) or 'the whole'}: {e['msg']}" for e in error.errors()]
        more = f" (and {len(faults) - _SHOWN} more)" if len(faults) > _SHOWN else ""
        raise InvalidRecording(f"{path}: {'; '.join(faults[:_SHOWN])}{more}") from error
