"""How well memory plans: some requests are remembered with their plans, the others are asked, and plans are compared.

The memory is the shipped one, on SQLite and Chroma in a temporary folder: each remembered plan succeeded once in full
quality. Beside what it offers stand the plan of the nearest request by cosine, the team's templates, and a model.
"""

import random
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from domain.errors import InvalidSettings, ModelError, PlanError
from domain.plans import Plan
from domain.routing import REUSE_ABOVE
from evals.benchmarks.opened import opened
from evals.benchmarks.plan_rows import WORKER, Row, agreement
from evals.benchmarks.reliability import calibration_error
from evals.report import Aim, Report
from memory.encoders import DEFAULT_ENCODER, encoder
from memory.plan_shapes import shape_of
from memory.task_record import TaskRecord
from memory.tasks import TaskMemory

WORKSPACE, TEAM = "bench", "bench"
AIMS = (
    Aim("memory.node_f1", ">=", 0.87),
    Aim("memory.edge_f1", ">=", 0.68),
    Aim("memory.exact", ">=", 0.59),
    Aim("memory.surest_half.node_f1", ">=", 0.96),
)

Planned = Callable[[Row], Awaitable[Plan | None]]
"""Another way to plan a request; None where it has no plan."""


class Planner(NamedTuple):
    """Another way to plan."""

    plan: Planned
    rows: Callable[[Row], bool]
    """Whether it can plan a request at all."""
    most: int | None = None
    """Requests it is asked at most; None for all."""


class _Answer(NamedTuple):
    """What was offered for one request."""

    nodes: float
    edges: float
    exact: bool
    confidence: float
    surety: float
    """Order among answers of one confidence."""


class _Asked(NamedTuple):
    memory: list[_Answer]
    nearest: list[_Answer]
    milliseconds: list[float]
    learn_seconds: float


async def run(
    rows: Sequence[Row],
    *,
    memory: float = 0.5,
    seed: int = 0,
    encoder_name: str = DEFAULT_ENCODER,
    others: Mapping[str, Planner | None] | None = None,
) -> Report:
    """Measure planning from memory.

    Args:
        rows: Requests with their right plans.
        memory: How many of them are remembered, or below 1 which share; the rest is asked.
        seed: Of the split.
        encoder_name: Of `memory.encoders.encoder`.
        others: Other ways to plan, by name; None for one that is not at hand here, which has no figures.

    Raises:
        InvalidSettings: The split leaves nothing to remember or to ask, or there is no such encoder.
    """
    remembered, queries = split(rows, memory, seed)
    asked = await _measured(remembered, queries, encoder_name)
    p50, p95 = np.percentile(asked.milliseconds, [50, 95]).tolist()
    figures = {
        "memory": _figures(asked.memory) | {"calibration_error": _ece(asked.memory)},
        "nearest": _figures(asked.nearest),
        **{name: await _compared(other, queries) for name, other in (others or {}).items()},
        "memory_size": len(remembered),
        "requests": len(queries),
        "distinct_plans": len({shape_of(row.plan) for row in rows}),
        "latency_ms": {"p50": p50, "p95": p95},
        "learn_seconds": asked.learn_seconds,
    }
    absent = [f"{name}: {_why(other)}" for name, other in (others or {}).items() if figures[name] is None]
    return Report("plan", figures, AIMS, tuple(absent))


def _why(other: Planner | None) -> str:
    return "none is configured, or none is to be asked" if other is None else "no request has only tools that it knows"


def split(rows: Sequence[Row], memory: float, seed: int) -> tuple[list[Row], list[Row]]:
    """Return what is remembered and what is asked, in random order.

    Raises:
        InvalidSettings: One of them is empty.
    """
    count = round(memory * len(rows)) if memory < 1 else round(memory)
    if not 0 < count < len(rows):
        raise InvalidSettings(
            f"remembering {memory:g} of {len(rows)} rows leaves nothing to remember or nothing to ask"
        )
    mixed = random.Random(seed).sample(list(rows), len(rows))
    return mixed[:count], mixed[count:]


async def _measured(remembered: Sequence[Row], queries: Sequence[Row], encoder_name: str) -> _Asked:
    with tempfile.TemporaryDirectory() as folder:
        async with opened(Path(folder), encoder(encoder_name)) as tasks:
            await tasks.remember_many(WORKSPACE, [_task(row) for row in remembered])
            await tasks.close()  # what began by itself
            started = time.perf_counter()
            await tasks.calibrate(WORKSPACE)
            learnt = time.perf_counter() - started
            plans = {task.id: task.plan for task in await tasks.list(WORKSPACE)}
            found = [await _asked(tasks, query, plans) for query in queries]
    memory, nearest, milliseconds = zip(*found, strict=True)
    return _Asked(list(memory), list(nearest), list(milliseconds), learnt)


async def _asked(tasks: TaskMemory, query: Row, plans: Mapping[str, Plan | None]) -> tuple[_Answer, _Answer, float]:
    """Return what memory offers, what the nearest request by cosine had, and how many milliseconds recall took."""
    started = time.perf_counter()
    recall = await tasks.recall(WORKSPACE, TEAM, query.goal)
    milliseconds = (time.perf_counter() - started) * 1000
    first = recall.neighbours[0]
    return (
        _answer(recall.plan, query, recall.confidence, recall.plan_probability or 0.0),
        _answer(plans[first.task], query, max(0.0, first.similarity)),
        milliseconds,
    )


def _answer(plan: Plan | None, row: Row, confidence: float = 0.0, surety: float = 0.0) -> _Answer:
    found = agreement(plan, row)
    return _Answer(found.nodes, found.edges, found.exact, confidence, surety)


async def _compared(other: Planner | None, queries: Sequence[Row]) -> dict[str, Any] | None:
    """Return the figures of another way to plan; None where it can plan none of the requests."""
    mine = [query for query in queries if other.rows(query)][: other.most] if other else []
    if other is None or not mine:
        return None
    answers, failed = [], 0
    for query in mine:
        try:
            plan = await other.plan(query)
        except (ModelError, PlanError):
            plan, failed = None, failed + 1
        answers.append(_answer(plan, query))
    return {**_means(answers), "requests": len(mine), "failed": failed}


def _figures(answers: Sequence[_Answer]) -> dict[str, Any]:
    surest = sorted(answers, key=lambda a: (-a.confidence, -a.surety))[: (len(answers) + 1) // 2]
    sure = [answer for answer in answers if answer.confidence > REUSE_ABOVE]
    exact = sum(a.exact for a in sure) / len(sure) if sure else None
    return {
        **_means(answers),
        "surest_half": _means(surest),
        f"at_{REUSE_ABOVE}": {"coverage": len(sure) / len(answers), "exact": exact},
    }


def _means(answers: Sequence[_Answer]) -> dict[str, float]:
    columns = np.array([(a.nodes, a.edges, a.exact) for a in answers], float)
    return dict(zip(("node_f1", "edge_f1", "exact"), columns.mean(axis=0).tolist(), strict=True))


def _ece(answers: Sequence[_Answer]) -> float:
    confidence, exact = zip(*((a.confidence, a.exact) for a in answers), strict=True)
    return calibration_error(np.array(confidence), np.array(exact))


def _task(row: Row) -> TaskRecord:
    return TaskRecord(
        workspace=WORKSPACE, team=TEAM, goal=row.goal, sequence=[WORKER], plan=row.plan, successes=1,
        last_success=True, quality=1.0,
    )  # fmt: skip
