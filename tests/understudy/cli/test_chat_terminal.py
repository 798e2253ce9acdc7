"""The chat on a real terminal: completion, and what can be typed while a run goes on."""

from typing import Any

import pytest

from evals.scripted import ScriptedServer
from tests.forks import Forks
from tests.understudy.cli.test_interruption import ENERGY, Terminal

ANSWER = "It waits for the model to say which way it goes."


def test_commands_are_completed(forks: Forks) -> None:
    terminal = Terminal(forks, "chat", "--data", str(ENERGY))
    terminal.wait_for("you > ")
    terminal.type("/exp\t")
    terminal.wait_for("/export ")
    terminal.type("mine.md\n")
    terminal.wait_for("nothing was begun in this conversation yet")
    terminal.type("/quit\n")
    assert terminal.exit_code() == 0


def test_a_question_typed_while_a_run_goes_on_is_answered(forks: Forks, monkeypatch: pytest.MonkeyPatch) -> None:
    script: list[dict[str, Any]] = [
        {"match": "You are the supervisor", "hang": 120},
        {"match": "What is known of the run", "content": ANSWER},
    ]
    with ScriptedServer(script) as server:
        monkeypatch.setenv("OPENAI_API_KEY", "sk-test-key-0123456789")
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
        monkeypatch.setenv("UNDERSTUDY_MODEL_RETRIES", "0")
        terminal = Terminal(forks, "chat", "--data", str(ENERGY))
        terminal.wait_for("you > ")
        terminal.type("Which source of electricity grew most?\n")
        terminal.wait_for("working")
        terminal.type("/rate 5\n")
        terminal.wait_for("a run goes on; Ctrl-C stops it")
        terminal.type("/ask what does it wait for?\n")
        terminal.wait_for("which way it goes.")
        terminal.type("\x03")
        terminal.wait_for("press Ctrl-C again")
        terminal.type("\x03")
        assert terminal.exit_code() == 130
