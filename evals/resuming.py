"""What was played before an interruption: a file to which each result is added, and which is read the next time.

A result counts only as long as nothing that it came from has changed: the task's files and data, what it is played
with, and the program itself.
"""

import hashlib
import json
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from domain.errors import UserError
from evals.attempts import Job
from evals.playing import Version
from evals.recording.task import InvalidRecording, read_task
from evals.results import TaskResult

_PROGRAM = ("agents", "domain", "evals", "graph", "memory", "prompts", "teams", "understudy")
_SOURCE = (".py", ".md", ".toml")


class InvalidProgress(UserError):
    """A file to resume from is something else."""

    code = "invalid_progress"


class _Line(BaseModel):
    model_config = ConfigDict(extra="forbid")

    suite: str
    task: str
    epoch: int
    digest: str
    result: TaskResult


class Progress:
    """Results of earlier plays, by what was played."""

    def __init__(self, path: Path, version: Version) -> None:
        self._path, self._version = path, version
        self._folders: dict[Path, str] = {}
        """Digests of what tasks share."""
        self._known = {(line.suite, line.task, line.epoch, line.digest): line.result for line in self._read()}

    def known(self, job: Job) -> TaskResult | None:
        """Return the result of a job that was played before."""
        return self._known.get((*job.key, self._digest(job)))

    def note(self, job: Job, result: TaskResult) -> None:
        """Add a result to the file."""
        suite, task, epoch = job.key
        line = _Line(suite=suite, task=task, epoch=epoch, digest=self._digest(job), result=result)
        with self._path.open("ab", buffering=0) as file:  # in one piece, since another run may write to it, too
            file.write(f"{line.model_dump_json()}\n".encode())

    def _read(self) -> list[_Line]:
        """Return the lines of the file; one that was cut short is left out, and ended so that others can follow."""
        if not self._path.exists():
            return []
        text = self._path.read_text(encoding="utf-8", errors="replace")
        lines = [line for line in map(_parsed, text.splitlines()) if line]
        if not text:
            return []
        if not lines:
            msg = (
                f"{self._path} holds no results of an interrupted run; name another file, or one that is not there yet"
            )
            raise InvalidProgress(msg)
        if not text.endswith("\n"):
            with self._path.open("a", encoding="utf-8") as file:
                file.write("\n")
        return lines

    def _digest(self, job: Job) -> str:
        shared = _shared(job.folder)
        for folder in shared:
            self._folders.setdefault(folder, _of_files(_files(folder, but="tasks"), folder))
        parts = [
            self._base,
            job.mode,
            _of_files(_files(job.folder), job.folder),
            *map(self._folders.__getitem__, shared),
        ]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    @cached_property
    def _base(self) -> str:
        """The digest of the program and of what it plays with."""
        root = Path(__file__).parents[1]
        source = (path for package in _PROGRAM for path in _files(root / package) if path.suffix in _SOURCE)
        suites = root / "evals" / "suites"
        named = [Path(self._version.team)] if self._version.team and Path(self._version.team).is_file() else []
        prompts = _files(self._version.prompts) if self._version.prompts else []
        parts = [
            self._version.model_dump_json(),
            _of_files((path for path in source if suites not in path.parents), root),
            _of_files([*named, *prompts]),
        ]
        return "\n".join(parts)


def _parsed(line: str) -> _Line | None:
    try:
        return _Line.model_validate_json(line)
    except ValidationError:
        return None


def _shared(task: Path) -> list[Path]:
    """Return the folders that a task may read beside its own: the suite's, and that of its data."""
    suite = task.parents[1]
    try:
        data = read_task(task).data
    except InvalidRecording:  # it fails when it is played
        data = None
    return [suite, data] if data and not data.is_relative_to(suite.resolve()) else [suite]


def _files(folder: Path, but: str = "") -> list[Path]:
    """Return the files below a folder, without hidden and compiled ones, and without one folder in it."""
    found = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return sorted(
        folder / path
        for path in found
        if path.parts[0] != but and not any(part[0] == "." or part == "__pycache__" for part in path.parts)
    )


def _of_files(paths: Iterable[Path], root: Path | None = None) -> str:
    found = [
        (str(path.relative_to(root)) if root else path.name, hashlib.sha256(path.read_bytes()).hexdigest())
        for path in paths
    ]
    return hashlib.sha256(json.dumps(found).encode()).hexdigest()
