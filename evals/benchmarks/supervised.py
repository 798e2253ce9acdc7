"""A process that is kept alive: when it dies it is started again, and what it says is handed on line by line."""

import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from domain.errors import UnderstudyError

Tell = Callable[[str, str], None]
"""Is given the name of a process and a line that it said, or that is said of it; called from many threads."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 10.0
"""Seconds before a process that died is started again; twice as long each time it dies at once."""
_LIVED = 10.0
"""A process that lived so many seconds did not die at once."""
_LOOK_SECONDS = 0.05
_TOLD_LINES = 20
_CANNOT_START = 127


class ProcessFailed(UnderstudyError):
    """A process does not start, or does not end; carries what it said last."""

    code = "process_failed"


@dataclass(frozen=True)
class Program:
    """What is started, and how one sees that it works."""

    name: str
    command: tuple[str, ...]
    is_ready: Callable[[], bool] | None = None
    """Asks it; None believes what it says."""
    ready_line: str = ""
    """Beginning of the line with which it says that it works, where it is not asked."""
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Beside that of this process; may hold passwords."""
    run_as: Mapping[str, Any] = field(default_factory=dict)
    """User and group, as `subprocess.Popen` takes them."""
    end: signal.Signals = signal.SIGTERM
    """Asks it to end."""
    crash: signal.Signals = signal.SIGKILL
    """Ends it as a crash would."""
    grace: float = 30.0
    """Seconds that it may take to end."""


class Supervised:
    """One program, kept alive from `start` to `stop` in a process group of its own."""

    def __init__(self, program: Program, tell: Tell) -> None:
        self.program, self._tell = program, tell
        self.starts = 0
        """How often it was started."""
        self._process: subprocess.Popen[str] | None = None
        self._keeper: threading.Thread | None = None
        self._stopping = threading.Event()
        self._said_ready = threading.Event()
        self._last: list[str] = []

    @property
    def pid(self) -> int | None:
        """The process that lives now."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    @property
    def is_ready(self) -> bool:
        """Whether it lives and works."""
        if self.pid is None:
            return False
        return self.program.is_ready() if self.program.is_ready else self._said_ready.is_set()

    def start(self) -> None:
        """Start it, and again whenever it dies."""
        if self._keeper is None:
            self._stopping.clear()
            self._keeper = threading.Thread(target=self._keep, name=self.program.name, daemon=True)
            self._keeper.start()

    def wait_ready(self, seconds: float = 60.0) -> None:
        """Wait until it works, or raise `ProcessFailed` with what it said last."""
        until = time.monotonic() + seconds
        while not self.is_ready:
            if time.monotonic() > until or self._keeper is None:
                msg = f"{self.program.name} does not work:\n" + "\n".join(self._last)
                raise ProcessFailed(msg)
            time.sleep(_LOOK_SECONDS)

    def kill(self) -> None:
        """End it at once, as a crash would; it is started again."""
        self._signal(self.program.crash)

    def restart(self, seconds: float = 60.0) -> None:
        """Ask it to end, and wait until it works again; a second one is not started before the first has ended."""
        before = self.starts
        self._signal(self.program.end)
        self._wait_end()
        until = time.monotonic() + seconds
        while self.starts == before and time.monotonic() < until:
            time.sleep(_LOOK_SECONDS)
        self.wait_ready(max(_LOOK_SECONDS, until - time.monotonic()))

    def ask_to_stop(self) -> None:
        """Ask it to end for good, and return at once."""
        self._stopping.set()
        self._signal(self.program.end)

    def stop(self) -> None:
        """End it for good: ask first, and end it at once where that takes longer than its grace."""
        if self._keeper is None:
            return
        if not self._stopping.is_set():
            self.ask_to_stop()
        self._wait_end()
        self._keeper.join()
        self._keeper = None

    def _wait_end(self) -> None:
        process = self._process
        if process is None:
            return
        try:
            process.wait(self.program.grace)
        except subprocess.TimeoutExpired:
            self._tell(self.program.name, f"did not end in {self.program.grace:.0f} s and is killed")
            process.send_signal(self.program.crash)
            process.wait()

    def _signal(self, number: signal.Signals) -> None:
        process = self._process
        if process is not None:
            process.send_signal(number)  # which does nothing to a process that has ended

    def _keep(self) -> None:
        pause = _FIRST_PAUSE
        while not self._stopping.is_set():
            began = time.monotonic()
            code = self._lived()
            if self._stopping.is_set():
                return
            pause = _FIRST_PAUSE if time.monotonic() - began > _LIVED else min(2 * pause, _LONGEST_PAUSE)
            self._tell(self.program.name, f"ended ({_how(code)}) and is started again")
            self._stopping.wait(pause)

    def _lived(self) -> int:
        """Start it, hand on what it says, and return its exit code."""
        self._said_ready.clear()
        try:
            self._process = process = self._begun()
        except OSError as error:
            self._hear(f"cannot be started: {error}")
            return _CANNOT_START
        self.starts += 1
        if self._stopping.is_set():  # it was asked for before there was somebody to be told
            process.send_signal(self.program.end)
        assert process.stdout is not None
        with process.stdout:
            for line in process.stdout:
                self._hear(line.rstrip("\n"))
        return process.wait()

    def _begun(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*_tied(), *self.program.command],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
            env={**os.environ, **self.program.environment}, start_new_session=True, **self.program.run_as,
        )  # fmt: skip

    def _hear(self, line: str) -> None:
        self._last = [*self._last[1 - _TOLD_LINES :], line]
        if self.program.ready_line and line.startswith(self.program.ready_line):
            self._said_ready.set()
        self._tell(self.program.name, line)


def _tied() -> list[str]:
    """Return what has a process die with this one, however that ends; nothing where the system has no such thing."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "KILL", "--"] if setpriv else []


def _how(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
