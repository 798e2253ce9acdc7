"""How long a person waits before anything happens: route from memory, plan preview, start of the command line."""

import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Sequence

from domain.plans import Plan, Step
from evals.report import Aim, Report

Ask = Callable[[str], Awaitable[object]]
"""Answers a goal; what is timed."""
KNOWN_PLAN = Plan(
    steps=[
        Step(id="search", agent="search", task="Find what the documents say"),
        Step(id="write", agent="write", task="Write the answer", needs=["search"]),
    ]
)
"""A plan of the documents team that memory offers for the known goals."""
AIMS = (
    Aim("route_ms_p95", "<=", 150),
    Aim("preview_ms_p95", "<=", 800),
    Aim("help_s_median", "<=", 0.5),
)


async def run(*, route: Ask, preview: Ask, known: Sequence[str], new: Sequence[str], starts: int = 7) -> Report:
    """Time all three.

    Args:
        route: Decides a goal from memory.
        preview: Plans a goal without a model and without running it.
        known: Goals that memory knows.
        new: Goals that it does not.
        starts: How often the command line is started.
    """
    await route(known[0])  # loads the encoder
    routes = [await _milliseconds(route, goal) for goal in known]
    previews = [await _milliseconds(preview, goal) for goal in new]
    helps = [_help_seconds() for _ in range(starts)]
    figures = {
        "route_ms_p50": statistics.median(routes),
        "route_ms_p95": statistics.quantiles(routes, n=20)[-1],
        "preview_ms_p50": statistics.median(previews),
        "preview_ms_p95": statistics.quantiles(previews, n=20)[-1],
        "help_s_median": statistics.median(helps),
        "goals": len(routes) + len(previews),
    }
    return Report("latency", figures, AIMS)


async def _milliseconds(ask: Ask, goal: str) -> float:
    started = time.perf_counter()
    await ask(goal)
    return (time.perf_counter() - started) * 1000


def _help_seconds() -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, "-m", "understudy", "--help"], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started
