"""The page of one run: what happened when, at what price, what it changed, and the way to take that back."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple
from urllib.parse import quote

from nicegui import ui

from domain.events import Stamped
from domain.outcomes import Outcome
from graph.critical_path import critical_path
from graph.trace import Trace
from understudy.cli.phrases import mode, way
from understudy.cli.text import clean, one_line
from understudy.console import trace_tables
from understudy.console.frame import address, page
from understudy.console.gantt import gantt
from understudy.console.markup import Html, Tone, badge, duration, el, facts, score, when
from understudy.console.markup_view import section, sheet, show
from understudy.console.parts import box, details, heading, link, text
from understudy.console.prose import prose
from understudy.console.runs_undo import undo_panel
from understudy.console.trace_tree import tokens, tree
from understudy.console.visits import caller_here
from understudy.service.caller import Caller

TONES: dict[str, Tone] = {
    "running": "accent", "waiting": "warn", "stopped": "warn", "done": "good", "replied": "good", "asked": "warn",
    "refused": "warn", "rejected": "warn", "failed": "bad", "budget_exceeded": "bad", "undone": "warn",
    "ended": "plain",
}  # fmt: skip
"""How each state of a run looks."""
_EVERY = 2.0
"""Seconds after which a run that goes on is looked at again."""


class _Read(NamedTuple):
    trace: Trace
    events: list[Stamped]
    """Of the run."""
    state: str
    """Of the thread where this is its latest run and open; else how the run ended."""


@page("/runs/{run}", title="Run", permission="read")
async def run_page(caller: Caller, run: str) -> None:
    """Build the page."""
    sheet()
    area = box("run")

    async def draw() -> _Read:
        here = await caller_here("read")
        found = await _read(here, run)
        area.clear()
        with area:
            _show(here, found, draw_again)
        return found

    async def draw_again() -> None:
        await draw()

    seen = await draw()

    async def again() -> None:
        nonlocal seen
        here = await caller_here("read")
        last = seen.events[-1].seq
        if not await here.orchestrator.events(seen.trace.thread, after=last, limit=1):
            return
        seen = await draw()
        if seen.state != "running":
            timer.deactivate()

    timer = ui.timer(_EVERY, again, active=seen.state in ("running", "waiting"), immediate=False)


async def _read(caller: Caller, run: str) -> _Read:
    trace = await caller.orchestrator.trace(run)
    every = await caller.orchestrator.events(trace.thread)
    events = [stamped for stamped in every if stamped.run == trace.run]
    if trace.outcome is not None:
        return _Read(trace, events, trace.outcome.status)
    entries = await caller.orchestrator.threads()
    entry = next((e for e in entries if e.thread == trace.thread and e.run == trace.run), None)
    return _Read(trace, events, entry.state if entry else "stopped")


def _show(caller: Caller, found: _Read, changed: Callable[[], Awaitable[None]]) -> None:
    trace, path = found.trace, critical_path(found.trace)
    _head(caller, found)
    section("Errors", trace_tables.errors_table(trace))
    if trace.outcome is not None and clean(trace.outcome.answer).strip():
        with box("panel", tag="section"):
            heading("Answer")
            with box("answer"):
                prose(trace.outcome.answer)
    section("Timeline", gantt(trace), absent="Nothing took any time yet.")
    section("What the time went to", trace_tables.path_table(trace, path))
    section("Steps", tree(trace, found.events) if trace.steps else None, absent=_no_steps(trace))
    with box("panel", tag="section"):
        heading("Effects")
        effects = trace_tables.effects_table(trace)
        if effects is None:
            text("This run changed nothing outside.", "soft", tag="p")
        else:
            show(effects)
            undo_panel(caller, trace, changed)
    calls = trace_tables.calls_table(trace)
    section("Model calls", calls, absent="No model was called: the rule-based twins did the work.")
    if (single := trace_tables.single_calls(trace)) is not None:
        show(single)
    section("Questions to people", trace_tables.decisions_list(trace))
    section("Critiques", trace_tables.critiques_table(trace))
    section("Recovery", trace_tables.recovery_table(trace, found.events), absent="Nothing had to be recovered.")


def _no_steps(trace: Trace) -> str:
    return "No step was begun yet." if trace.ended is None else "This run needed no steps."


def _head(caller: Caller, found: _Read) -> None:
    """Show the goal, how it stands, and what is known of it at a glance."""
    trace = found.trace
    text(clean(trace.goal), "lead", tag="p")
    outcome = trace.outcome
    values: dict[str, Html | str | None] = {
        "state": badge(found.state.replace("_", " "), TONES.get(found.state, "plain")),
        "began": when(trace.started),
        "took": duration(trace.seconds),
        **(_outcome(outcome) if outcome else {}),
        "models": tokens(trace.usage) or "none were called",
        "route": way(trace.decision) if trace.decision else None,
        "team": trace.team,
        "played by": mode(trace.mode) if trace.mode else None,
        "run": el("code", trace.run),
    }
    show(facts(values))
    if trace.decision is not None and trace.decision.explanation:
        with details("Why this way"):
            text(one_line(trace.decision.explanation, 800), "soft", tag="p")
    link("Go to the conversation", address(f"/c/{quote(trace.thread, safe='')}", caller), "button plain")


def _outcome(outcome: Outcome) -> dict[str, Html | str | None]:
    return {
        "confidence": score(outcome.confidence),
        "quality": score(outcome.quality) if outcome.quality is not None else None,
        "critique ended": outcome.stopped.replace("_", " "),
        "undone": one_line(", ".join(outcome.undone), 600),
        "stays": one_line(", ".join(outcome.kept), 600),
    }
