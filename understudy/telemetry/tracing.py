"""Traces: a span per run, step, model call and tool call, made of the events when each has ended.

A run that waits holds one small entry in a bounded memory, no open span. The identifiers follow from the run's, so that
what several processes have done of it comes together: each sends what it has seen end, and who sees the run end sends
the span above them all.
"""

import json
from collections import deque
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import singledispatchmethod

from cachetools import LRUCache
from opentelemetry.trace import SpanContext, SpanKind

from domain import events as ev
from domain.events import Stamped
from domain.secrets import Secrets
from understudy.telemetry.exporting import resource
from understudy.telemetry.spans import Mark, Put, Value, Work, child_of, incoming, trace_of, within

INCOMING: ContextVar[str | None] = ContextVar("incoming", default=None)
"""The `traceparent` of the request that is being answered, for runs that begin in it."""
_RUNS = 2_000
"""Runs that are known; of one that waits longer than so many others take, the span begins where it goes on."""
_MARKS = 128
"""Marks that a span has at most; the first are left out."""
_STEPS = 500
_CALLS = 200
MAX_CONTENT = 8_000
"""Characters of one attribute that shows content."""


@dataclass
class _Step:
    context: SpanContext
    start: float
    task: str
    attempts: int = 1


@dataclass
class _Run:
    """What is known of a run whose end was not heard yet."""

    context: SpanContext
    parent: SpanContext | None
    start: float
    attributes: dict[str, Value]
    marks: deque[Mark] = field(default_factory=lambda: deque(maxlen=_MARKS))
    steps: LRUCache[str, _Step] = field(default_factory=lambda: LRUCache(_STEPS))
    ended: LRUCache[str, int] = field(default_factory=lambda: LRUCache(_STEPS))
    """How often each step has ended."""
    arguments: LRUCache[tuple[str, str], deque[str]] = field(default_factory=lambda: LRUCache(_CALLS))
    """Of calls that go on, by step and tool; only where content is shown."""


class Tracing:
    """Makes spans of events."""

    def __init__(self, put: Put, *, secrets: Secrets, content: bool = False) -> None:
        """Set up tracing.

        Args:
            put: Takes each span that has ended.
            secrets: What must not be shown.
            content: Whether goals, tasks, arguments and answers are shown.
        """
        self._put, self._secrets, self._content = put, secrets, content
        self._resource = resource()
        self._runs: LRUCache[tuple[str, str], _Run] = LRUCache(_RUNS)
        self._joined: LRUCache[str, SpanContext] = LRUCache(_RUNS)

    def join(self, run: str, traceparent: str) -> None:
        """Have a run that is about to begin belong to another trace; the first one counts, an invalid one not."""
        if run not in self._joined and (parent := incoming(traceparent)) is not None:
            self._joined[run] = parent

    def heard(self, stamped: Stamped) -> None:
        """Take an event."""
        self._traced(stamped.event, stamped, self._run(stamped))

    def _run(self, stamped: Stamped) -> _Run:
        key = (stamped.workspace, stamped.run)
        if (known := self._runs.get(key)) is None:
            if isinstance(stamped.event, ev.RunStarted) and (asked_by := INCOMING.get()):
                self.join(stamped.run, asked_by)
            parent, root = self._joined.get(stamped.run), trace_of(*key)
            known = self._runs[key] = _Run(
                context=within(root, parent) if parent else root,
                parent=parent,
                start=stamped.time,
                attributes={
                    "gen_ai.operation.name": "invoke_agent",
                    "gen_ai.conversation.id": stamped.thread,
                    "understudy.run": stamped.run,
                    "understudy.workspace": stamped.workspace,
                },
            )
        return known

    @singledispatchmethod
    def _traced(self, event: object, stamped: Stamped, run: _Run) -> None:
        """Take one kind of event; the others leave nothing in a trace."""

    @_traced.register
    def _(self, event: ev.RunStarted, stamped: Stamped, run: _Run) -> None:
        run.start = stamped.time
        run.attributes |= {"gen_ai.agent.name": event.team, "understudy.mode": event.mode}
        run.attributes |= self._shown("gen_ai.input.messages", _message("user", event.goal))

    @_traced.register
    def _(self, event: ev.MemoryRecalled, stamped: Stamped, run: _Run) -> None:
        run.attributes["understudy.recall.confidence"] = event.recall.confidence

    @_traced.register
    def _(self, event: ev.RouteDecided, stamped: Stamped, run: _Run) -> None:
        run.attributes |= {"understudy.route": event.decision.source, "understudy.kind": event.decision.kind}

    @_traced.register
    def _(self, event: ev.ApprovalRequested, stamped: Stamped, run: _Run) -> None:
        self._mark(run, "approval.requested", stamped, {"understudy.requests": len(event.requests)})

    @_traced.register
    def _(self, event: ev.ApprovalDecided, stamped: Stamped, run: _Run) -> None:
        self._mark(run, "approval.decided", stamped, {"understudy.decision": event.decision.type})

    @_traced.register
    def _(self, event: ev.ActionRuled, stamped: Stamped, run: _Run) -> None:
        attributes = {"understudy.step": event.step, "understudy.action": event.ruling.action}
        self._mark(run, "action.ruled", stamped, attributes)

    @_traced.register
    def _(self, event: ev.RecoveryChosen, stamped: Stamped, run: _Run) -> None:
        chosen = {"understudy.rung": event.rung, "understudy.step": event.step or ""}
        self._mark(run, "recovery.chosen", stamped, chosen)

    @_traced.register
    def _(self, event: ev.RoleDegraded, stamped: Stamped, run: _Run) -> None:
        self._mark(run, "role.degraded", stamped, {"understudy.role": event.role})

    @_traced.register
    def _(self, event: ev.DraftCriticised, stamped: Stamped, run: _Run) -> None:
        scored: dict[str, Value] = {
            "gen_ai.evaluation.name": "critique",
            "gen_ai.evaluation.score.value": event.critique.score,
        }
        self._mark(run, "gen_ai.evaluation.result", stamped, scored)

    @_traced.register
    def _(self, event: ev.RunStopped, stamped: Stamped, run: _Run) -> None:
        self._mark(run, "run.stopped", stamped, {})

    @_traced.register
    def _(self, event: ev.StepStarted, stamped: Stamped, run: _Run) -> None:
        if (known := run.steps.get(event.step)) is not None:
            known.attempts = max(known.attempts, event.attempt)
            return
        run.steps[event.step] = _Step(self._of_step(run, event.step), stamped.time, event.task)

    @_traced.register
    def _(self, event: ev.StepFinished, stamped: Stamped, run: _Run) -> None:
        result = event.result
        begun = run.steps.pop(result.step, None)
        if begun is None and result.status != "done":
            return  # skipped or held: nothing was done that takes time
        if begun is None:
            begun = _Step(self._of_step(run, result.step), stamped.time - result.seconds, "")
        run.ended[result.step] = run.ended.get(result.step, 0) + 1
        self._end(
            Work(
                name=f"invoke_agent {result.agent}",
                context=begun.context,
                parent=run.context,
                start=begun.start,
                end=stamped.time,
                attributes=_of_step(event)
                | self._shown("gen_ai.input.messages", _message("user", begun.task))
                | self._shown("gen_ai.output.messages", _message("assistant", result.text)),
                error=result.failure.code if result.failure else "",
            )
        )

    @_traced.register
    def _(self, event: ev.ModelCalled, stamped: Stamped, run: _Run) -> None:
        provider, _, model = event.model.partition(":")
        attributes: dict[str, Value] = {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": provider,
            "gen_ai.request.model": model or provider,
            "gen_ai.usage.input_tokens": event.input_tokens,
            "gen_ai.usage.output_tokens": event.output_tokens,
            "understudy.role": event.role,
        }
        if event.dollars is not None:
            attributes["understudy.dollars"] = event.dollars
        self._call(f"chat {model or provider}", stamped, run, attributes, event, SpanKind.CLIENT)

    @_traced.register
    def _(self, event: ev.ToolCalled, stamped: Stamped, run: _Run) -> None:
        if self._content:
            told = json.dumps(event.args, ensure_ascii=False, default=str)
            run.arguments.setdefault((event.step, event.tool), deque(maxlen=_CALLS)).append(told)

    @_traced.register
    def _(self, event: ev.ToolReturned, stamped: Stamped, run: _Run) -> None:
        attributes: dict[str, Value] = {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": event.tool,
            "gen_ai.tool.type": "function",
        }
        if waiting := run.arguments.get((event.step, event.tool)):
            attributes |= self._shown("gen_ai.tool.call.arguments", waiting.popleft())
        attributes |= self._shown("gen_ai.tool.call.result", event.summary)
        self._call(f"execute_tool {event.tool}", stamped, run, attributes, event, SpanKind.INTERNAL)

    @_traced.register
    def _(self, event: ev.RunFinished, stamped: Stamped, run: _Run) -> None:
        self._runs.pop((stamped.workspace, stamped.run), None)
        self._joined.pop(stamped.run, None)
        if event.outcome.status == "undone":
            return  # its span was sent when it ended
        outcome, attributes = event.outcome, run.attributes
        attributes |= {
            "understudy.status": outcome.status,
            "understudy.confidence": outcome.confidence,
            "understudy.degraded": outcome.degraded,
            "understudy.iterations": outcome.iterations,
            "gen_ai.usage.input_tokens": outcome.usage.input_tokens,
            "gen_ai.usage.output_tokens": outcome.usage.output_tokens,
        }
        if outcome.quality is not None:
            attributes["understudy.quality"] = outcome.quality
        attributes |= _failed(outcome.failure.code if outcome.failure else "")
        attributes |= self._shown("gen_ai.output.messages", _message("assistant", outcome.answer))
        team = attributes.get("gen_ai.agent.name")
        self._end(
            Work(
                name=f"invoke_agent {team}" if team else "invoke_agent",
                context=run.context,
                parent=run.parent,
                start=run.start,
                end=stamped.time,
                attributes=attributes,
                kind=SpanKind.SERVER if run.parent else SpanKind.INTERNAL,
                marks=tuple(run.marks),
                error=outcome.failure.code if outcome.failure else "",
            )
        )

    def _of_step(self, run: _Run, step: str) -> SpanContext:
        """Return where a step's span stands: another place for each time that the run does a step of this name."""
        return child_of(run.context, "step", step, run.ended.get(step, 0))

    def _call(
        self,
        name: str,
        stamped: Stamped,
        run: _Run,
        attributes: dict[str, Value],
        event: ev.ModelCalled | ev.ToolReturned,
        kind: SpanKind,
    ) -> None:
        """End the span of a call, below its step or, outside of steps, below the run."""
        code = event.failure.code if event.failure else ""
        self._end(
            Work(
                name=name,
                context=child_of(run.context, "call", stamped.seq),
                parent=self._of_step(run, event.step) if event.step else run.context,
                start=stamped.time - max(0.0, event.seconds),
                end=stamped.time,
                attributes=attributes | _failed(code),
                kind=kind,
                error=code,
            )
        )

    def _mark(self, run: _Run, name: str, stamped: Stamped, attributes: Mapping[str, Value]) -> None:
        run.marks.append(Mark(name, stamped.time, attributes))

    def _end(self, work: Work) -> None:
        self._put(work.span(self._resource))

    def _shown(self, name: str, text: str) -> dict[str, Value]:
        """Return an attribute that shows content, or nothing where none is to be shown."""
        return {name: self._secrets.text(text)[:MAX_CONTENT]} if self._content and text else {}


def _of_step(event: ev.StepFinished) -> dict[str, Value]:
    result = event.result
    attributes: dict[str, Value] = {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": result.agent,
        "understudy.step": result.step,
        "understudy.status": result.status,
        "understudy.confidence": result.confidence,
        "understudy.degraded": result.degraded,
        "understudy.attempts": result.attempts,
    }
    if result.resource:
        attributes["understudy.resource"] = result.resource
    return attributes | _failed(result.failure.code if result.failure else "")


def _failed(code: str) -> dict[str, Value]:
    return {"error.type": code} if code else {}


def _message(role: str, text: str) -> str:
    """Return a message in the form of the conventions, or nothing for no text."""
    if not text:
        return ""
    return json.dumps([{"role": role, "parts": [{"type": "text", "content": text}]}], ensure_ascii=False)
