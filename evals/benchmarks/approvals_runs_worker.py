"""What the processes of the approvals benchmark do with whole runs: start them, decide, carry them on, be killed."""

import asyncio
import os
import resource
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from domain.approvals import SETTLE, ActionRequest
from domain.errors import NothingPending, QuestionClosed, StorageAway, StorageError, UnderstudyError, UnknownThread
from domain.events import ApprovalRequested, RunFinished, Stamped
from evals.benchmarks.approvals_desk_worker import PERSON, Place
from evals.benchmarks.approvals_world import TEAM, Sender, TimedWorld, goal
from evals.benchmarks.crash_worker import Boundary, Stage, Switch, installed

THREAD = "t"
_AGAIN_SECONDS = 0.3
_GIVEN_UP_SECONDS = 240.0
"""Time after which a server that is away, or a thread that is busy, is waited for no more."""
_LOOK_SECONDS = 0.1


class Runs(Protocol):
    """The product with one workspace."""

    def stream(self, goal: str, *, thread: str) -> AsyncIterator[Stamped]:
        """Run a goal."""

    def resume(self, thread: str, answer: Any | None = None, *, interrupt: str | None = None) -> AsyncIterator[Stamped]:
        """Carry a run on, or answer its question."""


class House(Protocol):
    """The product, opened for many workspaces."""

    def runs(self, workspace: str) -> Runs:
        """Return the runs of a workspace."""

    def engine(self) -> AbstractAsyncContextManager["Engine"]:
        """Open what carries runs on by itself."""


class Engine(Protocol):
    """Carries runs on."""

    async def run(self) -> None:
        """Work until it is stopped."""

    def stop(self) -> None:
        """End at the next safe point."""


class Inbox(Protocol):
    """Where a person decides."""

    async def approve(self, workspace: str, thread: str, *, by: str) -> bool:
        """Approve what the thread waits for; return whether it waited for something."""


class Product(NamedTuple):
    """The product as the processes get it."""

    house: Callable[[Place, Stage], AbstractAsyncContextManager[House]]
    inbox: Callable[[Place], AbstractAsyncContextManager[Inbox]]
    boundaries: Sequence[Boundary]


def workspace(number: int) -> str:
    """Return the workspace of a run: one each, so that none reuses the plan of another."""
    return f"w{number}"


def stage(place: Place, world: str) -> tuple[Stage, TimedWorld]:
    """Return what runs play with, and the world that they change."""
    outside = TimedWorld(Path(world))
    return Stage(TEAM, Sender().cast(), outside.tools()), outside


async def fill(product: Product, place: Place, *, world: str, numbers: list[int], at_once: int) -> dict[str, Any]:
    """Start runs in the foreground, until each waits for a person; a server that is away is waited for."""
    played, _ = stage(place, world)
    left, began, waiting = iter(numbers), time.perf_counter(), 0

    async with product.house(place, played) as house:

        async def hand() -> None:
            nonlocal waiting
            for number in left:
                last = await _patiently(partial(_started, house.runs(workspace(number)), number))
                waiting += isinstance(last, ApprovalRequested)

        await asyncio.gather(*(hand() for _ in range(at_once)))
    return {"waiting": waiting, "seconds": time.perf_counter() - began}


async def decide(product: Product, place: Place, *, numbers: list[int], pause: float) -> dict[str, Any]:
    """Approve what runs wait for, one after the other, and tell when each was decided."""
    decided: dict[str, float] = {}
    async with product.inbox(place) as inbox:
        for number in numbers:
            before = time.time()
            while not await _patiently(partial(inbox.approve, workspace(number), THREAD, by=PERSON)):
                await asyncio.sleep(_AGAIN_SECONDS)
                if time.time() - before > _GIVEN_UP_SECONDS:
                    break
            decided[str(number)] = time.time()
            await asyncio.sleep(pause)
    return {"decided": decided}


async def work(
    product: Product, place: Place, *, world: str, stop: str, idle_seconds: float, limit: float
) -> dict[str, Any]:
    """Carry runs on until a file says to stop, and tell how much memory that took before there was anything to do."""
    played, _ = stage(place, world)
    until = time.monotonic() + limit
    async with AsyncExitStack() as stack:
        engine = await _opened_engine(product, place, played, stack)
        working = asyncio.create_task(engine.run())
        await asyncio.sleep(idle_seconds)
        idle = rss_mb()
        stopping = asyncio.create_task(asyncio.to_thread(_stopped, stop, until))
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        engine.stop()
        await working
    return {"rss_mb": idle, "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


async def _opened_engine(product: Product, place: Place, played: Stage, stack: AsyncExitStack) -> Any:
    """Return an engine; a server that is being restarted is waited for, as a worker waits."""
    while True:
        try:
            async with AsyncExitStack() as opening:
                house = await opening.enter_async_context(product.house(place, played))
                engine = await opening.enter_async_context(house.engine())
                await stack.enter_async_context(opening.pop_all())
            return engine
        except StorageAway:
            await asyncio.sleep(_AGAIN_SECONDS)


async def drive(product: Product, place: Place, *, world: str, number: int, kill_at: int | None) -> dict[str, Any]:
    """Start or carry on one run and answer what it asks, to its end; killed at the chosen boundary."""
    played, outside = stage(place, world)
    switch = Switch(kill_at)
    installed(switch, product.boundaries)
    async with product.house(place, played) as house:
        runs = house.runs(workspace(number))
        try:
            last = await _last(runs.resume(THREAD))
        except UnknownThread:
            last = await _last(runs.stream(goal(number), thread=THREAD))
        while isinstance(last, ApprovalRequested):
            answers = {"decisions": [_looked(request, outside) for request in last.requests]}
            last = await _last(runs.resume(THREAD, answers, interrupt=last.interrupt))
    return {"status": last.outcome.status if isinstance(last, RunFinished) else "", "boundaries": switch.passed}


def _stopped(stop: str, until: float) -> None:
    """Say that this process works, and wait until a file says to stop."""
    Path(f"{stop}.ready.{os.getpid()}").touch()
    while not Path(stop).exists() and time.monotonic() < until:
        time.sleep(_LOOK_SECONDS)


def rss_mb() -> float:
    """Return the memory of this process that is in RAM, in megabytes."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


async def _started(runs: Runs, number: int) -> Any:
    """Start a run, or carry it on where it was started before, and return the last event."""
    try:
        return await _last(runs.resume(THREAD))
    except UnknownThread:
        return await _last(runs.stream(goal(number), thread=THREAD))


async def _patiently(do: Callable[[], Awaitable[Any]]) -> Any:
    """Do a thing, and again while a server is away or somebody else is at it."""
    until = time.monotonic() + _GIVEN_UP_SECONDS
    while True:
        try:
            return await do()
        except (QuestionClosed, NothingPending):
            return True
        except UnderstudyError as error:
            busy = isinstance(error, StorageError) or error.code in ("thread_busy", "run_fenced")
            if not busy or time.monotonic() > until:
                raise
            await asyncio.sleep(_AGAIN_SECONDS)


async def _last(events: AsyncIterator[Stamped]) -> Any:
    event: Any = None
    async for stamped in events:
        event = stamped.event
    return event


def _looked(request: ActionRequest, outside: TimedWorld) -> dict[str, Any]:
    """Approve; where nobody knows whether something happened, look."""
    if request.name != SETTLE:
        return {"type": "approve"}
    return {"type": "edit", "args": {"happened": outside.stands(request.args["arguments"]["name"])}}
