"""How task memory bears growth: what remembering, recalling, opening, resident memory and disk take at each size.

One memory on SQLite and Chroma in a temporary folder grows through the sizes by `TaskMemory.remember_many`, and learns
in the background as it always does. At each size it is closed, opened by a new process and asked requests that it was
never told; that process then compares exact search by NumPy over the same vectors.
"""

import asyncio
import math
import multiprocessing
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from domain.plans import Plan, Step
from evals.benchmarks.memory_probe import NEAREST, WORKSPACE, probe
from evals.benchmarks.request_texts import COUNT, ROUTES, Request, Requests
from evals.report import Aim, Report
from memory.encoders import DEFAULT_ENCODER, encoder
from memory.index import ChromaIndex
from memory.sqlite import SqliteRecords
from memory.task_record import TaskRecord
from memory.tasks import TaskMemory

SIZES = (1000, 10_000, 100_000, 1_000_000)
QUERIES = 220
MAX_SIZE = COUNT - QUERIES
AIMS = {
    100_000: (Aim("100k.recall_ms_p95", "<=", 50),),
    10_000: (Aim("recall_growth", "<=", 0.5),),
}
"""By the size from which on they are judged. `recall_growth` is the exponent of the recall's p95 in the size: 1 is
linear."""
_BATCH = 1000
_FAILS = 10
"""Every so many-th task failed."""

Progress = Callable[[str, int, int], None]
"""Takes what is done, how many tasks there are, and how many there will be."""


async def run(*, size: int, seed: int = 1, progress: Progress = lambda *_: None) -> Report:
    """Grow a memory to `size` tasks and measure it at 1,000, 10,000, ... and there."""
    sizes = [s for s in SIZES if s < size] + [size]
    requests = Requests(seed)
    queries = [requests[COUNT - 1 - i] for i in range(QUERIES)]
    measured: dict[int, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory(prefix="understudy-bench-") as temporary:
        folder = Path(temporary)
        for start, end in zip([0, *sizes], sizes, strict=False):
            figures = await _grown(
                folder, requests, range(start, end), lambda done: progress("remembering", done, size)
            )
            progress("measuring", end, size)
            figures |= await _in_new_process(probe, folder, DEFAULT_ENCODER, queries)
            measured[end] = figures | {"disk_mb": _disk_mb(folder)}
    return _report(measured)


def _told(progress: Progress, size: int, done: int) -> None:
    progress("remembering", done, size)


async def _grown(folder: Path, requests: Requests, numbers: range, progress: Callable[[int], None]) -> dict[str, float]:
    """Let the memory grow by requests with these numbers, and wait until all is learnt."""
    records = await SqliteRecords.open(folder / "records.sqlite")
    index = await ChromaIndex.open(folder / "chroma", encoder())
    memory = TaskMemory(records, index)
    spent = 0.0
    try:
        await memory.search(WORKSPACE, "loads what is loaded once a process")
        for first in range(numbers.start, numbers.stop, _BATCH):
            part = range(first, min(first + _BATCH, numbers.stop))
            tasks = [_task(requests[number], number) for number in part]
            started = time.perf_counter()
            await memory.remember_many(WORKSPACE, tasks)
            spent += time.perf_counter() - started
            progress(part.stop)
        started = time.perf_counter()
        await memory.close()
        learnt = time.perf_counter() - started
    finally:
        await memory.close()
        await index.close()
        await records.close()
    return {"insert_per_s": len(numbers) / spent, "learning_after_s": learnt}


def _task(request: Request, number: int) -> TaskRecord:
    succeeded = number % _FAILS != 0
    agents = request.sequence
    steps = [
        Step(id=f"s{i}", agent=agent, task=f"{agent}: {request.goal}", needs=[f"s{i - 1}"] if i else [])
        for i, agent in enumerate(agents)
    ]
    return TaskRecord(
        workspace=WORKSPACE,
        team=request.team,
        goal=request.goal,
        sequence=list(agents),
        plan=Plan(steps=steps),
        successes=int(succeeded),
        failures=int(not succeeded),
        last_success=succeeded,
        quality=0.9 if succeeded else None,
        seconds=20.0,
        error="" if succeeded else "broke",
        run=f"run-{number}",
    )


async def _in_new_process(work: Callable[..., dict[str, Any]], *given: Any) -> dict[str, Any]:
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return await asyncio.get_running_loop().run_in_executor(pool, partial(work, *given))


def _disk_mb(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


def _report(measured: Mapping[int, Mapping[str, Any]]) -> Report:
    sizes = sorted(measured)
    figures: dict[str, Any] = {"routes": ROUTES, "queries": QUERIES}
    figures |= {short(size): dict(measured[size]) for size in sizes}
    notes = [
        "NumPy: one dot product with all vectors and the ten highest, without encoding or records.",
        "recall_cpu_ms_mean is what a recall works, whatever else the machine does; percentiles are what one waits.",
    ]
    aims = [aim for least, those in AIMS.items() if least <= sizes[-1] for aim in those]
    aims += [Aim(f"{short(sizes[-1])}.index_recall_at_{NEAREST}", ">=", 0.95)]
    if len(sizes) > 1:
        figures["recall_growth"] = _power([(s, measured[s]["recall_ms_p95"]) for s in sizes])[1]
    if len(sizes) > 2 and sizes[-1] < SIZES[-1]:
        figures["1M_extrapolated"] = extrapolated(measured, SIZES[-1])
        notes.append(f"1M is not measured: a fit of {', '.join(map(short, sizes))}; read it as an order of magnitude.")
    return Report("memory", figures, tuple(aims), tuple(notes))


def extrapolated(measured: Mapping[int, Mapping[str, Any]], size: int) -> dict[str, float]:
    """Return figures at a size that was not measured: space along a line, times and rates along a power of the size."""
    points = {name: [(s, measured[s][name]) for s in sorted(measured)] for name in measured[min(measured)]}
    powers = [name for name in points if name.startswith(("recall_", "numpy_ms", "insert", "open"))]
    found = {name: (fit := _power(points[name]))[0] * size ** fit[1] for name in powers}
    for name in ("rss_mb", "disk_mb"):
        factor, base = _line([(float(s), value) for s, value in points[name]])
        found[name] = base + factor * size
    return found


def _power(points: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Return factor and exponent of the power of the size nearest to the points, on logarithmic scales."""
    exponent, logarithm = _line([(math.log(size), math.log(value)) for size, value in points])
    return math.exp(logarithm), exponent


def _line(points: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Return slope and intercept of the line nearest to the points."""
    x, y = np.array(points, float).T
    slope, intercept = np.polyfit(x, y, 1).tolist()
    return slope, intercept


def short(size: int) -> str:
    """Return a size as a table shows it: 1k, 10k, 1M."""
    for unit, name in ((1_000_000, "M"), (1000, "k")):
        if size >= unit and size % unit == 0:
            return f"{size // unit}{name}"
    return str(size)
