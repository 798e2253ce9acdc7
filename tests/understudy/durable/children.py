"""Processes of the product for tests, and what they say."""

import queue
import signal
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from domain.questions import Question
from evals.benchmarks.crash_world import World
from tests.forks import PATIENCE, Forks
from tests.understudy.durable.run_child import STOP_AT, act
from understudy.front_desk import open_front_desk
from understudy.settings import load_settings

_LOOK = 0.2


class Child:
    """A process that is listened to."""

    def __init__(
        self, forks: Forks, folder: Path, home: str, how: str, what: str, environment: Mapping[str, str]
    ) -> None:
        whole = {"OMP_NUM_THREADS": "1", **environment}
        self.process = forks.start(act, folder, home, how, what, environment=whole)
        self.heard: list[str] = []
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def _listen(self) -> None:
        for line in self.process.stdout:
            self._lines.put(line.strip())
        self._lines.put("")

    def until(self, beginning: str) -> str:
        """Wait until the process says something that begins like this."""
        while True:
            try:
                line = self.line(PATIENCE)
            except queue.Empty:
                raise AssertionError(f"nothing like {beginning!r} after {self.heard}") from None
            if not line:
                raise AssertionError(f"it ended before {beginning!r}: {self.heard}")
            if line.startswith(beginning):
                return line

    def halted(self) -> None:
        """Wait until it has stopped itself in the middle of a step."""
        self.until("halts")
        self.process.stopped()

    def line(self, patience: float) -> str:
        """Return the next line, empty at the end, or raise `queue.Empty`."""
        line = self._lines.get(timeout=patience)
        if line:
            self.heard.append(line)
        return line

    def ended(self) -> int:
        """Wait for its end and return its exit code; what it said is heard."""
        code = self.process.wait()
        self._listener.join(PATIENCE)
        while self.line(PATIENCE):
            pass
        return code

    def end(self) -> None:
        """End it whatever it does, and forget what it says."""
        self.process.kill()
        self._listener.join(PATIENCE)
        self.process.__exit__()

    def stop(self) -> int:
        """Ask it to end, and wait for that."""
        self.process.send_signal(signal.SIGTERM)
        return self.ended()


def hear(children: Sequence[Child], beginning: str, times: int) -> None:
    """Wait until the children together have said so often something that begins like this."""
    heard = 0
    for _ in range(int(PATIENCE / _LOOK) * times):
        for child in children:
            with suppress(queue.Empty):
                heard += child.line(_LOOK).startswith(beginning)
        if heard >= times:
            return
    raise AssertionError(f"{beginning!r} was said {heard} times: {[child.heard for child in children]}")


class Stage:
    """A folder in which processes play, and the servers that they share."""

    def __init__(self, forks: Forks, folder: Path, environment: Mapping[str, str]) -> None:
        self.folder, self._forks, self._environment = folder, forks, environment
        self.world = World(folder / "effects")
        self._children: list[Child] = []

    def child(self, how: str, what: str = "-", *, home: str = "a", stop_at: str = "") -> Child:
        environment = {**self._environment, **({STOP_AT: stop_at} if stop_at else {})}
        child = Child(self._forks, self.folder, home, how, what, environment)
        self._children.append(child)
        return child

    def worker(self, **named: Any) -> Child:
        """Start a worker and return it when it works."""
        worker = self.child("worker", **named)
        worker.until("began")
        return worker

    async def approve(self, thread: str, *, home: str = "a") -> Question:
        """Approve what a thread asks, at the front desk."""
        given = {name.removeprefix("UNDERSTUDY_").lower(): value for name, value in self._environment.items()}
        async with open_front_desk(load_settings(home=self.folder / home, **given)) as front:
            [question] = [each for each in await front.inbox() if each.thread == thread]
            return await front.desk.answer("default", question.id, {"decisions": [{"type": "approve"}]}, by="ann")

    def end(self) -> None:
        for child in self._children:
            child.end()


@contextmanager
def staged(forks: Forks, folder: Path, **environment: str) -> Iterator[Stage]:
    """Yield a stage, and end what plays on it."""
    stage = Stage(forks, folder, environment)
    try:
        yield stage
    finally:
        stage.end()
