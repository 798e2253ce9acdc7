"""Turns per second while clients ask without a pause: beside a bare graph, and with more workers."""

import asyncio
import json
import os
import statistics
import sys
import time
from asyncio.subprocess import PIPE, Process
from typing import Any, NamedTuple

import httpx

from evals.benchmarks.serve_clients import Session, Turn, open_http, warm
from evals.benchmarks.serve_effects import GREETING
from evals.benchmarks.serve_stage import Stage
from evals.report import Aim

THROUGHPUT_AIMS = (Aim("throughput.ratio", ">=", 0.7),)
SCALE_AIMS = (Aim("scale.ratio", ">=", 1.6),)
RUNS_AT_ONCE = 4
"""That a worker advances at once (`Settings.concurrency`); the bare graph's processes do as many."""
_READY_SECONDS = 60.0


class Done(NamedTuple):
    """What was done in a time."""

    in_time: int
    turns: int
    """Those that ended later, too."""
    failed: int
    seconds: float
    cpu: float
    """Seconds of CPU time, of API processes and workers, or of the bare graph's processes."""

    @property
    def rate(self) -> float:
        """Turns per second."""
        return self.in_time / self.seconds

    @property
    def cpu_ms(self) -> float:
        """Milliseconds of CPU time a turn."""
        return 1000 * self.cpu / max(1, self.turns)


async def throughput(stage: Stage, *, workers: int, seconds: float, rounds: int = 3) -> dict[str, object]:
    """Compare turns per second with those of a bare graph on the same database, in turn, and return the figures."""
    clients = RUNS_AT_ONCE * workers + RUNS_AT_ONCE
    processes = workers + len(stage.urls)
    async with open_http(stage.urls) as http:
        await warm(stage.urls, http, GREETING)
        shape = await _shape(stage.urls[0], http)
        ours, theirs = list[Done](), list[Done]()
        for _ in range(rounds):
            ours.append(await asked_for(stage, http, clients=clients, seconds=seconds))
            theirs.append(await bare(stage, shape, processes=processes, seconds=seconds))
    median = statistics.median
    return {
        "ratio": median(a.rate / b.rate for a, b in zip(ours, theirs, strict=True)),
        "turns_per_second": median(done.rate for done in ours),
        "bare_turns_per_second": median(done.rate for done in theirs),
        "cpu_ms_per_turn": median(done.cpu_ms for done in ours),
        "bare_cpu_ms_per_turn": median(done.cpu_ms for done in theirs),
        "rounds": rounds, "clients": clients, "processes_each": processes,
        "failed_turns": sum(done.failed for done in ours),
        "model_calls_per_turn_each": shape["calls"], "supersteps_per_turn_each": shape["steps"],
    }  # fmt: skip


async def rate(stage: Stage, *, clients: int, seconds: float) -> float:
    """Return the turns per second that an installation does for so many clients, once it is warm."""
    async with open_http(stage.urls) as http:
        await warm(stage.urls, http, GREETING)
        return (await asked_for(stage, http, clients=clients, seconds=seconds)).rate


async def asked_for(stage: Stage, http: httpx.AsyncClient, *, clients: int, seconds: float) -> Done:
    """Have clients say one thing after the other, each in a conversation of its own; turns that end in time count."""
    turns, in_time, cpu, began = list[Turn](), 0, stage.cpu_seconds(), time.monotonic()

    async def ask(number: int) -> None:
        nonlocal in_time
        urls = [*stage.urls[number % len(stage.urls) :], *stage.urls[: number % len(stage.urls)]]
        while time.monotonic() < began + seconds:
            turns.append(await Session(http, urls).say(GREETING))
            in_time += time.monotonic() < began + seconds

    await asyncio.gather(*map(ask, range(clients)))
    failed = sum(turn.status != "replied" for turn in turns)
    return Done(in_time, len(turns), failed, seconds, stage.cpu_seconds() - cpu)


async def _shape(url: str, http: httpx.AsyncClient) -> dict[str, int]:
    """Return how many model calls and supersteps a turn takes."""
    session = Session(http, [url])
    turn = await session.say(GREETING)
    stored: list[Any] = (await http.get(f"{url}/threads/{session.thread}/history", params={"limit": 100})).json()
    return {"calls": len(turn.calls), "steps": len(stored) - 1}  # the first one holds what was said


async def bare(stage: Stage, shape: dict[str, int], *, processes: int, seconds: float) -> Done:
    """Return what the bare graph does in so many processes of its own."""
    begun = [await _begun(stage, shape, seconds) for _ in range(processes)]
    try:
        for process in begun:
            await _line(process, _READY_SECONDS)
        for process in begun:
            assert process.stdin
            process.stdin.write(b"go\n")
        told = [json.loads(await _line(process, seconds + _READY_SECONDS)) for process in begun]
    finally:
        for process in begun:
            if process.returncode is None:
                process.kill()
            await process.wait()
    in_time, turns, cpu = (sum(each[name] for each in told) for name in ("in_time", "turns", "cpu"))
    return Done(in_time, turns, 0, seconds, cpu)


async def _begun(stage: Stage, shape: dict[str, int], seconds: float) -> Process:
    """Start a process of the bare graph; it says when it is ready, and goes on when it is told so."""
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "BENCH_DATABASE": stage.cluster.settings["UNDERSTUDY_DATABASE_URL"],
        "BENCH_MODEL": stage.model.base_url,
    }
    numbers = (shape["calls"], shape["steps"], RUNS_AT_ONCE, seconds)
    command = (sys.executable, "-m", "evals.benchmarks.serve_bare", *map(str, numbers))
    return await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, env=environment)


async def _line(process: Process, seconds: float) -> bytes:
    assert process.stdout
    async with asyncio.timeout(seconds):
        return await process.stdout.readline()
