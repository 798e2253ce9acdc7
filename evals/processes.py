"""Jobs played in several processes, each with a player of its own: one that dies takes only its task with it."""

import asyncio
import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnContext

from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # ships no types

from domain.errors import UnderstudyError
from evals.attempts import Job, attempt
from evals.judging import unplayable
from evals.playing import OpenPlayer, Version
from evals.results import TaskResult

Done = Callable[[Job, TaskResult, bool], None]
"""Takes the result of a job, and whether it was played to its end."""
_PATIENCE = 5.0
"""Seconds in which a process that was asked to end should do so."""


class PlayerDied(UnderstudyError):
    """A process ended before it could play anything; what it said is on stderr."""

    code = "player_died"


def play_in_processes(
    jobs: Sequence[Job], open_player: OpenPlayer, version: Version, processes: int, done: Done
) -> None:
    """Play jobs in some processes and tell of each as it ends; when this is interrupted, the processes end, too.

    Raises:
        PlayerDied: A process could not open its player and did not say why.
        UnderstudyError: The player's own reason for not opening.
    """
    waiting, context = deque(jobs), get_context("spawn")
    workers = [_Worker(context, open_player, version) for _ in range(min(processes, len(jobs)))]
    try:
        while at_work := [worker for worker in workers if worker.busy]:
            for pipe in wait([worker.pipe for worker in at_work]):
                worker = next(worker for worker in at_work if worker.pipe is pipe)
                if not worker.heard(done):
                    workers.remove(worker)
                    worker.stop()
                    if not waiting:
                        continue
                    workers.append(worker := _Worker(context, open_player, version))
                if worker.is_free and waiting:
                    worker.give(waiting.popleft())
                elif worker.is_free:
                    worker.dismiss()
    except BaseException:
        for worker in workers:
            worker.abort()
        raise
    finally:
        for worker in workers:
            worker.stop()


class _Worker:
    """One process, seen from outside."""

    def __init__(self, context: SpawnContext, open_player: OpenPlayer, version: Version) -> None:
        self.pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, open_player, version), daemon=True)
        self._process.start()
        theirs.close()
        self._job: Job | None = None
        self._is_open = False
        self.busy = True
        """Whether something will be heard of it."""

    @property
    def is_free(self) -> bool:
        """Whether it can be given a job."""
        return self._is_open and self._job is None

    def give(self, job: Job) -> None:
        """Have it play a job."""
        self._job = job
        with suppress(OSError):  # it is dead, which is heard next
            self.pipe.send(job)

    def heard(self, done: Done) -> bool:
        """Take what it says; return whether it still lives."""
        try:
            said = self.pipe.recv()
        except (EOFError, OSError):
            self._died(done)
            return False
        if isinstance(said, UnderstudyError):
            raise said
        if self._job:
            done(self._job, said, True)
        self._job, self._is_open = None, True
        return True

    def _died(self, done: Done) -> None:
        self._process.join(_PATIENCE)
        code = self._process.exitcode
        how = f"was killed by signal {-code}" if code and code < 0 else f"ended with exit code {code}"
        if self._job is None:
            msg = f"a process that was to play tasks {how} before it could begin"
            raise PlayerDied(msg)
        job = self._job
        done(job, unplayable(job.suite, job.folder.name, f"the process that played it {how}", job.epoch), False)

    def dismiss(self) -> None:
        """Let it end by itself: nothing is left to do."""
        self.busy = False
        self.pipe.close()

    def abort(self) -> None:
        """Have it end now."""
        self.pipe.close()
        self._process.terminate()

    def stop(self) -> None:
        """Wait for its end, and see to it."""
        self.pipe.close()
        self._process.join(_PATIENCE)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()


def _serve(pipe: Connection, open_player: OpenPlayer, version: Version) -> None:
    """Play what comes through the pipe until it is closed; what a process does from its start to its end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes of a terminal; the first decides
    with threadpool_limits(1), suppress(asyncio.CancelledError):  # the processes are the parallelism
        asyncio.run(served(pipe, open_player, version))
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # everything is closed; taking so many loaded libraries apart would take seconds


async def served(pipe: Connection, open_player: OpenPlayer, version: Version) -> None:
    """Play what comes through the pipe until nobody is at its other end any more."""
    task = asyncio.current_task()
    assert task
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    try:
        async with open_player(version) as player:
            pipe.send(None)
            while True:
                job = await asyncio.to_thread(pipe.recv)
                pipe.send(await attempt(player, job))
    except (EOFError, BrokenPipeError):
        return
    except UnderstudyError as error:
        pipe.send(error)
