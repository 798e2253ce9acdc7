"""Suites played: what is broken is named and the rest goes on, in the same order, in any number of processes."""

import asyncio
import json
import os
from multiprocessing import Pipe
from pathlib import Path

import pytest

from domain.errors import InvalidSettings
from evals.playing import Version
from evals.processes import served
from evals.results import SuiteResult, TaskResult, as_json, from_json
from evals.resuming import InvalidProgress
from evals.running import run_suites
from tests.evals.players import LOG, open_nothing, open_plain, suite_of, task_folder


@pytest.fixture(autouse=True)
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "log"
    path.write_text("")
    monkeypatch.setenv(LOG, str(path))
    return path


def played(log: Path) -> list[str]:
    return [line.split()[1] for line in log.read_text().splitlines()]


def why(suite: SuiteResult) -> dict[str, list[str]]:
    return {result.task: result.reasons for result in suite.results}


def test_what_cannot_be_played_is_named_and_the_others_are_played(tmp_path: Path) -> None:
    suite = suite_of(tmp_path / "s", "cut", "fails", "good", "misnamed", "raises", "refused", "unrecorded")
    cut = tmp_path / "s" / "tasks" / "cut" / "calls.json"
    cut.write_text(cut.read_text()[:100])
    (tmp_path / "s" / "tasks" / "unrecorded" / "calls.json").unlink()
    other = tmp_path / "s" / "tasks" / "misnamed" / "task.json"
    other.write_text(other.read_text().replace("misnamed", "another"))
    (found,) = run_suites([suite], open_plain, Version(), "strict", processes=1)
    assert why(found) == {
        "cut": ["calls.json, line 8: not JSON (Unterminated string starting at); was it cut short?"],
        "fails": ["turn 1: result.status: failed, not done"],
        "good": [],
        "misnamed": ["task.json: the task is called 'another', its folder 'misnamed'"],
        "raises": ["RuntimeError: the player broke down"],
        "refused": ["it cannot be played"],
        "unrecorded": ["not recorded: there is no calls.json; understudy eval record --again unrecorded writes it"],
    }
    assert (found.passed, len(found.tasks)) == (1, 7)
    assert [entry["task"] for entry in found.as_json()["results"]][-1] == "good"


def test_what_is_not_recorded_can_be_played_live(tmp_path: Path) -> None:
    suite = suite_of(tmp_path / "s", "new")
    (tmp_path / "s" / "tasks" / "new" / "calls.json").unlink()
    (found,) = run_suites([suite], open_plain, Version(), "live", processes=1)
    assert found.passed == 1


def test_an_interrupted_run_goes_on_and_plays_anew_what_has_changed(tmp_path: Path, log: Path) -> None:
    suite, state = suite_of(tmp_path / "s", "a", "b", "c"), tmp_path / "state.jsonl"

    def interrupt(result: TaskResult, done: int, everything: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_suites([suite], open_plain, Version(), "strict", processes=1, state=state, told=interrupt)
    state.write_text(state.read_text() + '{"suite": "s", "task"')  # a line that was cut short
    (tmp_path / "s" / "tasks" / "a" / "expect.toml").write_text('[[turns]]\nresult = { status = ["replied"] }\n')
    (found,) = run_suites([suite], open_plain, Version(), "strict", processes=1, state=state)
    assert played(log) == ["a", "b", "a", "c"]
    assert [result.passed for result in found.results] == [False, True, True]
    again = run_suites([suite], open_plain, Version(), "strict", processes=1, state=state)
    assert again == [found]
    run_suites([suite], open_plain, Version(settings={"max_attempts": 1}), "strict", processes=1, state=state)
    assert played(log)[4:] == ["a", "b", "c"]


def test_a_file_of_something_else_is_not_written_to(tmp_path: Path) -> None:
    path = tmp_path / "notes.md"
    path.write_text("# Notes\n")
    with pytest.raises(InvalidProgress, match="notes.md"):
        run_suites([suite_of(tmp_path / "s", "a")], open_plain, Version(), "strict", state=path)
    assert path.read_text() == "# Notes\n"


def test_processes_give_the_same_bytes_and_one_that_dies_fails_its_task_only(tmp_path: Path, log: Path) -> None:
    suite = suite_of(tmp_path / "s", "a", "b", "dies", "fails")
    lines: list[tuple[int, int]] = []
    state = tmp_path / "state.jsonl"
    (found,) = run_suites(
        [suite], open_plain, Version(), "strict", processes=2, state=state,
        told=lambda result, done, everything: lines.append((done, everything)),
    )  # fmt: skip
    assert why(found)["dies"] == ["the process that played it was killed by signal 9"]
    assert [result.passed for result in found.results] == [True, True, False, False]
    assert lines == [(n, 4) for n in range(1, 5)]
    assert "dies" not in {json.loads(line)["task"] for line in state.read_text().splitlines()}
    others = suite._replace(tasks=[folder for folder in suite.tasks if folder.name != "dies"])
    (alone,) = run_suites([others], open_plain, Version(), "strict", processes=1)
    rest = SuiteResult(name="s", results=[result for result in found.results if result.task != "dies"])
    assert json.dumps(as_json([alone])) == json.dumps(as_json([rest]))
    assert from_json(as_json([found]))[0].ordered == found.ordered


def test_a_process_ends_in_silence_when_who_started_it_is_gone() -> None:
    theirs, ours = Pipe()
    ours.close()
    asyncio.run(served(theirs, open_plain, Version()))


def test_interrupted_processes_end_and_a_player_that_does_not_open_says_why(tmp_path: Path, log: Path) -> None:
    suite = suite_of(tmp_path / "s", "a", "b")

    def interrupt(result: TaskResult, done: int, everything: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_suites([suite], open_plain, Version(), "strict", processes=2, told=interrupt)
    for process in {int(line.split()[0]) for line in log.read_text().splitlines()}:
        with pytest.raises(ProcessLookupError):
            os.kill(process, 0)
    with pytest.raises(InvalidSettings, match="no such team"):
        run_suites([suite._replace(tasks=[task_folder(suite.folder, "c")])], open_nothing, Version(), "strict")
