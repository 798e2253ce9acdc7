"""The product as the crash benchmark kills it: the real one, with other tools and a scripted cast."""

import functools
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

from domain.events import Stamped
from evals.benchmarks.crash_worker import Boundary, Order, Product, Stage, work
from graph.context import Context, Services
from memory.encoders import Encoder, encoder
from memory.sqlite import SqliteRecords
from understudy.checkpointing import ThreadedSqliteSaver
from understudy.durable.desk import Desk
from understudy.durable.fences import Fences
from understudy.measured import without_model
from understudy.orchestrator import Orchestrator
from understudy.settings import Settings
from understudy.wiring import House

_LATE_IMPORTS = ("chromadb", "chromadb.api.rust", "sklearn.feature_extraction.text", "wordllama")
"""What the product imports at its first use."""
BOUNDARIES = (
    Boundary(ThreadedSqliteSaver, ("aput", "aput_writes")),
    Boundary(SqliteRecords, ("append", "compare_and_set", "delete", "merge"), "effects:"),
    Boundary(SqliteRecords, ("put",), "thread:"),
    Boundary(Desk, ("open", "answer", "applied")),
    Boundary(Fences, ("take", "give_back")),
)


def worker() -> Callable[[Order], None]:
    """Import and load what every worker needs, and return what does an order."""
    for module in _LATE_IMPORTS:
        import_module(module)
    loaded = encoder()
    loaded.encode(["warm"])
    return functools.partial(work, Product(functools.partial(_opened, loaded), BOUNDARIES))


class Playhouse(House):
    """A house whose runs are played by others."""

    def __init__(self, settings: Settings, stage: Stage, loaded: Encoder) -> None:
        super().__init__(settings, loaded=loaded)
        self._stage = stage

    async def services_for(self, context: Context) -> Services:
        """Return the real services with the stage's team, cast and tools."""
        services, stage = await super().services_for(context), self._stage
        return replace(services, team=stage.team, cast=stage.cast, understudies=stage.cast, tools=stage.tools)


class _Subject:
    """Implements `evals.benchmarks.crash.Subject`."""

    def __init__(self, orchestrator: Orchestrator, house: House) -> None:
        self._orchestrator, self._house = orchestrator, house

    def stream(self, goal: str, *, thread: str) -> AsyncIterator[Stamped]:
        """Run a goal."""
        return self._orchestrator.stream(goal, thread=thread)

    def resume(self, thread: str, answer: Any | None = None, *, interrupt: str | None = None) -> AsyncIterator[Stamped]:
        """Carry a run on, or answer its question."""
        return self._orchestrator.resume(thread, answer, interrupt=interrupt)

    async def unknown(self, workspaces: Sequence[str]) -> int:
        """Return how many effects of these workspaces have an unknown outcome."""
        return sum([len(await self._house.effects.unknown(workspace)) for workspace in workspaces])


@asynccontextmanager
async def _opened(loaded: Encoder, home: Path, workspace: str, stage: Stage) -> AsyncIterator[_Subject]:
    settings = without_model(home, None).model_copy(update={"workspace": workspace})
    house = Playhouse(settings, stage, loaded)
    async with Orchestrator(settings, house=house) as orchestrator:
        yield _Subject(orchestrator, house)
