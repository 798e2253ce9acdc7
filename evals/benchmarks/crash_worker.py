"""What one worker of the crash benchmark does, in a process of its own that may be killed at any moment."""

import asyncio
import functools
import json
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from agents.contracts import Cast
from agents.team import Team
from agents.tools.registry import Toolbox
from domain.approvals import SETTLE, ActionRequest
from domain.errors import UnknownThread
from domain.events import ApprovalRequested, RunFinished, Stamped
from evals.benchmarks.crash_world import TEAM, Script, World


class Subject(Protocol):
    """The product, opened in a worker."""

    def stream(self, goal: str, *, thread: str) -> AsyncIterator[Stamped]:
        """Run a goal."""

    def resume(self, thread: str, answer: Any | None = None, *, interrupt: str | None = None) -> AsyncIterator[Stamped]:
        """Carry a run on, or answer its question."""

    async def unknown(self, workspaces: Sequence[str]) -> int:
        """Return how many effects of these workspaces have an unknown outcome."""


class Stage(NamedTuple):
    """What the product plays with."""

    team: Team
    cast: Cast
    tools: Toolbox


Open = Callable[[Path, str, Stage], AbstractAsyncContextManager[Subject]]
"""Opens the product on a data folder, for a workspace."""


class Boundary(NamedTuple):
    """Writes before and after which a worker may be killed."""

    owner: type
    methods: tuple[str, ...]
    prefix: str = ""
    """Only writes whose first argument begins with this count."""


class Product(NamedTuple):
    """The product as the worker gets it."""

    open: Open
    boundaries: Sequence[Boundary]


class Order(NamedTuple):
    """What one worker does."""

    folder: str
    kind: str
    """Of the plan; empty for a look at the ledger."""
    number: int
    """Of the run; without a plan, of all runs there were."""
    kill_at: int | None
    """Boundary at which the worker kills itself, from 0."""


@dataclass
class Switch:
    """Counts boundaries and kills this process at the chosen one."""

    kill_at: int | None
    passed: int = 0

    def __call__(self) -> None:
        """Pass a boundary."""
        if self.passed == self.kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        self.passed += 1


def installed(switch: Switch, boundaries: Sequence[Boundary]) -> None:
    """Make the methods of this process pass the switch before and after each call."""
    for boundary in boundaries:
        for name in boundary.methods:
            setattr(boundary.owner, name, _watched(getattr(boundary.owner, name), boundary.prefix, switch))


def _watched(method: Callable[..., Awaitable[Any]], prefix: str, switch: Switch) -> Callable[..., Awaitable[Any]]:
    @functools.wraps(method)
    async def watched(owner: Any, first: Any, *rest: Any, **named: Any) -> Any:
        counts = not prefix or str(first).startswith(prefix)
        if counts:
            switch()
        result = await method(owner, first, *rest, **named)
        if counts:
            switch()
        return result

    return watched


def work(product: Product, order: Order) -> None:
    """Do what one worker does: start or carry on a run, and answer what it asks; in a process of its own."""
    switch = Switch(order.kill_at)
    if order.kind:
        installed(switch, product.boundaries)
    asyncio.run(_worked(product, order, switch))


async def _worked(product: Product, order: Order, switch: Switch) -> None:
    folder = Path(order.folder)
    world = World(folder / "effects")
    # No run may remember the plan of another: its effects would have the other's names.
    workspace = _workspace(order.number)
    async with product.open(folder / "home", workspace, Stage(TEAM, Script().cast(), world.tools())) as subject:
        if order.kind:
            ended = await _driven(subject, world, f"{order.kind} {order.number}", "t")
            (folder / "last.json").write_text(json.dumps({"status": ended, "boundaries": switch.passed}))
        else:
            (folder / "last.json").write_text(json.dumps({"unknown": await subject.unknown(_all(order.number))}))


def _workspace(number: int) -> str:
    return f"run{number}"


def _all(runs: int) -> list[str]:
    return [_workspace(number) for number in range(runs)]


async def _driven(subject: Subject, world: World, goal: str, thread: str) -> str:
    """Run or carry on until the end; an open question is answered by whoever looks at the world."""
    try:
        last = await _last(subject.resume(thread))
    except UnknownThread:
        last = await _last(subject.stream(goal, thread=thread))
    while isinstance(last, ApprovalRequested):
        _count(world.file.with_name("asked"))
        answers = {"decisions": [_looked(request, world) for request in last.requests]}
        last = await _last(subject.resume(thread, answers, interrupt=last.interrupt))
    return last.outcome.status if isinstance(last, RunFinished) else ""


async def _last(events: AsyncIterator[Stamped]) -> Any:
    event: Any = None
    async for stamped in events:
        event = stamped.event
    return event


def _looked(request: ActionRequest, world: World) -> dict[str, Any]:
    if request.name != SETTLE:
        return {"type": "approve"}
    return {"type": "edit", "args": {"happened": world.stands(request.args["arguments"]["name"])}}


def _count(file: Path) -> None:
    with file.open("a") as counted:
        counted.write("1\n")
