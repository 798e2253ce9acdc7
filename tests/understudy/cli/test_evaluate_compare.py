"""`understudy eval compare` and `understudy eval policy`."""

import asyncio
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from evals.improvised import Scene
from evals.playing import Version
from evals.results import SuiteResult, TaskResult, TurnScores, as_json
from evals.scoring.expectations import Score
from evals.scripted import ImprovisingServer
from understudy.evaluation.recorder import record_folder

Invoke = Callable[..., Result]
ROOT = Path(__file__).parents[3]
ENERGY = str(ROOT / "examples" / "energy")
QUESTION = "Who publishes the numbers on net generation?"
GOAL = "Write down what the notes say of wind"
STEPS = [{"id": "look", "agent": "read", "task": "Find out what the notes say of wind"}]
TEAM = """
name = "coast"
description = "Reads about the wind."

[[specialists]]
name = "read"
description = "Reads documents."
tools = ["search_documents"]
"""


def results(path: Path, *, failing: int) -> str:
    """Write results of 40 tasks of which some fail."""
    tasks = [
        TaskResult(
            suite="home",
            task=f"task-{n:02}",
            turns=[
                TurnScores(turn=1, scores=[Score(name="route.source", value=1.0, passed=n >= failing, detail="no")])
            ],
        )
        for n in range(40)
    ]
    path.write_text(json.dumps(as_json([SuiteResult(name="home", results=tasks)])))
    return str(path)


def test_two_files_of_results_are_compared(understudy: Invoke, tmp_path: Path) -> None:
    before, after = results(tmp_path / "a.json", failing=0), results(tmp_path / "b.json", failing=5)
    found = understudy("eval", "compare", before, after, "--report", str(tmp_path / "out"))
    assert found.exit_code == 1
    assert found.stdout.splitlines()[1].split("\t") == [
        "passed",
        "1",
        "0.875",
        "-0.125",
        "-0.25 to -0.025",
        "40",
        "worse",
    ]
    assert "FLIPPED home/task-00 now fails" in found.stdout
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "comparison.html", "comparison.json", "comparison.md",
    ]  # fmt: skip
    assert "- **home/task-00** now fails\n  - turn 1: route.source: no" in (tmp_path / "out/comparison.md").read_text()
    back = understudy("eval", "compare", after, before, "--json")
    assert (back.exit_code, json.loads(back.stdout)["metrics"][0]["verdict"]) == (0, "better")


def test_a_file_compared_with_itself_is_the_same(understudy: Invoke, tmp_path: Path) -> None:
    path = results(tmp_path / "a.json", failing=3)
    found = understudy("eval", "compare", path, path, "home", "--json")
    assert found.exit_code == 0
    assert {metric["verdict"] for metric in json.loads(found.stdout)["metrics"]} == {"same"}


@pytest.mark.parametrize(
    ("version", "told"),
    [
        ("nothing.json", "is no file"),
        ("reuse_abov=0.9", "did you mean 'reuse_above'?"),
        ("reuse_above=2", "invalid settings: reuse_above"),
        ("home=/tmp", "there is no setting 'home'"),
        ("commit:no-such-commit", "no commit 'no-such-commit'"),
        ("a.txt", "cannot be read as results"),
        ("b.json", "no results of evaluated suites"),
        ("c.json", "turns.0.scores.0.value: Input should be a finite number"),
    ],
)
def test_what_is_no_version_is_named(understudy: Invoke, tmp_path: Path, version: str, told: str) -> None:
    (tmp_path / "a.txt").write_text("hello")
    (tmp_path / "b.json").write_text('{"suites": [1]}')
    score = '{"turn": 1, "scores": [{"name": "route.source", "value": NaN}]}'
    result = f'{{"suite": "home", "task": "a", "turns": [{score}]}}'
    (tmp_path / "c.json").write_text(f'{{"suites": {{"home": {{"results": [{result}]}}}}}}')
    found = understudy("eval", "compare", version, results(tmp_path / "a.json", failing=0))
    assert (found.exit_code, found.stdout) == (2, "")
    assert told in found.stderr


def test_versions_without_a_task_in_common_are_refused(understudy: Invoke, tmp_path: Path) -> None:
    path = results(tmp_path / "a.json", failing=0)
    found = understudy("eval", "compare", path, path, "garden")
    assert (found.exit_code, found.stdout) == (2, "")
    assert "no task was played by both versions" in found.stderr


@pytest.fixture
def suites(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one suite of one recorded task."""
    folder = tmp_path / "suites" / "coast" / "tasks" / "wind"
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "notes.md").write_text("# Wind\n\nWind at the coast is strong in winter.\n")
    (folder / "team.toml").write_text(TEAM)
    task = {"format": 1, "name": "wind", "team": "team.toml", "user": "ann", "started": 1785000000.0, "data": "data"}
    (folder / "task.json").write_text(json.dumps(task | {"turns": [{"say": GOAL}]}))
    scene = Scene(goal=GOAL, kind="creation", plans=[STEPS])
    with ImprovisingServer([scene], {"search_documents": {"query": "wind"}}) as server:
        monkeypatch.setenv("OPENAI_API_KEY", "the-key-of-this-test")
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
        monkeypatch.setenv("UNDERSTUDY_MODEL", "openai:improvised")
        asyncio.run(record_folder(folder, Version(), answered_by="an improviser"))
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "UNDERSTUDY_MODEL"):
        monkeypatch.delenv(name)
    return tmp_path / "suites"


def test_changed_prompts_and_settings_are_played_on_the_same_recordings(
    understudy: Invoke, suites: Path, tmp_path: Path
) -> None:
    prompts = tmp_path / "drafts"
    shutil.copytree(ROOT / "prompts", prompts)
    critic = prompts / "critic.md"
    critic.write_text(critic.read_text().replace("# User", "Be strict.\n\n# User"))
    options = ("--root", str(suites), "--processes", "1", "--json")
    found = understudy("eval", "compare", "current", f"prompts={prompts},reuse_above=0.95", *options)
    assert (found.exit_code, found.stderr) == (0, "")
    comparison = json.loads(found.stdout)
    assert comparison["prompt_drift"] == ["coast/wind"]
    assert comparison["output_drift"] == comparison["flips"] == []
    verdicts = {metric["metric"]: metric["verdict"] for metric in comparison["metrics"]}
    assert verdicts["passed"] == verdicts["efficiency.calls"] == "same"
    same = json.loads(understudy("eval", "compare", "current", "current", "coast", *options).stdout)
    assert {metric["verdict"] for metric in same["metrics"]} == {"same"}


def test_a_policy_is_asked_about_on_what_was_logged(understudy: Invoke) -> None:
    assert understudy("run", QUESTION, "--data", ENERGY).exit_code == 0
    found = json.loads(understudy("eval", "policy", "--threshold", "0.9", "--json").stdout)
    assert (found["decisions"], found["unchanged"], found["bounds"]) == (1, 1, [found["value"], found["value"]])
    told = understudy("eval", "policy", "--selection", "greedy")
    assert (told.exit_code, told.stderr) == (0, "")
    assert "no choice was logged with its odds, so nothing can be told" in told.stdout


@pytest.mark.parametrize(
    ("args", "told"),
    [
        ((), "--threshold, --selection and --trial"),
        (("--threshold", "0.9", "--trial", "t"), "--threshold, --selection and --trial"),
        (("--threshold", "0.2"), "greater than or equal to 0.5"),
        (("--selection", "gredy"), "there is no selection policy 'gredy'"),
        (("--trial", "none"), "has no trial 'none'"),
    ],
)
def test_what_is_no_policy_is_refused(understudy: Invoke, args: tuple[str, ...], told: str) -> None:
    found = understudy("eval", "policy", *args)
    assert (found.exit_code, found.stdout) == (2, "")
    assert told in " ".join(found.stderr.split())
