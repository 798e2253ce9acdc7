"""Sending spans: in batches, in a thread of its own, never waited for; what cannot be sent is dropped and counted."""

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from importlib.metadata import PackageNotFoundError, version

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

from understudy.telemetry.settings import TelemetrySettings

MAX_WAITING = 4_096
"""Spans that wait for the collector; what comes beyond them is dropped."""
_BATCH = 256
_DELAY_MS = 1_000
_SEND_SECONDS = 5.0
"""That one batch may take, retries included."""
_END_SECONDS = 3.0
"""That the end of the process may wait for the last batches."""

Counted = Callable[[str, int], None]
"""Is told what became of how many spans: `exported` or `dropped`."""


class _Counting(SpanExporter):
    """An exporter that counts what became of spans."""

    def __init__(self, exporter: SpanExporter, ended: Counted) -> None:
        self._exporter, self._ended = exporter, ended
        self._given_up = threading.Event()

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send a batch."""
        result = SpanExportResult.FAILURE
        try:
            if not self._given_up.is_set():
                result = self._exporter.export(spans)
        finally:
            self._ended("exported" if result is SpanExportResult.SUCCESS else "dropped", len(spans))
        return result

    def give_up(self) -> None:
        """End what is being tried, and send nothing more."""
        if not self._given_up.is_set():
            self._given_up.set()
            self._exporter.shutdown()

    def shutdown(self) -> None:
        """End the exporter."""
        self.give_up()


class Exporting:
    """Takes spans. Open it with `open_exporting`."""

    def __init__(
        self, exporter: SpanExporter, counted: Counted, *, most: int = MAX_WAITING, end_seconds: float = _END_SECONDS
    ) -> None:
        """Begin to send.

        Args:
            exporter: Sends a batch.
            counted: Is told what became of spans.
            most: Spans that may wait.
            end_seconds: How long the end may take for the last batches.
        """
        self._counted, self._most, self._end_seconds = counted, most, end_seconds
        self._waiting, self._lock = 0, threading.Lock()
        self._exporter = _Counting(exporter, self._ended)
        self._processor = BatchSpanProcessor(
            self._exporter,
            max_queue_size=most,
            schedule_delay_millis=_DELAY_MS,
            max_export_batch_size=min(_BATCH, most),
        )

    def put(self, span: ReadableSpan) -> None:
        """Have a span sent if it is sampled; never waits. Where too many wait already, it is dropped."""
        if not span.context.trace_flags.sampled:
            return
        with self._lock:
            if full := self._waiting >= self._most:
                self._counted("dropped", 1)
            else:
                self._waiting += 1
        if not full:
            self._processor.on_end(span)

    def flush(self) -> None:
        """Send what waits; blocking."""
        self._processor.force_flush()

    def close(self) -> None:
        """Send what waits, for a few seconds at most; blocking."""
        ending = threading.Thread(target=self._processor.shutdown, daemon=True)
        ending.start()
        ending.join(self._end_seconds)
        self._exporter.give_up()  # what still waits is counted as dropped
        ending.join(1.0)

    def _ended(self, result: str, number: int) -> None:
        with self._lock:
            self._waiting -= number
        self._counted(result, number)


def resource() -> Resource:
    """Return what a collector is told of this program."""
    try:
        release = version("understudy")
    except PackageNotFoundError:
        release = "unknown"
    given = {"service.name": "understudy", "service.version": release, "service.instance.id": str(os.getpid())}
    return Resource.create(given)


@asynccontextmanager
async def open_exporting(settings: TelemetrySettings, counted: Counted) -> AsyncIterator[Exporting]:
    """Open the way to the collector; it need not be there.

    Args:
        settings: Where it is.
        counted: Is told what became of spans.
    """
    headers = {name: value.get_secret_value() for name, value in settings.otlp_headers.items()}
    exporter = OTLPSpanExporter(endpoint=settings.traces_url, headers=headers, timeout=_SEND_SECONDS)
    exporting = Exporting(exporter, counted)
    try:
        yield exporting
    finally:
        await asyncio.to_thread(exporting.close)
