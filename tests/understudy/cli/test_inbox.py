"""The inbox: what waits is seen and answered, also while another process holds the data folder."""

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from domain.questions import Question
from domain.waiting import Level
from memory.home import DataFolder
from tests.understudy.durable.desks import question, request
from understudy.front_desk import open_front_desk
from understudy.settings import load_settings

Invoke = Callable[..., Result]


@pytest.fixture(autouse=True)
def user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNDERSTUDY_USER", "ann")


@pytest.fixture
def held(home: Path) -> Iterator[None]:
    """Hold the data folder, as a worker does."""
    folder = asyncio.run(DataFolder.open(home, command="understudy worker"))
    yield
    folder.close()


def put(*questions: Question) -> None:
    async def opened() -> None:
        async with open_front_desk(load_settings()) as front:
            for each in questions:
                await front.desk.open(each)

    asyncio.run(opened())


def waiting(name: str = "q1", *requests: Any, since: float = 0.0, **fields: Any) -> Question:
    return question(name, *requests, opened=time.time() - since, **fields)


def kept(name: str, understudy: Invoke) -> dict[str, Any]:
    shown = understudy("inbox", "show", name, "--json")
    assert shown.exit_code == 0, shown.stderr
    return dict(json.loads(shown.stdout))


@pytest.mark.parametrize("command", [["inbox"], ["inbox", "list"]])
def test_an_empty_inbox_is_listed(command: list[str], understudy: Invoke) -> None:
    listed = understudy(*command)
    assert listed.exit_code == 0, listed.stderr
    assert listed.stdout == "question\tconversation\tasks for\tgoal\tsince\tdue\tvotes\n"


def test_what_waits_is_listed_the_next_due_first(understudy: Invoke, held: None) -> None:
    put(waiting("late"), waiting("soon", request(timeout_seconds=120, quorum=2)), waiting("far", workspace="other"))
    lines = understudy("inbox", "list").stdout.splitlines()
    assert [line.split("\t")[0] for line in lines[1:]] == ["soon", "late"]
    assert "send_mail\tThank the club\t0 s ago" in lines[1]
    assert "\tin 1 min (" in lines[1] and lines[1].endswith("0 of 2")
    assert [each["id"] for each in json.loads(understudy("inbox", "list", "--json").stdout)] == ["soon", "late"]
    assert len(understudy("inbox", "list", "--limit", "1").stdout.splitlines()) == 2
    assert "far" in understudy("inbox", "list", "--workspace", "other").stdout


def test_listing_fires_what_is_overdue_although_no_worker_runs(understudy: Invoke) -> None:
    levels = (Level(to=("bob",)),)
    put(
        waiting("over", since=4000), waiting("up", request(escalation=levels, on_timeout="escalate"), since=4000)
    )  # fmt: skip
    [line] = understudy("inbox", "list").stdout.splitlines()[1:]
    assert line.startswith("up\t") and line.endswith("level 1")
    closed = understudy("inbox", "list", "--closed").stdout
    assert "over\tt-over\tsend_mail\texpired\ttimeout\t" in closed


def test_a_person_sees_what_is_needed_to_decide(understudy: Invoke, held: None) -> None:
    put(waiting("q1", request("one", approvers=("ann", "bob"), on_timeout="reject"), request("two", quorum=2)))
    shown = understudy("inbox", "show", "q1").stdout
    for part in (
        "Thank the club", "conversation t-q1", "send_mail", "a@example.org", "ann, bob (request one)",
        "everybody who works in this workspace (request two)", "0 of 2 have approved", "it counts as rejected",
        "in 59 min",
    ):  # fmt: skip
        assert part in shown, part


def test_a_person_sees_long_texts_to_their_end_and_who_is_asked_next(understudy: Invoke) -> None:
    chain = (Level(to=("chair",), after_seconds=600), Level(to=("board",), after_seconds=1200))
    asked = request(escalation=chain)
    text = "\n".join([*(f"line {number}" for number in range(40)), "x" * 400 + " the end"])
    put(waiting("q1", asked.model_copy(update={"args": {"to": "a@example.org", "text": text}})))
    shown = understudy("inbox", "show", "q1").stdout
    assert "line 39" in shown and "x the end" in shown
    assert "in 9 min (" in shown and "; then: asked as well: chair\n" in shown


def test_a_decision_that_runs_nothing_says_what_has_the_run_go_on(understudy: Invoke) -> None:
    put(waiting("q1", workspace="acme"))
    decided = understudy("inbox", "approve", "q1", "--no-run", "--workspace", "acme")
    assert decided.exit_code == 0
    assert "goes on with the next worker, or with: understudy resume t-q1 --workspace acme" in decided.stderr


def test_an_approval_is_taken_while_a_worker_holds_the_folder(understudy: Invoke, held: None) -> None:
    put(waiting())
    approved = understudy("inbox", "approve", "q1")
    assert approved.exit_code == 0, approved.stderr
    assert "the run goes on in `understudy worker`" in approved.stderr
    decided = kept("q1", understudy)
    assert (decided["status"], decided["closed_by"], decided["applied"]) == ("decided", "ann", False)


def test_a_field_is_edited_in_the_type_that_it_has(understudy: Invoke) -> None:
    put(waiting())
    edited = understudy("inbox", "edit", "t-q1", "copies=3", "to=b@example.org=x", "--no-run", "--json")
    assert edited.exit_code == 0, edited.stderr
    assert json.loads(edited.stdout)["decisions"][0]["args"] == {"to": "b@example.org=x", "copies": 3}


@pytest.mark.parametrize("given", [["--args", '{"copies": 2}'], ["--file", "args.json"]])
def test_fields_come_as_json_too(given: list[str], understudy: Invoke, tmp_path: Path) -> None:
    (tmp_path / "args.json").write_text('{"copies": 2}')
    put(waiting())
    edited = understudy("inbox", "edit", "q1", *given, "--no-run", "--json")
    assert json.loads(edited.stdout)["decisions"][0]["args"]["copies"] == 2


@pytest.mark.parametrize(("args", "message"), [
    (["edit", "q1"], "nothing is changed"),
    (["edit", "q1", "copies"], "is not FIELD=VALUE"),
    (["edit", "q1", "--args", "["], "not JSON"),
    (["edit", "q1", "--args", "[1]"], "not a JSON object"),
    (["edit", "q1", "copies=many"], "copies"),
    (["edit", "q1", "colour=red"], "colour"),
    (["approve", "q7"], "there is no question"),
    (["approve", ""], "there is no question"),
    (["approve", "q1", "--request", "three"], "no request 'three'"),
    (["approve", "q1", "--digest", "other"], "something else"),
    (["respond", "q1", "make it shorter"], "a step is approved, edited or rejected"),
])  # fmt: skip
def test_what_cannot_be_is_refused_and_leaves_it_open(args: list[str], message: str, understudy: Invoke) -> None:
    put(waiting())
    refused = understudy("inbox", *args, "--no-run")
    assert refused.exit_code == 2
    assert message in refused.stderr
    assert kept("q1", understudy)["status"] == "open"


def test_who_is_not_asked_is_refused(understudy: Invoke) -> None:
    put(waiting("q1", request(approvers=("bob",))))
    refused = understudy("inbox", "approve", "q1", "--no-run")
    assert (refused.exit_code, "it is for bob" in refused.stderr) == (2, True)


def test_a_late_answer_says_who_decided(understudy: Invoke) -> None:
    put(waiting())
    assert understudy("inbox", "reject", "q1", "--why", "too early", "--no-run").exit_code == 0
    assert understudy("inbox", "reject", "q1", "--why", "too early", "--no-run").exit_code == 0  # delivered twice
    refused = understudy("inbox", "approve", "q1", "--no-run")
    assert (refused.exit_code, "reject by ann" in refused.stderr) == (2, True)


def test_one_of_several_is_answered_and_the_rest_waits(understudy: Invoke) -> None:
    put(waiting("q1", request("one"), request("two")))
    noted = understudy("inbox", "respond", "q1", "no, not them", "--request", "two", "--no-run")
    assert (noted.exit_code, "more answers are needed for: one" in noted.stderr) == (3, True)
    decided = understudy("inbox", "respond", "q1", "yes", "--no-run", "--json")
    assert [each["type"] for each in json.loads(decided.stdout)["decisions"]] == ["approve", "reject"]


def test_text_of_strangers_is_not_obeyed(understudy: Invoke) -> None:
    evil = "\x1b[2Jlook\x1b]0;owned\x07"
    put(waiting("q1", request().model_copy(update={"description": evil, "args": {"to": evil}}), goal=evil))
    for command in (["list"], ["show", "q1"]):
        assert "\x1b" not in understudy("inbox", *command).stdout


def test_status_tells_how_many_wait(understudy: Invoke) -> None:
    put(waiting("q1"), waiting("q2"))
    shown = understudy("status")
    assert shown.exit_code == 0, shown.stderr
    assert "2 question(s) wait for a person, the first until " in shown.stdout
