"""One measurement of a grown memory, in a process of its own: nothing is warm, and the RSS is the memory's alone."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from evals.benchmarks.request_texts import Request
from memory.encoders import Encoder, Vectors, encoder
from memory.index import ChromaIndex
from memory.sqlite import SqliteRecords
from memory.tasks import TaskMemory

WORKSPACE = "bench"
NEAREST = 10
_WARM_UP = 20
_EQUAL = 1e-5
"""Vectors whose cosines differ by less are equally near."""


def probe(folder: Path, encoder_name: str, queries: Sequence[Request]) -> dict[str, Any]:
    """Open the memory in a folder, ask it, and return the figures; blocking."""
    return asyncio.run(_probed(folder, encoder(encoder_name), queries))


async def _probed(folder: Path, coder: Encoder, queries: Sequence[Request]) -> dict[str, Any]:
    coder.encode(["loads the weights"])
    before, started = rss_mb(), time.perf_counter()
    records = await SqliteRecords.open(folder / "records.sqlite")
    index = await ChromaIndex.open(folder / "chroma", coder)
    memory = TaskMemory(records, index)
    try:
        await memory.success_rate(WORKSPACE, "")  # opens the view
        opened = time.perf_counter() - started
        first, *_ = [await _milliseconds(partial(_recall, memory, query)) for query in queries[:_WARM_UP]]
        spent = time.process_time()
        times = [await _milliseconds(partial(_recall, memory, query)) for query in queries[_WARM_UP:]]
        figures = {
            "open_s": opened,
            "first_recall_ms": first,
            **_percentiles("recall", times),
            "recall_cpu_ms_mean": (time.process_time() - spent) * 1000 / len(times),
            "rss_mb": rss_mb(),
            "rss_before_opening_mb": before,
        }
        return figures | await _beside_numpy(index, coder.encode([query.goal for query in queries]))
    finally:
        await memory.close()
        await index.close()
        await records.close()


async def _recall(memory: TaskMemory, query: Request) -> None:
    await memory.recall(WORKSPACE, query.team, query.goal)


async def _beside_numpy(index: ChromaIndex, queries: Vectors) -> dict[str, Any]:
    """Return what exact search over the same vectors takes, and how much of it the index finds."""
    ids = sorted(await index.ids(WORKSPACE))
    vectors = await index.vectors(WORKSPACE, ids)
    times, shares = [], []
    for query in queries:
        started = time.perf_counter()
        cosines = vectors @ query
        nearest = np.argpartition(-cosines, min(NEAREST, len(ids) - 1))[:NEAREST]
        times.append((time.perf_counter() - started) * 1000)
        least = float(cosines[nearest].min()) - _EQUAL
        found = await index.query(WORKSPACE, query, NEAREST)
        shares.append(sum(hit.similarity >= least for hit in found) / min(NEAREST, len(ids)))
    return {**_percentiles("numpy", times), f"index_recall_at_{NEAREST}": float(np.mean(shares))}


async def _milliseconds(ask: Callable[[], Awaitable[None]]) -> float:
    started = time.perf_counter()
    await ask()
    return (time.perf_counter() - started) * 1000


def _percentiles(name: str, milliseconds: Sequence[float]) -> dict[str, float]:
    p50, p95 = np.percentile(milliseconds, [50, 95]).tolist()
    return {f"{name}_ms_p50": p50, f"{name}_ms_p95": p95}


def rss_mb() -> float:
    """Return the resident memory of this process in MB; where the system does not tell it now, its highest so far."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmRSS:"))
        return int(line.split()[1]) * 1024 / 1e6
    import resource
    import sys

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)
