"""`understudy consent`, the keys of its question, and what leaves by `trace --json` and `memory export`."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import Result

from domain.consent import consent_request
from understudy.cli.approve import Answer, Person, approve_all

Invoke = Callable[..., Result]
REQUEST = consent_request("camera", ["reader is to look"])


@pytest.fixture(autouse=True)
def _person(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNDERSTUDY_USER", "eve")


def listed(understudy: Invoke, *options: str) -> list[tuple[str, str, str]]:
    result = understudy("consent", "list", "--json", *options)
    assert result.exit_code == 0, result.stderr
    return [(entry["scope"], entry["user"], entry["move"]) for entry in json.loads(result.stdout)]


def test_consents_are_given_refused_and_taken_back(understudy: Invoke) -> None:
    assert understudy("consent", "give", "personal_data").stdout == "personal_data is agreed to for eve\n"
    assert understudy("consent", "refuse", "camera", "--user", "ann").stdout == "camera is refused for ann\n"
    assert listed(understudy) == [("personal_data", "eve", "always"), ("camera", "ann", "never")]
    assert understudy("consent", "revoke", "personal_data").exit_code == 0
    assert listed(understudy) == [("camera", "ann", "never")]
    assert [move for *_, move in listed(understudy, "--history")] == ["always", "never", "revoked"]
    assert listed(understudy, "--workspace", "other") == []
    audit = json.loads(understudy("audit", "show", "--json", "--kind", "consent").stdout)
    assert [(entry["who"], entry["data"]["move"]) for entry in audit] == [
        ("eve", "revoked"), ("eve", "never"), ("eve", "always"),
    ]  # fmt: skip


def test_a_scope_that_is_none_is_refused(understudy: Invoke) -> None:
    result = understudy("consent", "give", "Bad Scope")
    assert result.exit_code == 2 and "is no scope" in result.stderr


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ("a", {"type": "edit", "args": {"answer": "always"}}),
        ("t", {"type": "edit", "args": {"answer": "this time"}}),
        ("n", {"type": "edit", "args": {"answer": "never"}}),
        ("r", {"type": "reject"}),
        ("always", {"type": "edit", "args": {"answer": "always"}}),
        ("yes", {"type": "approve"}),
    ],
)
def test_the_keys_of_the_question(typed: str, answer: Answer) -> None:
    prompts: list[str] = []

    def read(prompt: str) -> str:
        prompts.append(prompt)
        return typed

    assert Person(Console(quiet=True), read)([REQUEST]) == [answer]
    assert prompts == ["[a]lways  [t]his time  [n]ever  [r]efuse this time  [q]uit, leave open > "]


def test_a_blanket_yes_agrees_this_time_only() -> None:
    assert approve_all([REQUEST]) == [{"type": "approve"}]


GOAL = "Find what anna@example.org said of card 4111 1111 1111 1111"


@pytest.fixture
def ran(understudy: Invoke, tmp_path: Path) -> str:
    """A finished run whose goal and findings hold what should not leave."""
    data = tmp_path / "data"
    data.mkdir()
    (data / "a.md").write_text("# Notes\n\nanna@example.org said that card 4111 1111 1111 1111 was found.\n")
    result = understudy("run", GOAL, "--data", str(data), "--json")
    assert result.exit_code == 0, result.stderr
    events = [json.loads(line) for line in result.stdout.splitlines()]
    return next(str(event["run"]) for event in events if "run" in event)


def test_traces_and_exports_leave_redacted_unless_asked_otherwise(understudy: Invoke, ran: str, tmp_path: Path) -> None:
    for command in (["trace", ran, "--json"], ["memory", "export"]):
        hidden, whole = understudy(*command), understudy(*command, "--unredacted")
        assert (hidden.exit_code, whole.exit_code) == (0, 0), hidden.stderr + whole.stderr
        assert "anna@example.org" in whole.stdout and "4111 1111" in whole.stdout
        assert "anna@example.org" not in hidden.stdout and "4111 1111" not in hidden.stdout
        assert "[email]" in hidden.stdout and "[card]" in hidden.stdout
    file = tmp_path / "tasks.jsonl"
    assert understudy("memory", "export", str(file)).exit_code == 0
    taken = understudy("memory", "import", str(file), "--workspace", "other")
    assert taken.stdout == "took in 1 task(s)\n", taken.stderr
