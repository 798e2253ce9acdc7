"""Processes of the product that start in milliseconds: forked from one that has imported everything they need."""

import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from typing import IO, Any, NamedTuple

from evals.benchmarks.nursery import Nursery, Worker

ROOT = Path(__file__).parents[1]
PATIENCE = 50.0
"""Seconds after which a process that says nothing, or does not end, counts as hung."""
_LOOK = 0.005
_IMPORTED = (
    "chromadb.api.rust",
    "sklearn.feature_extraction.text",
    "wordllama",
    "psycopg",
    "redis.asyncio",
    "dbos",
    "duckdb",
    "understudy.cli.main",
    "understudy.cli.screen",
    "understudy.front_desk",
    "understudy.orchestrator",
    "understudy.durable.engine",
    "understudy.notices.outbox",
)
"""What processes of tests use, and what the product imports at its first use."""


class Act(NamedTuple):
    """What a process does: a function that can be imported by name."""

    do: Callable[..., None]
    args: tuple[Any, ...]
    environment: dict[str, str]
    folder: str


def warm() -> Callable[[Act], None]:
    """Import what processes share, before there is any; each of them is left with the environment of its test."""
    before = dict(os.environ)
    for module in _IMPORTED:
        import_module(module)
    os.environ.clear()
    os.environ.update(before)
    return _act


def _act(act: Act) -> None:
    os.environ.clear()
    os.environ.update(act.environment)
    os.chdir(act.folder)
    sys.path[:0] = [place for place in os.environ.get("PYTHONPATH", "").split(os.pathsep) if place not in sys.path]
    sys.stdin, sys.stdout, sys.stderr = (os.fdopen(number, mode, closefd=False) for number, mode in enumerate("rww"))
    act.do(*act.args)


def command(*args: str) -> None:
    """Be `understudy` with these arguments; the exit code is that of the command line."""
    from understudy.cli.main import main

    sys.argv = ["understudy", *args]
    try:
        main()
    except SystemExit as end:
        sys.stdout.flush()
        os._exit(end.code if isinstance(end.code, int) else 0 if end.code is None else 1)


def command_on_terminal(*args: str) -> None:
    """Be `understudy` on the terminal that this process has got as its input and output, and be what it signals."""
    os.login_tty(os.dup(0))
    command(*args)


class Forked:
    """A process of its own with its output in pipes, like one of `subprocess.Popen`; a context manager that ends it."""

    def __init__(self, worker: Worker, stdout: IO[str], stderr: IO[str] | None, stdin: IO[str] | None) -> None:
        self.pid = worker.pid
        self.stdout, self.stderr, self.stdin = stdout, stderr, stdin
        self._worker = worker

    def __enter__(self) -> "Forked":
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self.wait()
        for stream in (self.stdout, self.stderr, self.stdin):
            if stream is not None:
                stream.close()

    def send_signal(self, number: signal.Signals) -> None:
        self._worker.signal(number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def wait(self) -> int:
        """Return its exit code; negative: the signal that ended it."""
        assert self._worker.over(PATIENCE), f"process {self.pid} does not end"
        return self._worker.ended().code

    def stopped(self) -> None:
        """Wait until it has really stopped (SIGSTOP): what it said before that is said by one that still moves."""
        until = time.monotonic() + PATIENCE
        while Path(f"/proc/{self.pid}/stat").read_text().rpartition(") ")[2][0] != "T":
            assert time.monotonic() < until, f"process {self.pid} does not stop"
            time.sleep(_LOOK)


class Said(NamedTuple):
    """What a process told, and its exit code."""

    stdout: str
    stderr: str
    code: int


class Forks:
    """Starts processes of tests."""

    def __init__(self, nursery: Nursery[Act]) -> None:
        self._nursery = nursery

    def start(
        self, do: Callable[..., None], *args: Any, environment: Mapping[str, str] | None = None, folder: Path = ROOT,
        stdin: bool = False, stderr: bool = False,
    ) -> Forked:  # fmt: skip
        """Start a process that calls a function, with its standard output in a pipe, and others where that is said."""
        act = Act(do, args, {**os.environ, **(environment or {})}, str(folder))
        theirs, ours = {}, {}
        for number, wanted in ((0, stdin), (1, True), (2, stderr)):
            if wanted:
                reader, writer = os.pipe()
                theirs[number], mine = (writer, reader) if number else (reader, writer)
                ours[number] = os.fdopen(mine, "r" if number else "w")
        worker = self._begun(act, theirs)
        return Forked(worker, ours[1], ours.get(2), ours.get(0))

    def said(
        self, do: Callable[..., None], *args: Any, environment: Mapping[str, str] | None = None, folder: Path = ROOT
    ) -> Said:
        """Let a process come to its end, and return what it told."""
        with (
            self.start(do, *args, environment=environment, folder=folder, stderr=True) as process,
            ThreadPoolExecutor(1) as beside,
        ):
            assert process.stderr is not None
            errors = beside.submit(process.stderr.read)
            return Said(process.stdout.read(), errors.result(), process.wait())

    def started_on(
        self,
        streams: Mapping[int, int],
        do: Callable[..., None],
        *args: Any,
        environment: Mapping[str, str] | None = None,
    ) -> Worker:
        """Start a process on descriptors of this one, which are closed here, in the folder that this one is in."""
        return self._begun(Act(do, args, {**os.environ, **(environment or {})}, str(Path.cwd())), streams)

    def _begun(self, act: Act, streams: Mapping[int, int]) -> Worker:
        try:
            return self._nursery.begin(act, streams)
        finally:
            for descriptor in set(streams.values()):
                os.close(descriptor)
