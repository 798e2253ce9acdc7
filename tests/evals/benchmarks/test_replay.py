from pathlib import Path

import pytest

from evals.benchmarks.replay import run
from evals.suites import UnknownRecording
from tests.evals.players import LOG, open_plain, suite_of


def test_recorded_tasks_are_replayed_and_say_the_same_each_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "plays"
    monkeypatch.setenv(LOG, str(log))
    suite = suite_of(tmp_path / "garden", "a", "b", "c", "fails", "never-recorded")
    (tmp_path / "garden" / "tasks" / "never-recorded" / "calls.json").unlink()
    report = run([suite], open_plain, rounds=2, processes=1)
    assert {key: report.figures[key] for key in ("tasks", "turns", "tasks_passed", "reports")} == {
        "tasks": 4, "turns": 4, "tasks_passed": 3, "reports": 1,
    }  # fmt: skip
    assert sorted(line.split()[1] for line in log.read_text().splitlines()) == sorted(["a", "b", "c", "fails"] * 2)
    assert {aim.figure for aim in report.aims} <= set(report.figures)


def test_suites_without_a_recording_are_refused(tmp_path: Path) -> None:
    suite = suite_of(tmp_path / "garden", "a")
    (suite.tasks[0] / "calls.json").unlink()
    with pytest.raises(UnknownRecording, match="no task of garden is recorded"):
        run([suite], open_plain)
