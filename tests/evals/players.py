"""Players of plain tasks, for what concerns all players: each task's name says how it goes."""

import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from agents.exchanges.calls import Answered, Asked, RecordedCall, Said
from domain.errors import InvalidSettings, UnderstudyError
from domain.events import RunFinished, Stamped
from domain.outcomes import Outcome
from evals.playing import Played, PlayMode, Version
from evals.recording.task import RecordedTask, TaskFile, Turn, write_task
from evals.scoring.evidence import Evidence
from evals.suites import Suite
from graph.trace import Trace

LOG = "PLAYS"
"""Environment variable with the file that plays are written into: process and task."""
CALL = RecordedCall(
    role="planner",
    asked=Asked(model="openai:m", messages=[Said(role="user", lines=["Plan it"])]),
    answered=Answered(lines=["{}"], input_tokens=3, output_tokens=1),
)


def task_folder(suite: Path, name: str) -> Path:
    """Write a recorded task with one turn that should be done, and return its folder."""
    folder = suite / "tasks" / name
    task = TaskFile(name=name, team="documents", turns=[Turn(say="Find it")], started=1.0)
    write_task(RecordedTask(folder, task, calls=(CALL,)), lambda value: value)
    (folder / "expect.toml").write_text('[[turns]]\nresult = { status = ["done"] }\n')
    return folder


def suite_of(folder: Path, *names: str) -> Suite:
    """Write a suite of tasks."""
    return Suite(folder.name, folder, [task_folder(folder, name) for name in sorted(names)])


def evidence(status: str = "done") -> Evidence:
    """Return what a turn leaves behind that ends like this."""
    ended = RunFinished(outcome=Outcome.model_validate({"status": status, "answer": "found"}))
    stamped = Stamped(seq=1, time=1.0, workspace="w", thread="t", run="r", event=ended)
    return Evidence([stamped], Trace(run="r", thread="t", workspace="w", started=1.0, last=1.0))


class PlainPlayer:
    """Plays without a team."""

    async def play(self, task: RecordedTask, mode: PlayMode) -> Played:
        """Do what the task's name says."""
        _note(task.name)
        if task.name.startswith("dies"):
            os.kill(os.getpid(), signal.SIGKILL)
        if task.name.startswith("raises"):
            msg = "the player broke down"
            raise RuntimeError(msg)
        if task.name.startswith("refused"):
            msg = "it cannot be played"
            raise UnderstudyError(msg)
        return Played([evidence("failed" if task.name.startswith("fails") else "done")], model_seconds=[1.5])


def _note(name: str) -> None:
    with Path(os.environ[LOG]).open("a") as file:
        file.write(f"{os.getpid()} {name}\n")


@asynccontextmanager
async def open_plain(version: Version) -> AsyncIterator[PlainPlayer]:
    """Open a plain player."""
    yield PlainPlayer()


@asynccontextmanager
async def open_nothing(version: Version) -> AsyncIterator[PlainPlayer]:
    """Refuse to open."""
    msg = "there is no such team"
    raise InvalidSettings(msg)
    yield
