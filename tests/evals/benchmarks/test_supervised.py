"""A program is kept alive, heard, and ended when that is wanted."""

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from evals.benchmarks.supervised import ProcessFailed, Program, Supervised

PATIENCE = 30.0
WORKS = "import signal, sys; print('works', flush=True); signal.pause()"


class Heard:
    """What was told, and a wait for it."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._more = threading.Condition()

    def __call__(self, name: str, line: str) -> None:
        with self._more:
            self.lines.append(line)
            self._more.notify_all()

    def until(self, text: str, times: int = 1) -> None:
        with self._more:
            there = self._more.wait_for(lambda: sum(text in line for line in self.lines) >= times, PATIENCE)
            assert there, self.lines


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def started(heard: Heard) -> Iterator[list[Supervised]]:
    """What a test puts in here is stopped after it."""
    running: list[Supervised] = []
    yield running
    for each in running:
        each.stop()


def program(script: str, **named: object) -> Program:
    return Program("one", (sys.executable, "-c", script), ready_line="works", **named)  # type: ignore[arg-type]


def kept(heard: Heard, started: list[Supervised], script: str, **named: object) -> Supervised:
    process = Supervised(program(script, **named), heard)
    started.append(process)
    process.start()
    return process


def test_one_that_was_killed_is_started_again(heard: Heard, started: list[Supervised]) -> None:
    process = kept(heard, started, WORKS)
    process.wait_ready()
    before = process.pid
    process.kill()
    heard.until("ended (signal SIGKILL) and is started again")
    heard.until("works", times=2)
    process.wait_ready()
    assert process.pid not in (before, None) and process.starts == 2


def test_one_that_ends_by_itself_is_started_again_and_again_ever_later(
    heard: Heard, started: list[Supervised], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("evals.benchmarks.supervised._FIRST_PAUSE", 0.01)
    monkeypatch.setattr("evals.benchmarks.supervised._LONGEST_PAUSE", 0.02)
    kept(heard, started, "raise SystemExit(7)")
    heard.until("ended (exit code 7) and is started again", times=3)


def test_a_restart_ends_it_in_peace_and_waits_until_it_works(heard: Heard, started: list[Supervised]) -> None:
    script = (
        "import signal, sys\nsignal.signal(signal.SIGTERM, lambda *_: (print('bye', flush=True), sys.exit(0)))\n"
        "print('works', flush=True)\nwhile True: signal.pause()"
    )
    process = kept(heard, started, script)
    process.wait_ready()
    process.restart()
    assert [line for line in heard.lines if line in ("works", "bye")] == ["works", "bye", "works"]
    assert process.is_ready


def test_one_that_does_not_end_is_killed_and_that_is_said(heard: Heard, started: list[Supervised]) -> None:
    stubborn = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + WORKS
    process = kept(heard, started, stubborn, grace=0.2)
    process.wait_ready()
    process.stop()
    heard.until("did not end in 0 s and is killed")
    assert process.pid is None and process.starts == 1


def test_one_that_never_works_is_given_up_with_what_it_said(heard: Heard, started: list[Supervised]) -> None:
    process = kept(heard, started, "import signal; print('no disk', flush=True); signal.pause()")
    heard.until("no disk")
    with pytest.raises(ProcessFailed, match="no disk"):
        process.wait_ready(0.1)


def test_a_program_that_is_not_there_is_named(heard: Heard, started: list[Supervised], tmp_path: Path) -> None:
    process = Supervised(Program("one", ("true",), run_as={"cwd": str(tmp_path / "nowhere")}), heard)
    started.append(process)
    process.start()
    heard.until("cannot be started")
    with pytest.raises(ProcessFailed, match="cannot be started"):
        process.wait_ready(0.1)


def test_stopping_what_was_never_started_changes_nothing(heard: Heard) -> None:
    Supervised(program(WORKS), heard).stop()
    assert heard.lines == []


def test_what_is_supervised_dies_with_its_supervisor(tmp_path: Path) -> None:
    script = (
        "import sys\nfrom evals.benchmarks.supervised import Program, Supervised\n"
        f"kept = Supervised(Program('one', (sys.executable, '-c', {WORKS!r}), ready_line='works'), lambda *_: None)\n"
        "kept.start(); kept.wait_ready(); print(kept.pid, flush=True); input()"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as supervisor:
        assert supervisor.stdout is not None
        pid = int(supervisor.stdout.readline())
        supervisor.send_signal(signal.SIGKILL)
        supervisor.wait()
    ended = subprocess.run(["tail", f"--pid={pid}", "-f", "/dev/null"], timeout=PATIENCE, check=False)
    assert ended.returncode == 0
