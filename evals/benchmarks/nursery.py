"""Workers that start in milliseconds: forked from one process that has imported and loaded everything."""

import os
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any, Generic, NamedTuple, TypeVar

T = TypeVar("T")

PATIENCE = 60.0
"""Seconds after which a worker that has not ended counts as hung."""


class Ended(NamedTuple):
    """How a worker ended."""

    code: int
    """Its exit code; negative: the signal that ended it."""
    seconds: float
    """From its start."""


class Job(NamedTuple, Generic[T]):
    """What a worker is to do, and when it is killed."""

    what: T
    kill_after: float | None = None
    """Seconds from its start; None lets it live."""


class Nursery(Generic[T]):
    """A process of its own, started fresh, which forks a worker for every job; a context manager.

    It stays without threads and event loops: those begin in the workers, after the fork.

    Args:
        warm: Imports and loads what the workers share, and returns the function that does a job. Both must be
            importable by name, because the process is spawned.
    """

    def __init__(self, warm: Callable[[], Callable[[T], None]]) -> None:
        context = get_context("spawn")
        self._ours, theirs = context.Pipe()
        self._process = context.Process(target=_nurse, args=(theirs, warm), daemon=True)
        self._process.start()
        theirs.close()

    def __enter__(self) -> "Nursery[T]":
        """Return the nursery."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the process."""
        self._ours.close()
        self._process.join(5)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        self._process.close()

    def run(self, job: Job[T]) -> Ended:
        """Do one job in a worker and return how that ended."""
        self._ours.send(tuple(job))
        return Ended(*self._ours.recv())


def _nurse(orders: Connection, warm: Callable[[], Callable[[Any], None]]) -> None:
    work = warm()
    while True:
        try:
            job = Job(*orders.recv())
        except EOFError:
            return
        orders.send(tuple(_raised(orders, work, job)))


def _raised(orders: Connection, work: Callable[[Any], None], job: Job[Any]) -> Ended:
    """Fork a worker, wait for its end, and kill it when its time has come."""
    started = time.monotonic()
    worker = os.fork()
    if worker == 0:
        orders.close()
        _worked(work, job.what)
    handle = os.pidfd_open(worker)
    try:
        ended, _, _ = select.select([handle], [], [], PATIENCE if job.kill_after is None else job.kill_after)
        if not ended:
            os.kill(worker, signal.SIGKILL)
    finally:
        os.close(handle)
    _, status = os.waitpid(worker, 0)
    return Ended(os.waitstatus_to_exitcode(status), time.monotonic() - started)


def _worked(work: Callable[[Any], None], what: object) -> None:
    """Do the job and end this process; an error is told, and never unwinds into the code of the nursery."""
    code = 1
    try:
        work(what)
        code = 0
    finally:
        if code:
            traceback.print_exc()
        sys.stderr.flush()
        os._exit(code)
