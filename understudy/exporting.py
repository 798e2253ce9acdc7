"""A conversation as a Markdown document that is safe to open: nothing that was said in it can act as markup.

What people, models and documents wrote stands in quotations. There Markdown keeps its form, but no HTML, no image and
no link that would run something comes through; single lines are escaped altogether.
"""

import asyncio
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from domain.errors import InvalidGoal
from domain.events import Explained, RunStarted, Stamped, StepFinished
from domain.outcomes import Source
from domain.plans import Plan
from graph.trace import Trace, TracedDecision, TracedStep
from graph.tracing import traced

_LINE_CHARS = 300


class Noting(Protocol):
    """Notes what leaves."""

    async def note_export(self, what: str, lines: Sequence[str] = (), *, run: str = "") -> None:
        """Note that something leaves, or raise `StorageError`."""


class Conversing(Protocol):
    """What a conversation is read from."""

    @property
    def audit(self) -> Noting:
        """Who is told that it leaves."""

    async def export_thread(self, thread: str) -> str:
        """Return a conversation as Markdown."""


async def exported_markdown(orchestrator: Conversing, thread: str) -> str:
    """Return a conversation as Markdown, and have it noted that it leaves.

    Raises:
        UnknownThread: The workspace has no such thread.
        StorageError: It cannot be noted, so it must not leave.
    """
    text = await orchestrator.export_thread(thread)
    await orchestrator.audit.note_export("thread", text.splitlines())
    return text


async def write_export(orchestrator: Conversing, thread: str, file: str) -> None:
    """Write a conversation to a file, and have it noted that it leaves.

    Raises:
        UnknownThread: The workspace has no such thread.
        InvalidGoal: The file cannot be written.
    """
    await write_exported(await exported_markdown(orchestrator, thread), file)


async def write_exported(text: str, file: str) -> None:
    """Write a conversation that is exported to a file, or raise `InvalidGoal` where this cannot be done."""
    try:
        await asyncio.to_thread(_write, text, file)
    except OSError as error:
        msg = f"{file} cannot be written: {error.strerror or error}"
        raise InvalidGoal(msg) from error


def _write(text: str, file: str) -> None:
    Path(file).expanduser().write_text(text, encoding="utf-8", errors="replace")


def markdown_of(events: Sequence[Stamped], *, thread: str, title: str = "") -> str:
    """Return the document for the events of a thread.

    Args:
        events: All of them, in their order.
        thread: Its name.
        title: What somebody called it; empty takes its first goal.
    """
    runs: dict[str, list[Stamped]] = {}
    for stamped in events:
        runs.setdefault(stamped.run, []).append(stamped)
    goals = [stamped.event.goal for stamped in events if isinstance(stamped.event, RunStarted)]
    head = [f"# {escaped(title or (goals[0] if goals else thread))}", f"Conversation {escaped(thread)}"]
    if events:
        head[-1] += f", workspace {escaped(events[0].workspace)}, {_when(events[0].time)} to {_when(events[-1].time)}"
    parts = [*head, *(part for run in runs.values() for part in _run(run))]
    return "\n\n".join(part for part in parts if part) + "\n"


def _run(events: Sequence[Stamped]) -> Iterable[str]:
    """Yield the parts of one run."""
    trace = traced(list(events), [])
    results = [stamped.event.result for stamped in events if isinstance(stamped.event, StepFinished)]
    if trace.goal:
        yield f"## {escaped(trace.goal)}"
        yield quotation(trace.goal) if "\n" in trace.goal.strip() or len(trace.goal) > _LINE_CHARS else ""
        yield f"*{_when(trace.started)}, team {escaped(trace.team)}, {escaped(_mode(trace.mode))}*"
        yield f"Route: {escaped(_route(trace))}" if trace.decision else ""
    for number, plan in enumerate(trace.plans):
        yield from _plan(plan, [step for step in trace.steps if step.plan == number])
    yield _listed("Decisions", [_decision(decision) for decision in trace.decisions])
    scores = [f"{c.score:.2f} of {c.threshold:.2f} wanted{_because(c.stopped)}" for c in trace.critiques]
    yield _listed("Critique", scores)
    asked = [stamped.event for stamped in events if isinstance(stamped.event, Explained)]
    for told in asked:
        yield f"### Asked in between: {escaped(told.question)}"
        yield quotation(told.answer)
    if trace.outcome is not None:
        yield f"### Result: {trace.outcome.status.replace('_', ' ')}"
        yield quotation(trace.outcome.answer)
        failure = trace.outcome.failure
        yield f"It failed: {escaped(failure.message)}" if failure else ""
        yield _listed("Undone", [escaped(what) for what in trace.outcome.undone])
        yield _listed("Stays", [escaped(what) for what in trace.outcome.kept])
    elif trace.goal:
        yield "### Result: open"
    yield _listed("Sources", _sources(source for result in results for source in result.sources))


def _plan(plan: Plan, steps: Sequence[TracedStep]) -> Iterable[str]:
    yield f"### Plan ({plan.source}, {plan.strategy}, confidence {plan.confidence:.2f})"
    yield escaped(plan.rationale)
    done = {step.id: step for step in steps}
    rows = [
        [step.id, step.agent, step.task, step.tool or "", ", ".join(sorted(step.inputs())), _state(done.get(step.id))]
        for step in plan.steps
    ]
    yield table(["step", "agent", "task", "tool", "after", "came to"], rows)


def _state(step: TracedStep | None) -> str:
    if step is None or step.status is None:
        return "not done"
    failure = f": {step.failure.message}" if step.failure else ""
    return f"{step.status}, {step.seconds:.1f} s{failure}"


def _decision(decision: TracedDecision) -> str:
    about = escaped(f"{decision.request} ({decision.name})" if decision.name else decision.request)
    if decision.decided is None:
        return f"{about}: open"
    by = f" by {escaped(decision.by)}" if decision.by else ""
    said = f": {escaped(decision.message)}" if decision.message else ""
    return f"{about}: {decision.type}{by}, {_when(decision.decided)}{said}"


def _sources(sources: Iterable[Source]) -> list[str]:
    named = (f"{s.name}, {s.locator}" if s.locator and "\n" not in s.locator else s.name for s in sources)
    return [escaped(name) for name in dict.fromkeys(named)]


def _listed(head: str, lines: Sequence[str]) -> str:
    return "\n".join([f"### {head}", "", *(f"- {line}" for line in lines)]) if lines else ""


def _mode(mode: str) -> str:
    return "rule-based understudies" if mode == "rules" else f"model {mode}"


def _route(trace: Trace) -> str:
    decision = trace.decision
    return f"{decision.source}. {decision.explanation}" if decision else ""


def _because(stopped: str | None) -> str:
    return f", ended: {stopped.replace('_', ' ')}" if stopped else ""


def _when(time: float) -> str:
    return datetime.fromtimestamp(time, tz=UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return rows as a Markdown table of escaped cells."""
    lines = [f"| {' | '.join(map(escaped, columns))} |", f"|{' --- |' * len(columns)}"]
    return "\n".join([*lines, *(f"| {' | '.join(map(escaped, row))} |" for row in rows)])


_PUNCTUATION = re.compile(r"([\\`*_{}\[\]()#!|~>$]|^[-+](?=\s|-))")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def escaped(text: str) -> str:
    """Return a text as one line in which nothing is markup."""
    line = " ".join(_CONTROL.sub(" ", text).split())
    line = line if len(line) <= _LINE_CHARS else line[: _LINE_CHARS - 1] + "…"
    line = _PUNCTUATION.sub(r"\\\1", line.replace("&", "&amp;").replace("<", "&lt;"))
    return re.sub(r"^(\d+)\.(?=\s|$)", r"\1\\.", re.sub(r"(?<=\w):(?=//)", r"\\:", line))


_TAG = re.compile(r"<(?=[A-Za-z/!?])")
_ENTITY = re.compile(r"&(?=#|\w+;)")
_SCHEME = re.compile(r"\b(javascript|vbscript|data|file)\\*:(?=\S)", re.IGNORECASE)


def quotation(markdown: str) -> str:
    """Return Markdown as a quotation in which it keeps its form and does nothing."""
    # Without regard to code and its fences: what stands in one for one reader does not for another.
    text = _CONTROL.sub("", markdown.replace("\r\n", "\n").replace("\r", "\n"))
    text = _TAG.sub("&lt;", _ENTITY.sub("&amp;", text)).replace("![", "&#33;[")
    text = _SCHEME.sub(r"\1 :", text)
    return "\n".join(f"> {line}".rstrip() for line in text.strip().split("\n")) if text.strip() else ""
