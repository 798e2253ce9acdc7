"""What the house costs per task: the same four model calls through Understudy and through a hand-written graph."""

import contextlib
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import NamedTuple, Protocol

from agents.team import DEFAULT_ASPECTS
from domain.plans import Plan, Step
from evals.benchmarks.minimal_graph import MinimalGraph
from evals.report import Aim, Report
from evals.scripted import ScriptedServer

GOAL = "Describe how the energy mix of a region changed and what explains it"
PLAN = Plan(
    steps=[
        Step(id="research", agent="research", task="Find what explains the change"),
        Step(id="figures", agent="figures", task="Find how the figures changed"),
        Step(id="content", agent="content", task="Write the description", needs=["research", "figures"]),
    ]
)
TEAM = """\
name = "bench"
description = "Three specialists without tools, for measuring."
""" + "".join(
    f'\n[[specialists]]\nname = "{name}"\ndescription = "Does its part."\n'
    for name in ("research", "figures", "content")
)
ANSWER = {"content": {"aspects": dict.fromkeys(DEFAULT_ASPECTS, 0.95), "issues": []}}
"""Fits the critic's schema, and is text enough for the specialists."""
CALLS = 4
AIMS = (Aim("wall_ratio", "<=", 1.5), Aim("cpu_ratio", "<=", 1.5))


class Subject(Protocol):
    """The product as this benchmark sees it."""

    async def prepare(self, goal: str, plan: Plan) -> None:
        """Remember the plan as one that worked, so that no planner is called."""

    async def run(self, goal: str, thread: str) -> None:
        """Do one task in a thread of its own, with checkpoints."""


Open = Callable[[str, Path, Path], AbstractAsyncContextManager[Subject]]
"""Opens the product for a model server's address, a data folder and a team file."""


class Cost(NamedTuple):
    """What one task took, in milliseconds of wall and of CPU time of this process."""

    wall: float
    cpu: float


async def run(open_subject: Open, *, tasks: int = 100) -> Report:
    """Run both in turn on one scripted server at 0 ms and compare the medians per task."""
    with ScriptedServer([ANSWER], repeat="cycle") as server, tempfile.TemporaryDirectory() as folder:
        async with _both(open_subject, server.base_url, Path(folder)) as (subject, minimal):
            for warm in range(3):
                await subject.run(GOAL, f"warm-{warm}")
                await minimal.run(GOAL, f"warm-{warm}")
            before = server.report()["served"]
            ours, theirs = [], []
            for number in range(tasks):
                ours.append(await _cost(subject.run(GOAL, f"task-{number}")))
                theirs.append(await _cost(minimal.run(GOAL, f"task-{number}")))
            calls = (server.report()["served"] - before) / tasks
    return _report(ours, theirs, calls)


@contextlib.asynccontextmanager
async def _both(open_subject: Open, base_url: str, folder: Path) -> AsyncIterator[tuple[Subject, MinimalGraph]]:
    team = folder / "bench.toml"
    team.write_text(TEAM)
    minimal = MinimalGraph(base_url)
    await minimal.open(folder)
    try:
        async with open_subject(base_url, folder / "home", team) as subject:
            await subject.prepare(GOAL, PLAN)
            yield subject, minimal
    finally:
        await minimal.close()


async def _cost(work: Awaitable[None]) -> Cost:
    wall, cpu = time.perf_counter(), time.process_time()
    await work
    return Cost((time.perf_counter() - wall) * 1000, (time.process_time() - cpu) * 1000)


def _report(ours: list[Cost], theirs: list[Cost], calls: float) -> Report:
    median = statistics.median
    figures = {
        "wall_ratio": median(a.wall / b.wall for a, b in zip(ours, theirs, strict=True)),
        "cpu_ratio": median(a.cpu for a in ours) / median(b.cpu for b in theirs),
        "wall_ms": median(a.wall for a in ours),
        "minimal_wall_ms": median(b.wall for b in theirs),
        "cpu_ms": median(a.cpu for a in ours),
        "minimal_cpu_ms": median(b.cpu for b in theirs),
        "tasks": len(ours),
        "model_calls_per_task_each": calls / 2,
    }
    notes = () if calls == 2 * CALLS else (f"the two sides made {calls} calls a task together, not {2 * CALLS}",)
    return Report("overhead", figures, AIMS, notes)
