"""The suites as tasks of inspect-ai: `inspect eval evals/suites/inspect_tasks.py@marketing -T mode=tolerant`.

Each recorded task is a sample; the solver plays it with the installed product, and no model of inspect's is asked.
"""

from pathlib import Path
from typing import get_args

from inspect_ai import Epochs, Task, task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import ModelOutput
from inspect_ai.scorer import Score, Scorer, Target, mean, scorer, stderr
from inspect_ai.solver import Generate, Solver, TaskState, solver
from inspect_ai.util import concurrency

from domain.errors import InvalidSettings
from evals.attempts import Job, attempt
from evals.inspect_logs import NO_MODEL, PASSED, details_of, messages_of, reducers, scores_of
from evals.playing import PlayMode, Version, installed_player
from evals.suites import Suite, found


@task
def audio(mode: PlayMode = "strict", epochs: int = 1) -> Task:
    """Audio analysis delegated between models of different capability."""
    return recorded("audio", mode, epochs)


@task
def documents(mode: PlayMode = "strict", epochs: int = 1) -> Task:
    """Search, summary, comparison and analysis of documents and tables."""
    return recorded("documents", mode, epochs)


@task
def home(mode: PlayMode = "strict", epochs: int = 1) -> Task:
    """A household's devices."""
    return recorded("home", mode, epochs)


@task
def marketing(mode: PlayMode = "strict", epochs: int = 1) -> Task:
    """Posts, campaigns and their review."""
    return recorded("marketing", mode, epochs)


@task
def operations(mode: PlayMode = "strict", epochs: int = 1) -> Task:
    """Parameters of a running service."""
    return recorded("operations", mode, epochs)


@task
def recorded(suite: str, mode: PlayMode = "strict", epochs: int = 1, root: str | None = None) -> Task:
    """Any suite by name.

    Args:
        suite: Name of the suite.
        mode: How its recordings answer: strict, tolerant or live.
        epochs: How often each task is played.
        root: Folder of suites; those of the project where it is None.

    Raises:
        InvalidSettings: There is no such mode.
        UnknownSuite: There is no such suite.
    """
    if mode not in get_args(PlayMode):
        msg = f"there is no mode {mode!r}; there are: {', '.join(get_args(PlayMode))}"
        raise InvalidSettings(msg)
    (chosen,) = found([suite], Path(root) if root else None)
    return Task(
        dataset=MemoryDataset(_samples(chosen), name=suite),
        solver=play(str(chosen.folder), mode),
        scorer=passed(),
        metrics=[mean(), stderr()],
        epochs=Epochs(epochs, reducers(epochs)),
        name=suite,
        model=NO_MODEL,
    )


def _samples(suite: Suite) -> list[Sample]:
    return [Sample(input=folder.name, id=folder.name) for folder in suite.tasks]


@solver
def play(suite: str, mode: PlayMode = "strict") -> Solver:
    """Play a recorded task.

    Args:
        suite: Folder of the suite.
        mode: How its recordings answer.
    """
    folder = Path(suite)

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        job = Job(folder.name, folder / "tasks" / str(state.sample_id), state.epoch, mode)
        # One at a time: a play is the processor's work, and live worlds are named by the process's environment.
        async with concurrency("recorded task", 1, visible=False), installed_player()(Version()) as player:
            result = await attempt(player, job)
        state.messages = messages_of(result) or state.messages
        answer = result.traces[-1].answer if result.traces else ""
        state.output = ModelOutput.from_content(NO_MODEL, answer or result.error)
        state.metadata |= details_of(result)
        state.scores = scores_of(result)
        state.store.set(PASSED, state.scores.pop(PASSED).model_dump(mode="json"))
        return state

    return solve


@scorer(metrics=[mean(), stderr()])
def passed() -> Scorer:
    """Say whether the task passed; the solver has scored it in all respects, while its files were there."""

    async def score(state: TaskState, target: Target) -> Score:
        return Score.model_validate(state.store.get(PASSED))

    return score
