"""The commands that look into memory and state: route, status, memory."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

Invoke = Callable[..., Result]
ENERGY = str(Path(__file__).parents[3] / "examples" / "energy")
QUESTION = "What does net generation mean?"


@pytest.fixture
def remembered(understudy: Invoke) -> str:
    """Do one goal and return the id of the remembered task."""
    assert understudy("run", QUESTION, "--data", ENERGY).exit_code == 0
    (task,) = json.loads(understudy("memory", "list", "--json").stdout)
    assert task["goal"] == QUESTION
    return str(task["id"])


def test_a_route_as_json(understudy: Invoke) -> None:
    result = understudy("route", QUESTION, "--data", ENERGY, "--json")
    assert (result.exit_code, result.stderr) == (0, "")
    decision = json.loads(result.stdout)
    assert {"source", "sequence", "confidence", "band", "neighbours", "explanation"} <= decision.keys()
    assert (decision["source"], decision["band"]) == ("planner", "plan")


def test_a_route_needs_no_data(understudy: Invoke) -> None:
    result = understudy("route", "What is the refund policy for enterprise plans?", "--json")
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["source"] != "memory"


def test_a_route_is_told_with_its_neighbours(remembered: str, understudy: Invoke) -> None:
    result = understudy("route", QUESTION)
    lines = result.stdout.splitlines()
    assert lines[0].startswith("route:    from memory, confidence 0.")
    assert lines[-1].startswith("neighbour  1.00  success")
    assert remembered in lines[-1]


def test_a_reply_tells_no_confidence_that_memory_has_in_it(remembered: str, understudy: Invoke) -> None:
    assert understudy("route", "hello").stdout.startswith("route:    answered directly — ")


def test_a_new_plan_tells_whose_confidence_it_is(remembered: str, understudy: Invoke) -> None:
    said = understudy("route", "Compare the wages of nurses in two towns").stdout
    assert said.startswith("route:    newly planned, memory's confidence 0.")


def test_a_new_index_is_told_on_one_line(remembered: str, understudy: Invoke) -> None:
    result = understudy("memory", "reindex")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "indexed 1 task(s)\n", "")


def test_a_task_is_shown_in_words(remembered: str, understudy: Invoke) -> None:
    lines = understudy("memory", "show", remembered).stdout.splitlines()
    assert "last_success\tyes" in lines
    assert any(line.startswith("versions\tencoder wordllama, team documents@") for line in lines)


def test_a_route_leaves_no_trace(understudy: Invoke) -> None:
    understudy("route", QUESTION)
    status = json.loads(understudy("status", "--json").stdout)
    assert (status["tasks"], status["open_threads"]) == (0, [])


def test_the_status(understudy: Invoke, home: Path) -> None:
    lines = understudy("status").stdout.splitlines()
    assert lines[:4] == [
        f"home      {home}",
        "workspace default, 0 remembered task(s)",
        "team      documents",
        "mode      no model configured: rule-based understudies are playing",
    ]


def test_what_waits_is_in_the_status(understudy: Invoke) -> None:
    understudy("run", QUESTION, "--data", ENERGY, "--plan-only", "--thread", "mine")
    assert f"open      mine  stopped  {QUESTION}" in understudy("status").stdout.splitlines()


def test_memory_is_listed_and_searched(remembered: str, understudy: Invoke) -> None:
    assert understudy("memory", "list").stdout.splitlines()[1].startswith(f"{remembered[:12]}\t{QUESTION}\t")
    found = understudy("memory", "search", "net generation", "--json")
    assert [task["task"] for task in json.loads(found.stdout)] == [remembered]
    assert understudy("memory", "search", "net generation").stdout.splitlines()[1].startswith(remembered[:12])


def test_another_workspace_remembers_nothing(remembered: str, understudy: Invoke) -> None:
    assert understudy("memory", "list", "--workspace", "other", "--json").stdout == "[]\n"


def test_a_task_is_forgotten_by_the_beginning_of_its_id(remembered: str, understudy: Invoke) -> None:
    kept = understudy("memory", "forget", remembered[:6], input="n\n")
    assert kept.exit_code == 0
    assert kept.stderr.endswith("nothing was forgotten\n")
    gone = understudy("memory", "forget", remembered[:6], "--yes")
    assert gone.stdout == f"forgot {remembered[:12]} '{QUESTION}' and 1 conversation(s)\n"
    assert understudy("memory", "list", "--json").stdout == "[]\n"


def test_forgetting_what_is_not_there_ends_with_2(understudy: Invoke) -> None:
    result = understudy("memory", "forget", "abc", "--yes")
    assert (result.exit_code, result.stderr) == (
        2,
        "understudy: 'abc' names 0 tasks; `understudy memory list` shows their ids\n",
    )
