"""Signals, closed pipes and a real terminal, each with the command line in a process of its own."""

import fcntl
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, NamedTuple

import pytest
from typer.testing import Result

from evals.benchmarks.nursery import Worker
from tests.forks import PATIENCE, Forks, command, command_on_terminal

ROOT = Path(__file__).parents[3]
ENERGY = ROOT / "examples" / "energy"
QUESTION = "How did the share of renewables in Iowa's electricity change from 2001 to 2017, and why?"
RUN = ["run", QUESTION, "--data", str(ENERGY), "--json"]
PIPE_BYTES = 4096
"""The smallest pipe: a run has far more to say, so it cannot end before the test reads on."""
QUIET_SECONDS = 5.0
"""After so long without a sign a person presses a key again."""


class Running(NamedTuple):
    process: Worker
    lines: IO[bytes]
    errors: IO[bytes]

    def read_until(self, kind: str) -> dict[str, object]:
        return read_until(self.lines, kind)

    def ended(self) -> tuple[int, str]:
        """Return its exit code and what it told of errors."""
        told = self.errors.read().decode()
        return self.process.ended().code, told


def read_until(lines: IO[bytes], kind: str) -> dict[str, object]:
    for line in lines:
        event: dict[str, object] = json.loads(line)
        if event["type"] == kind:
            return event
    raise AssertionError(kind)


def narrow_pipe() -> tuple[int, int]:
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    return reader, writer


@pytest.fixture
def running(forks: Forks) -> Iterator[Running]:
    """Start a run whose events come through a narrow pipe."""
    reader, writer = narrow_pipe()
    errors, theirs = os.pipe()
    process = forks.started_on({1: writer, 2: theirs}, command, *RUN)
    with os.fdopen(reader, "rb", buffering=0) as lines, os.fdopen(errors, "rb") as told:
        yield Running(process, lines, told)
        process.ended(0)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "sigterm"])
def test_the_first_signal_stops_at_a_safe_point_and_the_run_can_be_resumed(
    running: Running, number: signal.Signals, understudy: Callable[..., Result]
) -> None:
    started = running.read_until("run_started")
    running.process.signal(number)
    rest = [json.loads(line) for line in running.lines]
    code, errors = running.ended()
    assert code == 130
    assert rest[-1]["type"] == "run_stopped"
    assert errors.splitlines() == [
        "understudy: stopping at the next safe point; press Ctrl-C again to abort at once",
        f"understudy: stopped. Go on with: understudy resume {started['thread']}",
    ]
    resumed = understudy("resume", str(started["thread"]))
    assert resumed.exit_code == 0, resumed.stderr
    assert "38.8 %" in resumed.stdout


def test_the_second_signal_ends_at_once(running: Running, understudy: Callable[..., Result]) -> None:
    started = running.read_until("run_started")
    running.process.signal(signal.SIGINT)
    running.process.signal(signal.SIGTERM)
    code, errors = running.ended()
    assert code == 130
    assert f"understudy: aborted. Go on with: understudy resume {started['thread']}" in errors
    resumed = understudy("resume", str(started["thread"]))
    assert resumed.exit_code == 0, resumed.stderr


def test_a_reader_that_goes_away_ends_the_run_quietly() -> None:
    """A command line as it is really started: what it prints while the interpreter ends counts, too."""
    reader, writer = narrow_pipe()
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    args = [sys.executable, "-m", "understudy", *RUN]
    with subprocess.Popen(args, stdout=writer, stderr=subprocess.PIPE, env=environment) as process:
        os.close(writer)
        with os.fdopen(reader, "rb", buffering=0) as lines:
            read_until(lines, "run_started")
        _, stderr = process.communicate(timeout=PATIENCE)
    assert (process.returncode, stderr) == (1, b"")


class Terminal:
    """A process on a terminal of its own."""

    def __init__(self, forks: Forks, *args: str) -> None:
        self.fd, theirs = pty.openpty()
        look = {"TERM": "xterm", "COLUMNS": "100", "PYTHONWARNINGS": "ignore"}
        self.process = forks.started_on(dict.fromkeys(range(3), theirs), command_on_terminal, *args, environment=look)
        self.seen = ""

    def wait_for(self, text: str) -> None:
        """Read until the terminal has shown this text once more."""
        fresh = ""
        while text not in fresh:
            fresh += os.read(self.fd, 4096).decode()
        self.seen += fresh

    def type(self, text: str) -> None:
        os.write(self.fd, text.encode())

    def interrupted(self) -> int:
        """Press Ctrl-C as a person does, again where nothing happens, and return the exit code.

        Python's line reader overlooks a signal that comes after the prompt and just before it begins to wait.
        """
        self.type("\x03")
        while not select.select([self.fd], [], [], QUIET_SECONDS)[0]:
            self.type("\x03")
        return self.exit_code()

    def exit_code(self) -> int:
        try:
            while chunk := os.read(self.fd, 4096):
                self.seen += chunk.decode()
        except OSError:  # Linux reports the other end's closing like this
            pass
        os.close(self.fd)
        return self.process.ended().code


def test_a_person_at_a_terminal_is_asked(forks: Forks, tmp_path: Path) -> None:
    goal = "Write a brief about wind power in Iowa"
    terminal = Terminal(forks, "run", goal, "--data", str(ENERGY), "--out", str(tmp_path / "out"))
    terminal.wait_for("leave open > ")
    terminal.type("a\n")
    assert terminal.exit_code() == 0
    (written,) = tmp_path.glob("out/*")
    assert re.search(rf"written .*{written.name}", terminal.seen)


def test_ctrl_c_at_a_question_leaves_it_open(forks: Forks, tmp_path: Path) -> None:
    goal = "Write a brief about wind power in Iowa"
    terminal = Terminal(forks, "run", goal, "--data", str(ENERGY), "--out", str(tmp_path / "out"))
    terminal.wait_for("leave open > ")
    assert terminal.interrupted() == 130
    assert "interrupted; the question stays open. Go on with: understudy resume" in terminal.seen
    assert not list(tmp_path.glob("out/*"))


def test_ctrl_c_at_the_prompt_leaves_the_chat(forks: Forks) -> None:
    terminal = Terminal(forks, "chat", "--data", str(ENERGY))
    terminal.wait_for("you > ")
    assert terminal.interrupted() == 130
