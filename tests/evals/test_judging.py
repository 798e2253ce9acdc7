"""What a play is worth: scores by turn, and strictly every departure from the recording."""

from pathlib import Path

import pytest

from evals.judging import judged
from evals.playing import Played, PlayMode
from evals.recording.replay import Drift
from evals.recording.task import RecordedTask, read_task
from tests.evals.players import CALL, evidence, task_folder

DRIFT = Drift("planner", "look", 2, "-old\n+new", answered=True)


@pytest.fixture
def task(tmp_path: Path) -> RecordedTask:
    return read_task(task_folder(tmp_path / "s", "t"))


def test_a_play_like_its_recording_passes_and_its_seconds_are_the_recorded_ones(task: RecordedTask) -> None:
    result = judged("s", task, Played([evidence()], model_seconds=[1.5]), 3)
    assert (result.passed, result.failures, result.epoch) == (True, [], 3)
    assert result.metrics()["efficiency.model_seconds"] == 1.5
    assert [trace.answer for trace in result.traces] == ["found"]


@pytest.mark.parametrize(
    ("played", "fault"),
    [
        (
            Played([evidence()], drifts=[DRIFT]),
            "prompt drift: call 2 of planner for step look is not the recorded one",
        ),
        (Played([evidence()], unused=[CALL]), "prompt drift: a recorded call of planner was not made"),
        (Played([evidence()], changed_output=True), "output drift: an answer is not the recorded one"),
    ],
)
@pytest.mark.parametrize("mode", ["strict", "tolerant", "live"])
def test_departures_fail_strictly_and_are_told_otherwise(
    task: RecordedTask, played: Played, fault: str, mode: PlayMode
) -> None:
    result = judged("s", task, played, mode=mode)
    assert result.failures == ([fault] if mode == "strict" else [])
    assert (len(result.drifts), result.unused_calls, result.changed_output) == (
        len(played.drifts), len(played.unused), played.changed_output,
    )  # fmt: skip


def test_turns_that_were_not_played_fail(task: RecordedTask) -> None:
    assert judged("s", task, Played([])).failures == ["it ended after 0 of 1 turns"]


def test_the_places_of_this_machine_stay_out_of_what_is_told(task: RecordedTask) -> None:
    (task.folder / "expect.toml").write_text('[[turns]]\nresult = { status = ["done"], files = ["*.md"] }\n')
    played = Played([evidence()], error=f"turn 2: {task.folder}/task.json is odd")
    assert judged("s", read_task(task.folder), played).failures[0] == "turn 2: task.json is odd"
