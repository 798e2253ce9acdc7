"""How well task memory routes: it is given examples and asked requests, some of them for tasks it does not know.

The memory is the shipped one, on SQLite and Chroma in a temporary folder: the examples are remembered, each as a task
that succeeded once in full quality, the memory is calibrated, and every request is recalled.
"""

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from domain.errors import InvalidSettings
from evals.benchmarks.opened import opened
from evals.benchmarks.reliability import Answers, answers_of, draw, figures
from evals.benchmarks.route_rows import Row, at_most
from evals.report import Aim, Report
from memory.encoders import DEFAULT_ENCODER, Encoder, encoder
from memory.task_record import TaskRecord

WORKSPACE, TEAM = "bench", "bench"
CURVE = (1, 5, 10, 20, 50)
"""Examples a route, for the table of how the figures move with them."""
AIMS = (
    Aim("at_0.8.precision", ">=", 0.97),
    Aim("at_0.8.coverage", ">=", 0.80),
    Aim("at_0.8.unknown_reused", "<=", 0.03),
    Aim("ece", "<=", 0.03),
)


class _Asked(NamedTuple):
    """What was answered, and what it took."""

    answers: Answers
    milliseconds: Sequence[float]
    insert_seconds: float
    calibrate_seconds: float
    disk_mb: float


async def run(
    memory: Sequence[Row],
    queries: Sequence[Row],
    *,
    encoder_name: str = DEFAULT_ENCODER,
    per_route: int | None = None,
    curve: bool = False,
    png: Path | None = None,
) -> Report:
    """Measure routing.

    Args:
        memory: What is remembered; every row has a route.
        queries: What is asked; None is an unknown task, and so is a route that is not remembered.
        encoder_name: Of `memory.encoders.encoder`.
        per_route: Examples a route at most.
        curve: Whether to measure with 1, 5, 10, 20 and 50 examples a route as well.
        png: Where to draw the reliability diagram.

    Raises:
        InvalidSettings: A remembered row has no route, or there is no such encoder.
    """
    if any(row.route is None for row in memory):
        raise InvalidSettings("every row of the memory needs a route; only queries may have none")
    encode = encoder(encoder_name)
    found = await _measured(at_most(memory, per_route), queries, encode)
    if png:
        draw(found.answers, png)
    rows = at_most(memory, per_route)
    counts = {"memory_size": len(rows), "routes": len({row.route for row in rows}), "requests": len(queries)}
    by_examples = {"by_examples": await _curve(memory, queries, encode)} if curve else {}
    return Report("route", {**figures(found.answers), **_costs(found), **counts, **by_examples}, AIMS)


async def _curve(memory: Sequence[Row], queries: Sequence[Row], encode: Encoder) -> dict[str, Any]:
    measured = {n: await _measured(at_most(memory, n), queries, encode) for n in CURVE}
    return {str(n): figures(found.answers) for n, found in measured.items()}


async def _measured(memory: Sequence[Row], queries: Sequence[Row], encode: Encoder) -> _Asked:
    with tempfile.TemporaryDirectory() as folder:
        async with opened(Path(folder), encode) as tasks:
            started = time.perf_counter()
            await tasks.remember_many(WORKSPACE, [_task(row) for row in memory])
            inserted = time.perf_counter()
            await tasks.close()  # what began by itself; calibrating once more is then free of it
            await tasks.calibrate(WORKSPACE)
            calibrated = time.perf_counter()
            await tasks.recall(WORKSPACE, TEAM, queries[0].goal)
            known = {row.route for row in memory}
            rows, milliseconds = [], []
            for query in queries:
                asked = time.perf_counter()
                recall = await tasks.recall(WORKSPACE, TEAM, query.goal)
                milliseconds.append((time.perf_counter() - asked) * 1000)
                rows.append((recall.confidence, recall.sequence == [query.route], query.route in known))
        disk_mb = _bytes(Path(folder)) / 1e6
    return _Asked(answers_of(rows), milliseconds, inserted - started, calibrated - inserted, disk_mb)


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _task(row: Row) -> TaskRecord:
    return TaskRecord(
        workspace=WORKSPACE,
        team=TEAM,
        goal=row.goal,
        sequence=[str(row.route)],
        successes=1,
        last_success=True,
        quality=1.0,
    )


def _costs(found: _Asked) -> dict[str, Any]:
    p50, p95 = np.percentile(found.milliseconds, [50, 95]).tolist()
    return {
        "latency_ms": {"p50": p50, "p95": p95},
        "insert_seconds": found.insert_seconds,
        "calibrate_seconds": found.calibrate_seconds,
        "disk_mb": found.disk_mb,
    }
