"""The commands about what was learnt: feedback, performance, and the kinds of memory."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

Invoke = Callable[..., Result]
ENERGY = str(Path(__file__).parents[3] / "examples" / "energy")
QUESTION = "What does net generation mean?"
RULE = {"id": "no-files", "kind": "forbidden_tool", "tools": ["write_file"], "why": "audit"}


@pytest.fixture
def task(understudy: Invoke) -> str:
    """Do one goal and return the id of the remembered task."""
    assert understudy("run", QUESTION, "--data", ENERGY, "--thread", "mine").exit_code == 0
    (found,) = json.loads(understudy("memory", "list", "--json").stdout)
    return str(found["id"])


def test_a_bad_rating_changes_the_next_route(task: str, understudy: Invoke) -> None:
    assert json.loads(understudy("route", QUESTION, "--data", ENERGY, "--json").stdout)["source"] == "memory"
    result = understudy("feedback", "mine", "--rating", "1", "--correction", "Say what is subtracted.")
    assert (result.exit_code, result.stdout[:12]) == (0, "not accepted")
    assert json.loads(understudy("route", QUESTION, "--data", ENERGY, "--json").stdout)["source"] == "planner"


@pytest.mark.parametrize(
    ("args", "said"),
    [(("mine",), "a rating from 1 to 5"), (("nobody", "--rating", "3"), "remembers no run 'nobody'")],
)
def test_feedback_that_cannot_be_taken_is_refused(task: str, understudy: Invoke, args: list[str], said: str) -> None:
    result = understudy("feedback", *args)
    assert result.exit_code == 2
    assert said in result.stderr


def test_the_performance(task: str, understudy: Invoke, tmp_path: Path) -> None:
    picture = tmp_path / "performance.png"
    result = understudy("performance", "--png", str(picture))
    assert result.stdout.splitlines()[0].split("\t") == [
        "by", "name", "runs", "succeeded", "95 % interval", "quality", "seconds", "dollars",
    ]  # fmt: skip
    assert result.stdout.splitlines()[1].startswith("sequence\t")
    assert picture.read_bytes().startswith(b"\x89PNG")
    found = json.loads(understudy("performance", "--json").stdout)
    assert (found["overall"]["runs"], found["overall"]["rate"]) == (1, 1.0)
    assert found["overall"]["interval"][0] == pytest.approx(0.2065, abs=1e-3)


def test_the_performance_of_nothing(understudy: Invoke, tmp_path: Path) -> None:
    assert understudy("performance", "--png", str(tmp_path / "x.png")).exit_code == 0
    assert json.loads(understudy("performance", "--json").stdout)["sequences"] == []


def test_a_task_is_shown_whole(task: str, understudy: Invoke) -> None:
    assert json.loads(understudy("memory", "show", task[:8], "--json").stdout)["plan"]["steps"]
    lines = understudy("memory", "show", task[:8]).stdout
    assert f"goal\t{QUESTION}" in lines


def test_patterns_are_listed(task: str, understudy: Invoke) -> None:
    (pattern,) = json.loads(understudy("memory", "recipes", "--json").stdout)
    assert (pattern["name"], pattern["ready"]) == ("what does net generation mean", False)
    assert "\tpattern\t" in understudy("memory", "recipes").stdout


def test_a_rule_lives_through_its_versions(understudy: Invoke, tmp_path: Path) -> None:
    rules = ("memory", "constraints")
    assert understudy(*rules, "propose", "-", input=json.dumps(RULE)).exit_code == 0
    assert json.loads(understudy(*rules, "list", "--json").stdout)["rules"] == []
    assert understudy(*rules, "accept", "no-files").stdout == "no-files is in force\n"
    assert json.loads(understudy(*rules, "list", "--json").stdout)["rules"] == [RULE]
    changed = tmp_path / "rule.json"
    changed.write_text(json.dumps(RULE | {"why": "law"}))
    assert understudy(*rules, "change", str(changed)).exit_code == 0
    assert understudy(*rules, "retire", "no-files").exit_code == 0
    moves = [version["move"] for version in json.loads(understudy(*rules, "history", "--json").stdout)]
    assert moves == ["proposed", "accepted", "changed", "retired"]


@pytest.mark.parametrize("rule", ["{", "[]", json.dumps(RULE | {"kind": "x"}), json.dumps({"id": "a"})])
def test_a_rule_with_mistakes_is_refused(understudy: Invoke, rule: str) -> None:
    result = understudy("memory", "constraints", "propose", "-", input=rule)
    assert result.exit_code == 2
    assert "this is no" in result.stderr


def test_a_rule_stops_a_run(understudy: Invoke, tmp_path: Path) -> None:
    rules = ("memory", "constraints")
    understudy(*rules, "propose", "-", input=json.dumps(RULE))
    understudy(*rules, "accept", "no-files")
    out = tmp_path / "out"
    goal = "Write a brief on how Iowa's electricity mix changed"
    result = understudy("run", goal, "--data", ENERGY, "--out", str(out), "--yes")
    assert not out.exists() or list(out.iterdir()) == []
    assert "no-files" in result.stderr + result.stdout


def test_memory_is_carried_to_another_workspace(task: str, understudy: Invoke, tmp_path: Path) -> None:
    file = tmp_path / "tasks.jsonl"
    assert understudy("memory", "export", str(file)).exit_code == 0
    assert understudy("memory", "export", str(file)).exit_code == 2
    assert understudy("memory", "export").stdout == file.read_text()
    assert understudy("memory", "import", str(file), "--workspace", "other").stdout == "took in 1 task(s)\n"
    (taken,) = json.loads(understudy("memory", "list", "--workspace", "other", "--json").stdout)
    assert (taken["goal"], taken["origin"]) == (QUESTION, "import")
    file.write_text("nonsense\n")
    assert understudy("memory", "import", str(file)).exit_code == 2


def test_the_index_is_built_anew(task: str, understudy: Invoke) -> None:
    assert understudy("memory", "reindex").stdout == "indexed 1 task(s)\n"


def test_too_few_tasks_calibrate_nothing(task: str, understudy: Invoke) -> None:
    assert understudy("memory", "calibrate", "--json").stdout == "[]\n"


def test_a_forgotten_task_leaves_no_byte(understudy: Invoke, home: Path) -> None:
    secret = "What does canary-6e1f mean in net generation?"
    understudy("run", secret, "--data", ENERGY, "--thread", "secret")
    understudy("feedback", "secret", "--rating", "2", "--correction", "canary-6e1f is a bird")
    (task,) = [t for t in json.loads(understudy("memory", "list", "--json").stdout) if "canary" in t["goal"]]
    assert b"canary-6e1f" in stored(home)
    result = understudy("memory", "forget", task["id"], "--yes")
    assert result.stdout.endswith("and 1 conversation(s)\n")
    assert b"canary-6e1f" not in stored(home)
    assert understudy("memory", "list", "--json").stdout == "[]\n"


def test_forgetting_tells_which_conversations_still_quote_the_goal(task: str, understudy: Invoke) -> None:
    understudy("run", f"{QUESTION} Briefly.", "--data", ENERGY, "--thread", "later")
    result = understudy("memory", "forget", task, "--yes")
    assert "conversation later still holds the goal" in result.stderr


def stored(home: Path) -> bytes:
    return b"".join(path.read_bytes() for path in home.rglob("*") if path.is_file())


def test_a_secret_of_one_workspace_is_behind_no_door_of_another(understudy: Invoke) -> None:
    understudy("run", "What does canary-93bd mean?", "--data", ENERGY, "--thread", "t", "--workspace", "acme")
    understudy("feedback", "t", "--rating", "2", "--correction", "canary-93bd", "--workspace", "acme")
    rule = json.dumps(RULE | {"tools": ["canary-93bd"]})
    understudy("memory", "constraints", "propose", "-", "--workspace", "acme", input=rule)
    doors = [
        ("memory", "list"), ("memory", "search", "canary"), ("memory", "recipes"), ("memory", "export"),
        ("memory", "constraints", "list"), ("memory", "constraints", "history"), ("performance", "--json"),
        ("feedback", "t", "--rating", "3"), ("route", "What does canary mean?"), ("status",),
    ]  # fmt: skip
    for door in doors:
        result = understudy(*door)
        assert "canary-93bd" not in result.stdout + result.stderr, door
