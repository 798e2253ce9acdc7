"""What a played task was worth: every turn held against what should come of it, and the play against its recording."""

from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path

from agents.exchanges.calls import RecordedCall
from evals.playing import Played, PlayMode
from evals.recording.replay import Drift
from evals.recording.task import RecordedTask
from evals.results import PromptDrift, TaskResult, TurnScores
from evals.scoring.evidence import Evidence
from evals.scoring.expectations import ExpectedTurn, Score
from evals.scoring.scorer import scored
from evals.turn_traces import turn_trace


def judged(suite: str, task: RecordedTask, played: Played, epoch: int = 1, *, mode: PlayMode = "strict") -> TaskResult:
    """Return what a play was worth; strictly, whatever is not as it was recorded is a failure, too."""
    turns = list(
        zip_longest(played.turns, task.expected[: len(played.turns)], played.model_seconds[: len(played.turns)])
    )
    return TaskResult(
        suite=suite,
        task=task.name,
        epoch=epoch,
        turns=[
            TurnScores(turn=number, scores=_scores(expected or ExpectedTurn(), seen, seconds, task.folder))
            for number, (seen, expected, seconds) in enumerate(turns, 1)
        ],
        traces=[
            turn_trace(number, did, seen)
            for number, (did, seen) in enumerate(zip(task.task.turns, played.turns, strict=False), 1)
        ],
        drifts=[_drift(drift) for drift in played.drifts],
        unused_calls=len(played.unused),
        changed_output=played.changed_output,
        faults=list(_faults(played)) if mode == "strict" else [],
        error=_error(task, played),
    )


def unplayable(suite: str, task: str, why: str, epoch: int = 1) -> TaskResult:
    """Return the result of a task that could not be played at all."""
    return TaskResult(suite=suite, task=task, epoch=epoch, error=why)


def _scores(expected: ExpectedTurn, seen: Evidence, seconds: float | None, folder: Path) -> list[Score]:
    """Return what the scorers found, without the places of this machine in it."""
    places = {str(place): name for place, name in ((seen.out, "out"), (seen.data, "data"), (folder, ".")) if place}
    return [_placeless(score, places) for score in scored(expected, seen, seconds)]


def _placeless(score: Score, places: dict[str, str]) -> Score:
    detail = score.detail
    for place, name in places.items():
        detail = detail.replace(place, name)
    return score if detail == score.detail else score.model_copy(update={"detail": detail})


def _drift(drift: Drift) -> PromptDrift:
    return PromptDrift(
        role=drift.role, step=drift.step, position=drift.position, diff=drift.diff, answered=drift.answered
    )


def _faults(played: Played) -> Iterator[str]:
    """Yield how a play departs from its recording: in what is asked, and in what comes out."""
    for drift in played.drifts:
        where = f"{drift.role or 'nobody'}{f' for step {drift.step}' if drift.step else ''}"
        yield f"prompt drift: call {drift.position} of {where} is not the recorded one"
    for call in played.unused:
        who = call.role or "nobody" if isinstance(call, RecordedCall) else f"the tool {call.tool}"
        where = f"{who}{f' for step {call.step}' if call.step else ''}"
        yield f"prompt drift: a recorded call of {where} was not made"
    if played.changed_output:
        yield "output drift: an answer is not the recorded one"


def _error(task: RecordedTask, played: Played) -> str:
    if played.error:
        return played.error.replace(f"{task.folder}/", "")
    if len(played.turns) < len(task.task.turns):
        return f"it ended after {len(played.turns)} of {len(task.task.turns)} turns"
    return ""
