"""The processes of the approvals benchmark: each does its order in a fork of its own, several at a time."""

import json
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

from evals.benchmarks.approvals_desk_worker import Place
from evals.benchmarks.nursery import Ended, Job, Nursery

LIMIT_SECONDS = 6 * 3600.0
"""Time after which a process that has not ended is killed."""


class Order(NamedTuple):
    """What one process does."""

    what: str
    place: Place
    given: Mapping[str, Any]
    result: str = ""
    """File that what came out is written to."""


class Came(NamedTuple):
    """What came of an order."""

    ended: Ended
    found: dict[str, Any]
    """Empty where the process did not come to its end."""


REST = "rest"
"""Order to do nothing."""
Worker = Callable[[], Callable[[Order], None]]
"""Importable by name: imports and loads everything once, and returns what does an order."""


class Crew:
    """A process that forks workers, several at a time; a context manager."""

    def __init__(self, worker: Worker, folder: Path, size: int) -> None:
        """Start the process.

        Args:
            worker: Makes what does an order.
            folder: For what comes out.
            size: How many orders can be done at a time.
        """
        self._folder = folder
        self._nursery = Nursery(worker)
        self._threads = ThreadPoolExecutor(size)

    def __enter__(self) -> "Crew":
        """Return the crew when its process has loaded what the workers need."""
        self.alone(Order(REST, Place("", "", ""), {}))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the process."""
        self._threads.shutdown()
        self._nursery.__exit__(kind, error, trace)

    def together(self, *orders: Order) -> list[dict[str, Any]]:
        """Do orders at the same time, and return what came of each.

        Raises:
            RuntimeError: One of them failed.
        """
        came = [future.result() for future in [self.begin(order) for order in orders]]
        for order, each in zip(orders, came, strict=True):
            if each.ended.code:
                raise RuntimeError(f"a process of the benchmark ({order.what}) ended with {each.ended.code}")
        return [each.found for each in came]

    def alone(self, order: Order) -> dict[str, Any]:
        """Do one order and return what came of it, or raise `RuntimeError`."""
        return self.together(order)[0]

    def begin(self, order: Order, *, kill_after: float = LIMIT_SECONDS) -> "Any":
        """Begin an order in a process of its own, and return the future of what comes of it."""
        return self._threads.submit(self._done, order, kill_after)

    def _done(self, order: Order, kill_after: float) -> Came:
        file = self._folder / f"{uuid.uuid4().hex}.json"
        ended = self._nursery.run(Job(order._replace(result=str(file)), kill_after))
        found = json.loads(file.read_text()) if file.exists() else {}
        file.unlink(missing_ok=True)
        return Came(ended, found)
