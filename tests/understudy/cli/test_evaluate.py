"""`understudy eval`: a recording is made, replayed, reported and held against a baseline."""

import asyncio
import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from evals.improvised import Scene
from evals.scripted import ImprovisingServer
from tests.evals.recorded import GOAL, STEPS, TEAM, change_task, hand_written, recorded_suite

Invoke = Callable[..., Result]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Record a suite of two tasks, once for all tests."""
    root = tmp_path_factory.mktemp("suites")
    asyncio.run(recorded_suite(root / "coast", ("first", "second")))
    return root


@pytest.fixture
def root(made: Path, tmp_path: Path) -> Path:
    """Return a copy that a test may spoil."""
    return Path(shutil.copytree(made, tmp_path / "suites"))


def test_replays_here_in_a_process_and_resumed_give_the_same_bytes_and_a_report(
    understudy: Invoke, root: Path, tmp_path: Path
) -> None:
    here = ("eval", "run", "--root", str(root), "--json")
    one = understudy(*here, "--processes", "1", "--report", "report")
    begun = understudy(*here, "--processes", "1", "--only", "first", "--resume", "kept/state.jsonl")
    other = understudy(*here, "--strict", "--processes", "2", "--resume", "kept/state.jsonl")  # one process, one task
    assert (one.exit_code, begun.exit_code, other.exit_code) == (0, 0, 0), other.output
    assert one.stdout == other.stdout
    found = json.loads(one.stdout)
    assert (found["tasks"], found["passed"], found["suites"]["coast"]["drifts"]) == (2, 2, 0)
    assert found["suites"]["coast"]["calls"] > 2
    assert str(root) not in one.stdout
    (tmp_path / "results.json").write_text(one.stdout)
    told = understudy("eval", "report", "results.json", "--out", "again")
    assert told.exit_code == 0
    for name in ("report.html", "report.md", "results.json"):
        assert (tmp_path / "report" / name).read_bytes() == (tmp_path / "again" / name).read_bytes()
    assert "| coast | 2 | 2 | 34% to 100% |" in (tmp_path / "report" / "report.md").read_text()


def test_failures_come_first_with_their_reasons_and_the_gate_tells_what_is_worse(
    understudy: Invoke, root: Path
) -> None:
    here = ("eval", "run", "coast", "--root", str(root), "--processes", "1")
    accepted = understudy(*here, "--gate", "baseline.json", "--accept", "--resume", "state.jsonl")
    assert accepted.exit_code == 0
    assert "better: coast/first is new and passes" in accepted.stderr
    (root / "coast" / "tasks" / "second" / "expect.toml").write_text('[[turns]]\nroute = { source = ["memory"] }\n')
    hand_written(root / "coast", "third")
    again = (*here, "--gate", "baseline.json", "--resume", "state.jsonl")
    held = understudy(*again)
    assert held.exit_code == 1
    lines = held.stdout.splitlines()
    assert lines[:4] == [
        "FAILED coast/second",
        "  turn 1: route.source: planner, not memory",
        "FAILED coast/third",
        "  not recorded: there is no calls.json; understudy eval record --again third writes it",
    ]
    assert "worse: coast/second passed and does not any more" in held.stderr
    assert "worse: coast/third is new and does not pass" in held.stderr
    assert understudy(*again, "--accept").exit_code == 0
    assert understudy(*again).exit_code == 0
    assert understudy(*here, "--resume", "state.jsonl").exit_code == 1


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--gate", "none.json"), "there is no baseline none.json"),
        (("--gate", "a.txt/baseline.json", "--accept"), "cannot be written"),
        (("--report", "a.txt/report"), "cannot be written"),
        (("--resume", "a.txt/state.jsonl"), "cannot be written"),
        (("--inspect-log", "logs"), "pip install 'understudy[evals]'"),
    ],
)
def test_what_cannot_be_read_or_written_is_told_before_anything_is_played(
    understudy: Invoke, root: Path, tmp_path: Path, arguments: tuple[str, ...], told: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    (tmp_path / "a.txt").touch()
    monkeypatch.setitem(sys.modules, "inspect_ai", None)
    monkeypatch.setitem(sys.modules, "inspect_ai.log", None)
    monkeypatch.setattr("evals.running.run_suites", None)
    found = understudy("eval", "run", "--root", str(root), *arguments)
    assert (found.exit_code, found.stdout) == (2, "")
    assert told in " ".join(found.stderr.split())


def test_a_changed_prompt_is_told_as_a_drift(understudy: Invoke, root: Path) -> None:
    change_task(root / "coast" / "tasks" / "first", turns=[{"say": f"{GOAL}, please"}])
    here = ("eval", "run", "--root", str(root), "--processes", "1", "--only", "first")
    strict = understudy(*here)
    assert strict.exit_code == 1
    assert "prompt drift: call 1 of supervisor is not the recorded one" in strict.stdout
    assert f"+{GOAL}, please" in strict.stdout
    tolerant = understudy(*here, "--tolerant", "--json")
    (result,) = json.loads(tolerant.stdout)["suites"]["coast"]["results"]
    assert all(drift["answered"] for drift in result["drifts"])
    assert (result["faults"], bool(result["drifts"])) == ([], True)


def test_a_goal_becomes_a_task_that_is_replayed(
    understudy: Invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "coast.toml").write_text(TEAM)
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "notes.md").write_text("# Wind\n\nWind at the coast is strong in winter.\n")
    scene = Scene(goal=GOAL, kind="search", plans=[STEPS])
    with ImprovisingServer([scene], {"search_documents": {"query": "wind"}}) as server:
        monkeypatch.setenv("OPENAI_API_KEY", "the-key-of-this-test")
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
        monkeypatch.setenv("UNDERSTUDY_MODEL", "openai:improvised")
        made = understudy("eval", "record", "--goal", GOAL, "--team", "coast.toml", "--data", "notes")
        folder = tmp_path / "recorded" / "sessions" / "tasks" / "write-a-brief-on-the-wind"
        assert (made.exit_code, made.stdout.splitlines()[-1]) == (0, f"recorded: {folder.relative_to(tmp_path)}")
        again = understudy("eval", "record", "--again", str(folder), str(folder.parent / "gone"))
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "UNDERSTUDY_MODEL"):
        monkeypatch.delenv(name)
    assert (again.exit_code, f"recorded: {folder}" in again.stdout) == (1, True), again.output
    assert "gone: no " in again.stderr
    replayed = understudy("eval", "run", "sessions", "--root", "recorded", "--processes", "1")
    assert replayed.exit_code == 0, replayed.stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("run", "markting"), "no suite 'markting'"),
        (("run", "--only", "nothing"), "no task 'nothing'"),
        (("run", "--strict", "--live"), "one of --strict, --tolerant and --live is enough"),
        (("run", "--accept"), "which baseline"),
        (("run", "--root", ".", "--gate", "none.json"), "there are no suites"),
        (("record",), "name one conversation"),
        (("record", "t", "--name", "No Name"), "small letters"),
        (("record", "nobody"), "no thread 'nobody'"),
        (("report", "spoilt.json", "--out", "x"), "no results of evaluated suites"),
    ],
)
def test_what_is_asked_wrongly_is_a_usage_error(
    understudy: Invoke, tmp_path: Path, arguments: tuple[str, ...], told: str
) -> None:
    (tmp_path / "spoilt.json").write_text('{"suites": {"a": 1}}')
    found = understudy("eval", *arguments)
    assert (found.exit_code, told in " ".join(found.stderr.split())) == (2, True), found.stderr
