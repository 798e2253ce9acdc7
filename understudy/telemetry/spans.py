"""Spans of runs as OpenTelemetry's conventions for generative AI name them; identifiers follow from the run's own."""

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

Value = str | bool | int | float
V = TypeVar("V", str, Value)
Put = Callable[[ReadableSpan], None]
"""Takes a span that has ended."""

_SCOPE = InstrumentationScope("understudy")
_NANOSECONDS = 1_000_000_000
_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")


class Mark(NamedTuple):
    """Something that happened at one moment of a span."""

    name: str
    time: float
    """Unix time in seconds."""
    attributes: Mapping[str, Value]


@dataclass(frozen=True, kw_only=True)
class Work:
    """One span."""

    name: str
    context: SpanContext
    parent: SpanContext | None
    start: float
    """Unix time in seconds."""
    end: float
    attributes: Mapping[str, Value]
    kind: SpanKind = SpanKind.INTERNAL
    marks: Sequence[Mark] = field(default=())
    error: str = ""
    """Why it failed; empty where it did not."""

    def span(self, resource: Resource) -> ReadableSpan:
        """Return it as an exporter takes it."""
        return ReadableSpan(
            name=_encodable(self.name),
            context=self.context,
            parent=self.parent,
            resource=resource,
            attributes={name: _encodable(value) for name, value in self.attributes.items()},
            events=[_event(mark) for mark in self.marks],
            kind=self.kind,
            status=Status(StatusCode.ERROR, self.error) if self.error else Status(StatusCode.UNSET),
            start_time=_nanoseconds(min(self.start, self.end)),
            end_time=_nanoseconds(self.end),
            instrumentation_scope=_SCOPE,
        )


def trace_of(workspace: str, run: str) -> SpanContext:
    """Return where the span of a run stands: the same in every process that has a part in it."""
    digest = _digest("run", workspace, run)
    return _context(int.from_bytes(digest[:16]) or 1, int.from_bytes(digest[16:24]) or 1, sampled=True)


def child_of(root: SpanContext, *names: object) -> SpanContext:
    """Return where a part of a run's work stands, from what tells it from the others."""
    digest = _digest(f"{root.trace_id:032x}{root.span_id:016x}", *names)
    return _context(root.trace_id, int.from_bytes(digest[:8]) or 1, sampled=root.trace_flags.sampled)


def within(root: SpanContext, parent: SpanContext) -> SpanContext:
    """Return a run's place in the trace of who asked for it."""
    return _context(parent.trace_id, root.span_id, sampled=parent.trace_flags.sampled)


def incoming(traceparent: str) -> SpanContext | None:
    """Return the span that a W3C `traceparent` header names, or None where it is not valid."""
    found = _TRACEPARENT.fullmatch(traceparent.strip())
    if found is None or (traceparent.startswith("00") and found[4]):
        return None
    sampled = bool(int(found[3], 16) & TraceFlags.SAMPLED)
    return SpanContext(int(found[1], 16), int(found[2], 16), is_remote=True, trace_flags=_flags(sampled))


def _context(trace: int, span: int, *, sampled: bool) -> SpanContext:
    return SpanContext(trace, span, is_remote=False, trace_flags=_flags(sampled))


def _flags(sampled: bool) -> TraceFlags:
    return TraceFlags(TraceFlags.SAMPLED if sampled else TraceFlags.DEFAULT)


def _digest(*names: object) -> bytes:
    return hashlib.sha256("\0".join(map(str, names)).encode("utf-8", "replace")).digest()


def _event(mark: Mark) -> Event:
    attributes = {name: _encodable(value) for name, value in mark.attributes.items()}
    return Event(mark.name, attributes, _nanoseconds(mark.time))


def _encodable(value: V) -> V:
    """Return a value that can be sent: half a surrogate pair in a text would cost the whole batch."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


def _nanoseconds(seconds: float) -> int:
    return max(0, int(seconds * _NANOSECONDS))
