"""What keeping a model call costs: the same calls with and without the log, in turn, on a server that answers at once.

The calls are those of a specialist that works in rounds, so that each conversation quotes the one before.
"""

import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Awaitable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage
from pydantic import SecretStr

from agents.exchanges.keeping import Exchange, Keep, exchanges_kept
from agents.exchanges.logged import LogKeeper, exchanges_of
from agents.model_settings import ModelSettings
from agents.models import Model, Models
from domain.secrets import Secrets
from evals.report import Aim, Report
from evals.scripted import ScriptedServer
from memory.call_log import CallLog
from memory.sqlite import SqliteRecords
from prompts.loader import Prompts

AIMS = (Aim("added_ms_p50", "<=", 2.0), Aim("keeping_ms_p95", "<=", 2.0))
ROUNDS = 6
"""Calls of one conversation."""
WARM = 2
"""Conversations before it counts."""
_FOUND_CHARS = 3000
"""Of each tool's output."""
_WORKSPACE, _THREAD = "bench", "recording"
_ANSWER = {"content": "The share of wind grew from a tenth to a fifth in five years. " * 8}


def conversation(rounds: int) -> list[BaseMessage]:
    """Return what a specialist's model is told after some rounds of tool calls, in the texts of real prompts."""
    prompts = Prompts()
    head: list[BaseMessage] = [SystemMessage(prompts.load("specialist").system), HumanMessage("Find what grew.")]
    text = prompts.load("planner").system * 2
    for number in range(rounds):
        call = {"name": "search_documents", "args": {"query": f"wind {number}"}, "id": f"call-{number}"}
        found = f"{number}: {text[number * 300 : number * 300 + _FOUND_CHARS]}"
        head += [AIMessage("", tool_calls=[call]), ToolMessage(found, tool_call_id=f"call-{number}")]
    return head


@dataclass
class _Timed:
    """Passes exchanges on and takes the time."""

    keep: Keep
    seconds: list[float] = field(default_factory=list)

    async def __call__(self, exchange: Exchange) -> None:
        began = time.perf_counter()
        await self.keep(exchange)
        self.seconds.append(time.perf_counter() - began)


@dataclass
class _Times:
    """What each call took, by side; calls of one place are the same."""

    bare: list["_Cost"] = field(default_factory=list)
    kept: list["_Cost"] = field(default_factory=list)


class _Cost(NamedTuple):
    """Milliseconds of wall and of CPU time of this process."""

    wall: float
    cpu: float


async def run(*, calls: int = 600) -> Report:
    """Make the calls on both sides in turn, and compare call by call."""
    with ScriptedServer([_ANSWER], repeat="cycle") as server, tempfile.TemporaryDirectory() as folder:
        settings = ModelSettings(default="openai:scripted", base_url=server.base_url, api_key=SecretStr("scripted-key"))
        models, records = Models(settings), await SqliteRecords.open(Path(folder) / "records.sqlite")
        try:
            log = CallLog(records, time.time)
            keep = _Timed(LogKeeper(log, _WORKSPACE, _THREAD, "run", Secrets(["scripted-key"])))
            talks = await asyncio.to_thread(lambda: [conversation(rounds) for rounds in range(ROUNDS)])
            times = await _timed(models.for_job("specialist"), talks, keep, calls)
            return _report(times, keep.seconds[WARM * ROUNDS :], await _sizes(log, records))
        finally:
            await models.aclose()
            await records.close()


async def _timed(model: Model, talks: list[list[BaseMessage]], keep: Keep, calls: int) -> _Times:
    times, warm = _Times(), WARM * len(talks)
    for number in range(warm + calls):
        messages = talks[number % len(talks)]
        sides = [(times.bare, None), (times.kept, keep)]
        for taken, keeper in sides if number % 2 else sides[::-1]:
            with exchanges_kept(keeper):
                cost = await _cost(model.call(messages, role="specialist", emit=lambda _: None))
            if number >= warm:
                taken.append(cost)
    return times


async def _cost(work: Awaitable[object]) -> _Cost:
    wall, cpu = time.perf_counter(), time.process_time()
    await work
    return _Cost((time.perf_counter() - wall) * 1000, (time.process_time() - cpu) * 1000)


async def _sizes(log: CallLog, records: SqliteRecords) -> tuple[float, float]:
    """Return the bytes of a kept call as it is stored, and as JSON."""
    stored = await records.read(f"calls:{_WORKSPACE}:{_THREAD}")
    plain = await exchanges_of(log, _WORKSPACE, _THREAD)
    return (
        statistics.mean(len(json.dumps(value)) for _, value in stored),
        statistics.mean(len(each.exchange.model_dump_json(exclude_defaults=True)) for each in plain),
    )


def _report(times: _Times, keeping: list[float], sizes: tuple[float, float]) -> Report:
    median, pairs = statistics.median, list(zip(times.kept, times.bare, strict=True))
    bare, kept = ([cost.wall for cost in side] for side in (times.bare, times.kept))
    figures = {
        "calls": len(pairs),
        "bare_ms_p50": median(bare),
        "kept_ms_p50": median(kept),
        "added_ms_p50": median(a.wall - b.wall for a, b in pairs),
        "added_ms_p95": _p95(kept) - _p95(bare),
        "added_cpu_ms_p50": median(a.cpu - b.cpu for a, b in pairs),
        "keeping_ms_p50": median(keeping) * 1000,
        "keeping_ms_p95": _p95(keeping) * 1000,
        "bytes_per_call": sizes[0],
        "bytes_as_json": sizes[1],
    }
    return Report("recording", figures, AIMS)


def _p95(values: list[float]) -> float:
    return statistics.quantiles(values, n=20)[-1]
