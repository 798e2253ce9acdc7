import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

Invoke = Callable[..., Result]
ENERGY = str(Path(__file__).parents[3] / "examples" / "energy")
QUESTION = "How did the share of renewables in Iowa's electricity change from 2001 to 2017, and why?"
BRIEF = "Write a brief about wind power in Iowa"


def thread_of(result: Result) -> str:
    """Return the thread that a message says how to go on with."""
    found = re.search(r"understudy resume (\w+)", result.stderr)
    assert found, result.stderr
    return found[1]


def events_of(result: Result) -> list[dict[str, object]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def waiting(understudy: Invoke, *options: str) -> str:
    """Run a goal that writes a file up to its question, and return its thread."""
    result = understudy("run", BRIEF, "--data", ENERGY, "--out", "out", *options)
    assert result.exit_code == 3, result.stderr
    return thread_of(result)


def test_the_answer_is_on_stdout_and_the_way_to_it_on_stderr(understudy: Invoke) -> None:
    result = understudy("run", QUESTION, "--data", ENERGY)
    assert result.exit_code == 0, result.stderr
    assert "38.8 %" in result.stdout
    labels = [line[:10].strip() for line in result.stderr.splitlines()]
    assert [label for label in labels if label in ("team", "plan", "critique", "result", "route:")][-2:] == [
        "result",
        "route:",
    ]
    assert "\x1b" not in result.output


def test_json_is_one_event_per_line(understudy: Invoke) -> None:
    result = understudy("run", QUESTION, "--data", ENERGY, "--json")
    events = events_of(result)
    assert (result.exit_code, result.stderr) == (0, "")
    assert (events[0]["type"], events[-1]["type"]) == ("run_started", "run_finished")
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))


def test_the_second_time_the_route_comes_from_memory(understudy: Invoke) -> None:
    understudy("run", QUESTION, "--data", ENERGY)
    result = understudy("run", QUESTION, "--data", ENERGY)
    assert re.search(r"^route: +from memory, confidence 0\.\d\d — ", result.stderr, re.MULTILINE)


def test_a_goal_comes_from_stdin(understudy: Invoke) -> None:
    assert understudy("run", "-", "--data", ENERGY, input=QUESTION).exit_code == 0


def test_without_a_person_the_run_waits_and_says_how_to_answer(understudy: Invoke, tmp_path: Path) -> None:
    result = understudy("run", BRIEF, "--data", ENERGY, "--out", "out")
    assert result.exit_code == 3
    assert result.stdout == ""
    assert result.stderr.splitlines()[-1] == (
        f"understudy: waits for a person. Answer with: understudy resume {thread_of(result)}"
        f" (add --yes to approve, or --decide FILE), or see: understudy inbox show {thread_of(result)}"
    )
    assert not list(tmp_path.glob("out/*"))


def test_an_approval_finishes_the_run(understudy: Invoke, tmp_path: Path) -> None:
    result = understudy("resume", waiting(understudy), "--yes")
    assert result.exit_code == 0, result.stderr
    (written,) = tmp_path.glob("out/*")
    assert re.search(rf"^written .*{re.escape(written.name)}", result.stderr, re.MULTILINE)
    assert result.stdout.strip() == written.read_text().strip()


def test_resuming_without_an_answer_asks_again(understudy: Invoke) -> None:
    thread = waiting(understudy)
    result = understudy("resume", thread, "--json")
    assert result.exit_code == 3
    assert [event["type"] for event in events_of(result)] == ["approval_requested"]


def test_yes_approves_on_the_way(understudy: Invoke, tmp_path: Path) -> None:
    result = understudy("run", BRIEF, "--data", ENERGY, "--out", "out", "--yes")
    assert result.exit_code == 0, result.stderr
    assert len(list(tmp_path.glob("out/*"))) == 1


def test_a_file_of_decisions_edits(understudy: Invoke, tmp_path: Path) -> None:
    decisions = tmp_path / "decisions.jsonl"
    decisions.write_text('{"name": "write_file", "type": "edit", "args": {"path": "mine.md"}}\n{"type": "approve"}\n')
    result = understudy("resume", waiting(understudy), "--decide", str(decisions))
    assert result.exit_code == 0, result.stderr
    assert [path.name for path in tmp_path.glob("out/*")] == ["mine.md"]
    assert result.stderr.splitlines()[-1] == "understudy: 1 decision(s) of the file were not used"


def test_a_decision_that_does_not_fit_leaves_the_question_open(understudy: Invoke, tmp_path: Path) -> None:
    decisions = tmp_path / "decisions.json"
    decisions.write_text('[{"type": "edit", "args": {"colour": "red"}}]')
    thread = waiting(understudy)
    result = understudy("resume", thread, "--decide", str(decisions))
    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1] == "understudy: 'write_file' takes no argument 'colour'"
    assert understudy("resume", thread, "--yes").exit_code == 0


def test_a_rejected_effect_does_not_happen(understudy: Invoke, tmp_path: Path) -> None:
    decisions = tmp_path / "decisions.json"
    decisions.write_text('[{"type": "reject", "message": "not now"}]')
    result = understudy("resume", waiting(understudy), "--decide", str(decisions))
    assert result.exit_code == 1
    assert "not now" in result.stderr
    assert not list(tmp_path.glob("out/*"))


def test_a_plan_can_be_seen_first_and_done_later(understudy: Invoke) -> None:
    planned = understudy("run", QUESTION, "--data", ENERGY, "--plan-only")
    assert planned.exit_code == 0
    assert planned.stdout.startswith("plan      newly planned")
    done = understudy("resume", thread_of(planned))
    assert done.exit_code == 0, done.stderr
    assert "38.8 %" in done.stdout


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["resume", "nowhere"], "workspace 'default' has no thread 'nowhere'"),
        (["run", "x y z", "--team", "nobody"], "there is no team 'nobody'"),
        (["run", "x y z", "--workspace", "../etc"], "'../etc'"),
    ],
    ids=["thread", "team", "workspace"],
)
def test_unknown_names_end_with_2(args: list[str], message: str, understudy: Invoke) -> None:
    result = understudy(*args)
    assert result.exit_code == 2
    assert message in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_broken_setting_is_told(understudy: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNDERSTUDY_MODL", "x")
    result = understudy("status")
    assert (result.exit_code, result.stderr) == (
        2,
        "understudy: unknown setting UNDERSTUDY_MODL; did you mean UNDERSTUDY_MODEL?\n",
    )
