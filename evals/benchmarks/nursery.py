"""Workers that start in milliseconds: forked from one process that has imported and loaded everything."""

import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.reduction import recv_handle, send_handle
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


class Worker:
    """A process that does one job."""

    def __init__(self, pid: int, handle: int, answers: Connection) -> None:
        self.pid = pid
        self._handle, self._answers = handle, answers
        self._end: Ended | None = None

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal; nothing where it has ended: the handle never names a later process."""
        if self._end is None:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._handle, number)

    def over(self, patience: float) -> bool:
        """Wait for its end for so many seconds, and return whether it came."""
        if self._end is None and self._answers.poll(patience):
            self._end = Ended(*self._answers.recv())
            self._answers.close()
            os.close(self._handle)
        return self._end is not None

    def ended(self, kill_after: float = PATIENCE) -> Ended:
        """Return how it ended, killing it after so many seconds."""
        if not self.over(kill_after):
            self.signal(signal.SIGKILL)
            self.over(PATIENCE)
        if self._end is None:
            raise RuntimeError(f"process {self.pid} outlives being killed")
        return self._end


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
        self._one_at_a_time = threading.Lock()
        theirs.close()

    def __enter__(self) -> "Nursery[T]":
        """Return the nursery."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the process and the workers that still live."""
        self._ours.close()
        self._process.join(5)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        self._process.close()

    def begin(self, what: T, streams: Mapping[int, int] | None = None) -> Worker:
        """Let a worker begin with a job, beside those that are at work.

        Args:
            what: The job.
            streams: Descriptors of this process that become the worker's, by their number there, such as 1 for its
                standard output.
        """
        given = streams or {}
        ours, theirs = get_context("spawn").Pipe()
        with theirs, self._one_at_a_time:
            self._ours.send((what, tuple(given)))
            for descriptor in (theirs.fileno(), *given.values()):
                send_handle(self._ours, descriptor, self._process.pid or 0)
        return Worker(ours.recv(), recv_handle(ours), ours)

    def run(self, job: Job[T]) -> Ended:
        """Do one job in a worker and return how that ended."""
        return self.begin(job.what).ended(PATIENCE if job.kill_after is None else job.kill_after)


class _Child(NamedTuple):
    """A worker as the nurse sees it."""

    pid: int
    began: float
    told: Connection
    """Where its end is told."""


def _nurse(orders: Connection, warm: Callable[[], Callable[[Any], None]]) -> None:
    """Fork a worker for every job, and tell how each of them ended."""
    work, living = warm(), dict[int, _Child]()
    while True:
        for ready in wait([orders, *living]):
            if isinstance(ready, int):
                _buried(living.pop(ready), ready)
                continue
            try:
                what, numbers = orders.recv()
            except EOFError:
                for handle in living:
                    signal.pidfd_send_signal(handle, signal.SIGKILL)
                os._exit(0)  # it has nothing to tidy up, and taking all its modules apart takes seconds
            told = Connection(recv_handle(orders))
            streams = {number: recv_handle(orders) for number in numbers}
            began, pid = time.monotonic(), os.fork()
            if pid == 0:
                _released(orders, told, living)
                _worked(work, what, streams)
            handle = os.pidfd_open(pid)
            living[handle] = _Child(pid, began, told)
            told.send(pid)
            send_handle(told, handle, 0)
            for descriptor in streams.values():
                os.close(descriptor)


def _buried(child: _Child, handle: int) -> None:
    _, status = os.waitpid(child.pid, 0)
    with child.told, suppress(BrokenPipeError):
        child.told.send((os.waitstatus_to_exitcode(status), time.monotonic() - child.began))
    os.close(handle)


def _released(orders: Connection, told: Connection, living: Mapping[int, _Child]) -> None:
    """Close, in a worker, what belongs to the nurse."""
    orders.close()
    told.close()
    for handle, other in living.items():
        os.close(handle)
        other.told.close()


def _worked(work: Callable[[Any], None], what: object, streams: Mapping[int, int]) -> None:
    """Do the job and end this process; an error is told, and never unwinds into the code of the nursery."""
    code = 1
    try:
        for number, descriptor in streams.items():
            os.dup2(descriptor, number)
            os.close(descriptor)
        work(what)
        code = 0
    finally:
        if code:
            traceback.print_exc()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
