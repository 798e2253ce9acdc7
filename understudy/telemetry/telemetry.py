"""Everything that is told of runs: it hears the events of one process and makes traces, metrics and logs of them."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

from cachetools import LRUCache

from domain.errors import StorageError
from domain.events import Stamped
from understudy.durable.engine import Said
from understudy.durable.queue import Order
from understudy.known_secrets import known_secrets
from understudy.settings import Settings
from understudy.telemetry.degradations import FILE, Degradations
from understudy.telemetry.exporting import Exporting, open_exporting
from understudy.telemetry.logs import about, logged
from understudy.telemetry.metrics import Backlog, Metrics
from understudy.telemetry.tracing import Tracing

LOOK_SECONDS = 15.0
"""Between two looks at what waits."""
_HEARD = 5_000
"""Runs whose last event is remembered, so that one that is told again is not counted again."""
_LOGGER = logging.getLogger(__name__)

Look = Callable[[], Awaitable[Backlog]]


class Telemetry:
    """Hears what one process tells. Open it with `open_telemetry`."""

    def __init__(self, metrics: Metrics, tracing: Tracing | None, degradations: Degradations) -> None:
        """Set up what hears.

        Args:
            metrics: Counts.
            tracing: Makes spans; None where nobody wants any.
            degradations: Remembers what is degraded since when.
        """
        self.counts, self.tracing, self.degradations = metrics, tracing, degradations
        self._last: LRUCache[tuple[str, str, str], int] = LRUCache(_HEARD)

    def heard(self, told: Stamped | Said) -> None:
        """Take what this process tells; an event that was heard before counts once."""
        if isinstance(told, Said):
            self.counts.said(told.what)
            return
        place = (told.workspace, told.thread, told.run)
        if told.seq <= self._last.get(place, 0):
            return
        self._last[place] = told.seq
        self.counts.heard(told)
        if self.tracing is not None:
            self.tracing.heard(told)
        logged(told)

    def join(self, run: str, traceparent: str | None) -> None:
        """Have the spans of a run that is about to begin belong to the trace of the request that begins it.

        Args:
            run: Id of the run.
            traceparent: The request's header of this name; one that is none, or that is not valid, changes nothing.
        """
        if self.tracing is not None and traceparent:
            self.tracing.join(run, traceparent)

    @contextmanager
    def around(self, order: Order) -> Iterator[None]:
        """Have what is told while an order is carried out belong to its run, and to the request that it comes from."""
        self.join(order.run, order.why.get("traceparent"))
        with about(workspace=order.workspace, thread=order.thread, run=order.run):
            yield

    def metrics(self) -> bytes:
        """Return the metrics in Prometheus' text format."""
        return self.counts.text()

    @asynccontextmanager
    async def watching(self, look: Look) -> AsyncIterator[None]:
        """Keep the gauges of what waits true for the length of the block.

        Args:
            look: Finds out what waits now.
        """
        task = asyncio.create_task(self._watch(look))
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _watch(self, look: Look) -> None:
        while True:
            try:
                self.counts.stand(await look())
            except StorageError as error:
                _LOGGER.debug("what waits cannot be counted now: %s", error)
            await asyncio.sleep(LOOK_SECONDS)


@asynccontextmanager
async def open_telemetry(settings: Settings, *, clock: Callable[[], float] = time.time) -> AsyncIterator[Telemetry]:
    """Open what hears the events of this process; traces that wait are sent at the end.

    Args:
        settings: What is configured.
        clock: Unix time in seconds.
    """
    metrics = Metrics()
    degradations = Degradations(clock, settings.home / FILE)
    if settings.telemetry.traces_url is None:
        yield Telemetry(metrics, None, degradations)
        return
    exporting: Exporting
    async with open_exporting(settings.telemetry, metrics.spans) as exporting:
        tracing = Tracing(
            exporting.put,
            secrets=known_secrets(settings),
            content=settings.telemetry.content,
        )
        yield Telemetry(metrics, tracing, degradations)
