"""Prometheus metrics of one process, counted from what is told, in a registry of their own."""

from functools import singledispatchmethod
from typing import NamedTuple

from cachetools import LRUCache
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.metrics import MetricWrapperBase

from domain import events as ev
from domain.events import Stamped
from understudy.telemetry.families import BY_NAME, FAMILIES, Family
from understudy.telemetry.labels import MOST, Bounded

_RUNS = 2_000
"""Runs whose beginning is known; one that waits longer than so many others take ends without a duration."""
_UNKNOWN = "unknown"


class _Begun(NamedTuple):
    time: float | None
    """Unix time; None where its beginning was not heard here."""
    route: str = _UNKNOWN


class Backlog(NamedTuple):
    """What waits, in the database that all workers share."""

    open: int
    """Questions that wait for a person."""
    oldest_seconds: float
    """Age of the oldest of them."""
    ready: int
    """Decided ones whose runs have not gone on yet."""
    notices: int
    """Notices that were not sent."""
    workers: int
    """Workers that live."""
    degraded: int
    """Parts of the storage that do not work as configured."""


class Metrics:
    """Counts events, requests and spans."""

    def __init__(self, *, most: int = MOST) -> None:
        """Set up the registry.

        Args:
            most: Values that one label may have before the rest are counted as `other`.
        """
        self.registry = CollectorRegistry()
        self._made = {family.name: _made(family, self.registry) for family in FAMILIES}
        self._bounded = Bounded(lambda label: self._counted("understudy_labels_folded", label=label), most=most)
        self._runs: LRUCache[str, _Begun] = LRUCache(_RUNS)

    def text(self) -> bytes:
        """Return everything in Prometheus' text format."""
        return generate_latest(self.registry)

    def heard(self, stamped: Stamped) -> None:
        """Count an event."""
        self._count(stamped.event, stamped)

    def said(self, what: str) -> None:
        """Count what a worker says of itself."""
        self._counted("understudy_worker_notes", what=what)

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request by its route's template."""
        self._counted("understudy_http_requests", method=method, route=route, status=str(status))
        self._seen("understudy_http_seconds", seconds, method=method, route=route)

    def reading(self, change: int) -> None:
        """Count readers of event streams up or down."""
        self._gauge("understudy_sse_readers").inc(change)

    def spans(self, result: str, number: int) -> None:
        """Count spans by what became of them."""
        self._counted("understudy_spans", number, result=result)

    def stand(self, backlog: Backlog) -> None:
        """Show what waits now."""
        self._gauge("understudy_questions_open").set(backlog.open)
        self._gauge("understudy_questions_oldest_seconds").set(backlog.oldest_seconds)
        self._gauge("understudy_questions_ready").set(backlog.ready)
        self._gauge("understudy_notices_waiting").set(backlog.notices)
        self._gauge("understudy_workers").set(backlog.workers)
        self._gauge("understudy_degraded").set(backlog.degraded)

    @singledispatchmethod
    def _count(self, event: object, stamped: Stamped) -> None:
        """Count one kind of event; the others are not counted."""

    @_count.register
    def _(self, event: ev.RunStarted, stamped: Stamped) -> None:
        self._runs[stamped.run] = _Begun(stamped.time)
        self._counted("understudy_runs_started", mode=event.mode)

    @_count.register
    def _(self, event: ev.MemoryRecalled, stamped: Stamped) -> None:
        recall = event.recall
        self._seen("understudy_recall_confidence", recall.confidence, band=recall.band)

    @_count.register
    def _(self, event: ev.RouteDecided, stamped: Stamped) -> None:
        begun = self._runs.get(stamped.run, _Begun(None))
        self._runs[stamped.run] = begun._replace(route=event.decision.source)

    @_count.register
    def _(self, event: ev.RunFinished, stamped: Stamped) -> None:
        outcome, begun = event.outcome, self._runs.pop(stamped.run, _Begun(None))
        self._counted("understudy_runs", status=outcome.status, route=begun.route)
        if begun.time is not None:
            self._seen("understudy_run_seconds", max(0.0, stamped.time - begun.time), route=begun.route)
        if outcome.quality is not None:
            self._seen("understudy_run_quality", outcome.quality)
        if outcome.plan is not None:
            self._seen("understudy_run_revisions", outcome.iterations)

    @_count.register
    def _(self, event: ev.RunStopped, stamped: Stamped) -> None:
        self._counted("understudy_runs_stopped")

    @_count.register
    def _(self, event: ev.StepFinished, stamped: Stamped) -> None:
        result = event.result
        self._counted("understudy_steps", agent=result.agent, status=result.status)
        if result.status in ("done", "failed"):
            self._seen("understudy_step_seconds", result.seconds, agent=result.agent)

    @_count.register
    def _(self, event: ev.ModelCalled, stamped: Stamped) -> None:
        model = event.model
        self._counted("understudy_model_calls", model=model, role=event.role)
        self._seen("understudy_model_seconds", event.seconds, model=model)
        self._counted("understudy_model_tokens", event.input_tokens, model=model, direction="input")
        self._counted("understudy_model_tokens", event.output_tokens, model=model, direction="output")
        if event.dollars is not None:
            self._counted("understudy_model_dollars", event.dollars, model=model)
        if event.failure is not None:
            self._counted("understudy_model_errors", model=model, code=event.failure.code)

    @_count.register
    def _(self, event: ev.ToolReturned, stamped: Stamped) -> None:
        self._counted("understudy_tool_calls", tool=event.tool)
        self._seen("understudy_tool_seconds", event.seconds, tool=event.tool)
        if event.failure is not None:
            self._counted("understudy_tool_errors", tool=event.tool, code=event.failure.code)

    @_count.register
    def _(self, event: ev.EffectRecorded, stamped: Stamped) -> None:
        self._counted("understudy_effects", tool=event.tool, result="replayed" if event.replayed else "done")

    @_count.register
    def _(self, event: ev.EffectUndone, stamped: Stamped) -> None:
        self._counted("understudy_effects", tool=event.tool, result="kept" if event.failure else "undone")

    @_count.register
    def _(self, event: ev.ActionRuled, stamped: Stamped) -> None:
        self._counted("understudy_rulings", action=event.ruling.action)

    @_count.register
    def _(self, event: ev.ApprovalRequested, stamped: Stamped) -> None:
        self._counted("understudy_approvals_requested")

    @_count.register
    def _(self, event: ev.ApprovalDecided, stamped: Stamped) -> None:
        self._counted("understudy_approvals_decided", decision=event.decision.type)

    @_count.register
    def _(self, event: ev.RecoveryChosen, stamped: Stamped) -> None:
        self._counted("understudy_recoveries", rung=event.rung)

    @_count.register
    def _(self, event: ev.RoleDegraded, stamped: Stamped) -> None:
        self._counted("understudy_degraded_roles", role=event.role)

    def _counted(self, name: str, by: float = 1, /, **labels: str) -> None:
        metric = self._labelled(name, labels)
        assert isinstance(metric, Counter)
        metric.inc(max(0.0, by))

    def _seen(self, name: str, value: float, /, **labels: str) -> None:
        metric = self._labelled(name, labels)
        assert isinstance(metric, Histogram)
        metric.observe(value)

    def _gauge(self, name: str) -> Gauge:
        metric = self._made[name]
        assert isinstance(metric, Gauge)
        return metric

    def _labelled(self, name: str, labels: dict[str, str]) -> MetricWrapperBase:
        metric = self._made[name]
        return metric.labels(**{k: self._bounded(k, v) for k, v in labels.items()}) if labels else metric


def _made(family: Family, registry: CollectorRegistry) -> MetricWrapperBase:
    match BY_NAME[family.name].kind:
        case "counter":
            return Counter(family.name, family.help, family.labels, registry=registry)
        case "gauge":
            return Gauge(family.name, family.help, family.labels, registry=registry)
        case "histogram":
            return Histogram(family.name, family.help, family.labels, registry=registry, buckets=family.buckets)
