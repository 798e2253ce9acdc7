"""Whether the teams come to a usable end while models and tools fail, and whether every failure names its cause.

Real runs of both shipped teams, a goal of every kind in turn, each on a data folder of its own, with an improvising
model behind HTTP. Four conditions meet the same goals: no faults, models that fail, tools that fail, and both.
"""

import asyncio
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from agents.team_files import load_team
from domain.approvals import SETTLE, ActionRequest
from domain.events import ApprovalRequested, Event, ModelCalled, RunFinished, Stamped
from evals.benchmarks.faults_goals import GOALS, TOOL_ARGS, Case, cases
from evals.benchmarks.faults_run import USABLE, Ran, is_delivered
from evals.report import Aim, Report
from evals.scripted import ImprovisingServer
from evals.tool_faults import ToolFaults

CONDITIONS = 4
HANG_TIMES = 3
"""Time-outs of a model call for which one that hangs is silent."""
TOOL_SECONDS = 1.0
"""Time-out of one tool call."""
AT_ONCE = 3
"""Runs that go on side by side."""
MAX_QUESTIONS = 8
"""Approvals after which a run counts as one that never ends."""
RUN_SECONDS = 120.0
"""Time after which a run counts as one that never ends."""
MAX_SHOWN = 5
"""Calls without an answer that are shown."""

AIMS = (
    Aim("none.clean", ">=", 1.0),
    Aim("models.usable", ">=", 0.95),
    Aim("tools.usable", ">=", 0.95),
    Aim("both.usable", ">=", 0.95),
    Aim("both.failures_named", ">=", 1.0),
)


class Condition(NamedTuple):
    """What fails, as shares of the calls."""

    name: str
    models: float
    tools: float


class Setting(NamedTuple):
    """What a run is opened with."""

    base_url: str
    home: Path
    out: Path
    team: str
    model_seconds: float
    faults: ToolFaults


class Subject(Protocol):
    """What is measured; `understudy.orchestrator.Orchestrator` is one."""

    def stream(self, goal: str, *, thread: str) -> AsyncIterator[Stamped]:
        """Run a goal."""

    def resume(self, thread: str, answer: Any) -> AsyncIterator[Stamped]:
        """Answer a question."""


Open = Callable[[Setting], AbstractAsyncContextManager[Subject]]


@dataclass(frozen=True)
class Faults:
    """The benchmark, as it is set up."""

    open_subject: Open
    runs: int
    seed: int = 1
    share: float = 0.1
    """Of model calls, and of tool calls, that fail."""
    model_seconds: float = 2.0
    """Time-out of one model call."""
    progress: Callable[[int], None] = lambda done: None

    async def report(self) -> Report:
        """Run everything and return the figures by condition."""
        share = self.share
        conditions = (
            Condition("none", 0, 0), Condition("models", share, 0), Condition("tools", 0, share),
            Condition("both", share, share),
        )  # fmt: skip
        told, notes, figures = 0, [], {}
        for condition in conditions:
            ran, server = await self.measured(condition, told)
            told += self.runs
            figures[condition.name] = _figures(ran, server)
            notes += _notes(condition.name, ran, server)
        return Report("faults", {"seed": self.seed, "share": share, **figures}, AIMS, tuple(notes))

    async def measured(self, condition: Condition, told: int = 0) -> tuple[list[Ran], Mapping[str, Any]]:
        """Return the runs under a condition, and what the server says in the end.

        Args:
            condition: What fails.
            told: Runs that `progress` knows of.
        """
        teams = {name: await asyncio.to_thread(load_team, name) for name in GOALS}
        chosen = list(islice(cases(teams), self.runs))
        free, done = asyncio.Semaphore(AT_ONCE), 0
        server = ImprovisingServer(
            [case.scene for case in chosen],
            TOOL_ARGS,
            faults=condition.models,
            seed=self.seed,
            hang=HANG_TIMES * self.model_seconds,
        )

        async def one(case: Case, folder: Path) -> Ran:
            nonlocal done
            async with free:
                faults = ToolFaults(condition.tools, f"{self.seed}:{case.number}", TOOL_SECONDS)
                ran = await self._ran(case, server, folder, faults)
            done += 1
            self.progress(told + done)
            return ran

        with server, tempfile.TemporaryDirectory() as folder:
            ran = await asyncio.gather(*(one(case, Path(folder, str(case.number))) for case in chosen))
            return ran, server.report()

    async def _ran(self, case: Case, server: ImprovisingServer, folder: Path, faults: ToolFaults) -> Ran:
        out = folder / "out"
        await asyncio.to_thread(out.mkdir, parents=True)
        events: list[Event] = []
        setting = Setting(server.base_url, folder / "home", out, case.team, self.model_seconds, faults)
        # Gathered, since whatever comes out of a run is a finding.
        [ended] = await asyncio.gather(self._played(case, setting, events), return_exceptions=True)
        seconds, error = ended if isinstance(ended, _Ended) else _Ended(0.0, f"{type(ended).__name__}: {ended}")
        outcome = next((event.outcome for event in reversed(events) if isinstance(event, RunFinished)), None)
        return Ran(
            what=f"{case.team} {case.scene.kind} {case.number}", outcome=outcome, error=error, events=events,
            delivered=is_delivered(outcome.plan if outcome else None, out), seconds=seconds,
            tool_calls=faults.calls, tool_faults=faults.faults.total(),
        )  # fmt: skip

    async def _played(self, case: Case, setting: Setting, events: list[Event]) -> "_Ended":
        """Open the product for one run, and close it."""
        async with self.open_subject(setting) as subject:
            started = time.monotonic()
            try:
                async with asyncio.timeout(RUN_SECONDS):
                    error = await _to_the_end(subject, case, setting.out, events)
            except TimeoutError:
                error = f"it did not end within {RUN_SECONDS:g} s"
            return _Ended(time.monotonic() - started, error)


class _Ended(NamedTuple):
    seconds: float
    error: str


async def _to_the_end(subject: Subject, case: Case, out: Path, events: list[Event]) -> str:
    """Run a goal, approving what is asked, and return why it has no end, or nothing."""
    thread = f"case-{case.number}"
    stream = subject.stream(case.scene.goal, thread=thread)
    for _ in range(MAX_QUESTIONS):
        async for stamped in stream:
            events.append(stamped.event)
        last = events[-1] if events else None
        if not isinstance(last, ApprovalRequested):
            return "" if isinstance(last, RunFinished) else f"it stopped after {last!r:.200}"
        stream = subject.resume(thread, {"decisions": [_answer(request, out) for request in last.requests]})
    return f"it asked more than {MAX_QUESTIONS} times"


def _answer(request: ActionRequest, out: Path) -> dict[str, Any]:
    """Approve; where nobody knows whether a file was written, look."""
    if request.name == SETTLE and not (out / str(request.args["arguments"].get("path"))).is_file():
        return {"type": "edit", "args": request.args | {"happened": False}}
    return {"type": "approve"}


def _figures(ran: Sequence[Ran], server: Mapping[str, Any]) -> dict[str, Any]:
    """Return the figures of one condition."""
    count = len(ran)
    grades = Counter(run.grade for run in ran)
    told = [named for run in ran for _, named in run.failures()]
    seconds = sorted(run.seconds for run in ran)
    calls = sum(isinstance(event, ModelCalled) for run in ran for event in run.events)
    recoveries = sum((run.recoveries for run in ran), Counter[str]())
    return {
        "runs": count,
        "usable": sum(grades[grade] for grade in USABLE) / count,
        **{grade: grades[grade] / count for grade in (*USABLE, "failed")},
        "model_faults": sum(server["faults"].values()),
        "model_requests": server["served"],
        "tool_faults": sum(run.tool_faults for run in ran),
        "tool_calls": sum(run.tool_calls for run in ran),
        "failures_told": len(told),
        "failures_named": sum(told) / len(told) if told else 1.0,
        "requests_retried_per_run": (server["served"] - calls) / count,
        **{f"{rung}_per_run": recoveries[rung] / count for rung in sorted(recoveries)},
        "seconds_p50": seconds[count // 2],
        "seconds_p95": seconds[min(count - 1, int(0.95 * count))],
    }


def _notes(condition: str, ran: Sequence[Ran], server: Mapping[str, Any]) -> list[str]:
    """Return what needs a look: runs that failed, failures without a cause, and calls that nobody could answer."""
    notes = [f"{condition}: {run.what}: {_why(run)}" for run in ran if run.grade == "failed"]
    unnamed = [(run.what, text) for run in ran for text, named in run.failures() if not named]
    notes += [f"{condition}: {what}: no cause in {text!r}" for what, text in unnamed]
    return notes + [f"{condition}: unanswered: {text}" for text in server["violations"][:MAX_SHOWN]]


def _why(run: Ran) -> str:
    failure = run.outcome.failure if run.outcome else None
    if failure:
        return f"{failure.code}: {failure.message}"
    return run.error or f"{run.outcome.status if run.outcome else 'open'} without a usable answer"
