"""The product in a process of its own, with scripted roles and a world that tells what really happened.

`UNDERSTUDY_*` says which servers are used. Lines on stdout say what happened, the type of each event first.
"""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from agents.contracts import Assignment
from domain.autonomy import Autonomy
from domain.events import Stamped
from domain.outcomes import StepResult
from evals.benchmarks.crash_worker import Stage
from evals.benchmarks.crash_world import TEAM, Script, World
from memory.encoders import encoder
from understudy.cli.worker import _Work
from understudy.crashing import Playhouse
from understudy.durable.engine import Said
from understudy.orchestrator import Orchestrator
from understudy.settings import Settings, load_settings

STOP_AT = "STOP_AT"
"""Environment: step at which this process stops itself (SIGSTOP), or `kill:` and a step at which it dies."""


def say(*words: object) -> None:
    print(*words, flush=True)  # noqa: T201 - the parent reads it


class Halting(Script):
    """Stops its own process in the middle of a step, as a paused or a dying machine would."""

    async def specialist(self, request: Assignment) -> StepResult:
        how, _, step = os.environ.get(STOP_AT, "").rpartition(":")
        if request.step.id == step:
            say("halts", step)
            os.kill(os.getpid(), signal.SIGKILL if how == "kill" else signal.SIGSTOP)
        return await super().specialist(request)


def house(folder: Path, settings: Settings) -> Playhouse:
    asking = TEAM.model_copy(update={"autonomy": Autonomy(tier="cautious")})
    stage = Stage(asking, Halting().cast(), World(folder / "effects").tools())
    return Playhouse(settings, stage, encoder())


def told(what: Stamped | Said) -> None:
    if isinstance(what, Said):
        say(what.what, what.text)
    else:
        say(what.event.type, what.thread)


async def followed(events: AsyncIterator[Stamped]) -> None:
    async for stamped in events:
        told(stamped)


class Worker(_Work):
    """The command's worker, on the scripted house."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        super().__init__(settings, told, None, "127.0.0.1")
        self._folder = folder

    def _orchestrator(self) -> Orchestrator:
        return Orchestrator(self._settings, house=house(self._folder, self._settings))


async def main(folder: Path, home: str, how: str, what: str) -> None:
    settings = load_settings(home=folder / home, openai_api_key=None)
    if how in ("worker", "once"):
        await Worker(folder, settings).done(once=how == "once")
        return
    async with Orchestrator(settings, house=house(folder, settings)) as orchestrator:
        given: Any = {"decisions": [{"type": "approve"}]}
        match how:
            case "start":
                await followed(orchestrator.stream(what, thread=what.replace(" ", "")))
            case "approve":
                await followed(orchestrator.resume(what, given))
            case _:
                await followed(orchestrator.resume(what))


def act(folder: Path, home: str, how: str, what: str) -> None:
    """Play in this process.

    Args:
        folder: Holds the world, which all processes share.
        home: Name of the data folder.
        how: `start`, `approve`, `resume`, `worker` or `once`.
        what: Goal or thread.
    """
    asyncio.run(main(folder, home, how, what))
