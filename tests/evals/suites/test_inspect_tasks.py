"""The same recorded tasks under inspect-ai: played by its runner, and our results in its logs."""

import asyncio
import gc
from pathlib import Path

import pytest

pytest.importorskip("inspect_ai")

from inspect_ai import eval as inspect_eval
from inspect_ai.log import EvalLog, list_eval_logs, read_eval_log

from domain.errors import InvalidSettings
from evals.inspect_logs import write_logs
from evals.results import SuiteResult, TaskResult, TurnScores
from evals.scoring.expectations import at_least, right
from evals.suites import UnknownSuite, inspect_tasks
from tests.evals.recorded import hand_written, recorded_suite

POINT = "[understudy.evaluation]\ndefault = understudy.evaluation.playing:open_player\n"


def shares(log: EvalLog, reducer: str = "mean") -> dict[str, float]:
    """Return each score's mean over the tasks."""
    assert log.results
    return {score.name: score.metrics["mean"].value for score in log.results.scores if score.reducer in (reducer, None)}


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # inspect leaves streams open
def test_inspect_plays_a_suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    suite, packages, logs = tmp_path / "root" / "coast", tmp_path / "packages", tmp_path / "logs"
    asyncio.run(recorded_suite(suite, ("wind",)))
    hand_written(suite, "not-yet")
    info = packages / "player-1.dist-info"  # a package offers the player, as the installed project does
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: player\nVersion: 1\n")
    (info / "entry_points.txt").write_text(POINT)
    monkeypatch.syspath_prepend(packages)
    (log,) = inspect_eval(
        f"{inspect_tasks.__file__}@recorded", task_args={"suite": "coast", "root": str(suite.parent)},
        log_dir=str(logs), display="none",
    )  # fmt: skip
    gc.collect()
    log = read_eval_log(log.location)
    assert (log.status, log.error, log.eval.model) == ("success", None, "none/none")
    assert shares(log) == {
        "passed": 0.5, "route.source": 1, "trajectory.agents": 1, "result.status": 1, "critique.monotone": 1,
    }  # fmt: skip
    samples = {sample.id: sample for sample in log.samples or ()}
    assert "strong in winter" in samples["wind"].output.completion
    assert "not recorded" in ((samples["not-yet"].scores or {})["passed"].explanation or "")


def test_what_is_asked_wrongly_is_told_before_anything_is_played(tmp_path: Path) -> None:
    hand_written(tmp_path / "coast", "wind")
    with pytest.raises(InvalidSettings, match="no mode 'junk'; there are: strict, tolerant, live"):
        inspect_tasks.recorded("coast", "junk", root=str(tmp_path))  # type: ignore[arg-type]  # as a person types it
    with pytest.raises(UnknownSuite, match="there are: coast"):
        inspect_tasks.recorded("coats", root=str(tmp_path))


def test_our_results_are_logs_that_inspect_reads(tmp_path: Path) -> None:
    def result(task: str, epoch: int, good: bool) -> TaskResult:
        scores = [right("route.source", good, "memory, not planner"), at_least("quality.critic", 0.8, 0.5)]
        return TaskResult(suite="coast", task=task, epoch=epoch, turns=[TurnScores(turn=1, scores=scores)])

    results = [result("wind", 1, True), result("wind", 2, False), result("rain", 1, True), result("rain", 2, True)]
    (path,) = write_logs(tmp_path, [SuiteResult(name="coast", results=results)], "strict")
    (found,) = list_eval_logs(str(tmp_path))
    assert Path(found.name.removeprefix("file://")) == path
    log = read_eval_log(found)
    assert (log.status, log.eval.task, log.eval.config.epochs) == ("success", "coast", 2)
    assert shares(log) == {"passed": 0.75, "route.source": 0.75, "quality.critic": 1}
    assert shares(log, "pass_k_2") == {"passed": 0.5, "route.source": 0.5, "quality.critic": 1}
    failed = next(sample for sample in log.samples or () if (sample.id, sample.epoch) == ("wind", 2))
    assert failed.scores
    assert failed.scores["passed"].explanation == "turn 1: route.source: memory, not planner"
