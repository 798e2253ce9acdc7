"""Sending spans where the collector is slow, away or refuses."""

import threading
from collections import Counter
from collections.abc import Sequence

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from tests.understudy.telemetry.collector import collecting
from tests.understudy.telemetry.told import finished, stamped, started
from understudy.settings import Settings
from understudy.telemetry.exporting import Exporting, resource
from understudy.telemetry.settings import TelemetrySettings
from understudy.telemetry.spans import Work, trace_of
from understudy.telemetry.telemetry import open_telemetry


class Held(SpanExporter):
    """Sends nothing before it is let go."""

    def __init__(self) -> None:
        self.entered, self.let_go = threading.Event(), threading.Event()

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.entered.set()
        self.let_go.wait()
        return SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        self.let_go.set()


def span(run: str) -> ReadableSpan:
    work = Work(name="run", context=trace_of("w", run), parent=None, start=1.0, end=2.0, attributes={})
    return work.span(resource())


def test_what_is_too_much_is_dropped_and_counted_at_once() -> None:
    held, counted = Held(), Counter[str]()
    exporting = Exporting(held, lambda result, number: counted.update({result: number}), most=4)
    for number in range(10):
        exporting.put(span(str(number)))
    assert held.entered.wait(10)
    assert counted == {"dropped": 6}
    held.let_go.set()
    exporting.close()
    assert counted == {"dropped": 6, "exported": 4}


def test_the_end_does_not_wait_for_a_collector_that_hangs() -> None:
    held, counted = Held(), Counter[str]()
    exporting = Exporting(held, lambda result, number: counted.update({result: number}), most=2, end_seconds=0.0)
    for number in range(2):
        exporting.put(span(str(number)))
    assert held.entered.wait(10)
    exporting.close()
    assert sum(counted.values()) == 2


async def test_a_collector_that_is_away_disturbs_nothing_and_drops_are_counted() -> None:
    with collecting() as gone:
        place = gone.url
    settings = Settings(telemetry=TelemetrySettings(otlp_endpoint=place))
    async with open_telemetry(settings) as telemetry:
        telemetry.heard(stamped(1, started()))
        telemetry.heard(stamped(2, finished()))
    assert b'understudy_spans_total{result="dropped"} 1.0' in telemetry.metrics()


async def test_a_collector_that_refuses_gets_its_refusals_counted() -> None:
    with collecting() as collector:
        collector.status = 400
        async with open_telemetry(Settings(telemetry=TelemetrySettings(otlp_endpoint=collector.url))) as telemetry:
            telemetry.heard(stamped(1, started()))
            telemetry.heard(stamped(2, finished()))
        assert b'understudy_spans_total{result="dropped"} 1.0' in telemetry.metrics()
