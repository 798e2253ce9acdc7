"""One play of one task, from its folder to its result; a task that cannot be played is a result, too."""

from pathlib import Path
from typing import NamedTuple

from domain.errors import UnderstudyError
from evals.judging import judged, unplayable
from evals.playing import Player, PlayMode
from evals.recording.checked import checked_task
from evals.results import TaskResult
from evals.scoring.scorer import BREAKDOWNS


class Job(NamedTuple):
    """What is to be played."""

    suite: str
    folder: Path
    epoch: int
    mode: PlayMode

    @property
    def key(self) -> tuple[str, str, int]:
        """What names it among all."""
        return self.suite, self.folder.name, self.epoch


async def attempt(player: Player, job: Job) -> TaskResult:
    """Return what a play of a task gave."""
    try:
        task = checked_task(job.folder, recorded=job.mode != "live")
        if task.name != job.folder.name:
            return _failed(job, f"task.json: the task is called {task.name!r}, its folder {job.folder.name!r}")
        return judged(job.suite, task, await player.play(task, job.mode), job.epoch, mode=job.mode)
    except UnderstudyError as error:
        return _failed(job, str(error))
    except BREAKDOWNS as error:
        return _failed(job, f"{type(error).__name__}: {error}")


def _failed(job: Job, why: str) -> TaskResult:
    return unplayable(job.suite, job.folder.name, why.replace(f"{job.folder}/", ""), job.epoch)
