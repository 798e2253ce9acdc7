"""The product as the approvals benchmark drives it, in processes of their own."""

import asyncio
import functools
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from domain.audit import Noted
from domain.audit_chain import Checked
from domain.events import Stamped
from domain.questions import Question
from evals.benchmarks import approvals_desk_worker as at_desk
from evals.benchmarks import approvals_runs_worker as with_runs
from evals.benchmarks.approvals_crew import REST, Order
from evals.benchmarks.approvals_desk_worker import Asked, Place
from evals.benchmarks.crash_worker import Boundary, Stage
from graph.context import Context
from memory.audit_check import checked
from memory.effects import EffectLedger
from memory.encoders import Encoder, encoder
from understudy.crashing import Playhouse
from understudy.durable.desk import Desk
from understudy.durable.engine import Around, Engine, Tell
from understudy.front_desk import FrontDesk, open_front_desk
from understudy.measured import without_model
from understudy.orchestrator import Orchestrator
from understudy.runs import Runs
from understudy.settings import Settings
from understudy.threads import Threads

_LATE_IMPORTS = ("chromadb", "chromadb.api.rust", "sklearn.feature_extraction.text", "wordllama", "psycopg")
"""What the product imports at its first use."""
_AT_DESK = {
    "ask": at_desk.ask,
    "deliver": at_desk.deliver,
    "race": at_desk.race,
    "settle": at_desk.settle,
    "look": at_desk.look,
}


_WITH_RUNS = {"fill": with_runs.fill, "decide": with_runs.decide, "work": with_runs.work, "drive": with_runs.drive}
BOUNDARIES = (
    Boundary(Desk, ("open", "answer", "applied")),
    Boundary(Threads, ("note",)),
    Boundary(EffectLedger, ("claim", "record")),
)
"""Between ask, decide, resume, act and record."""


def worker() -> Callable[[Order], None]:
    """Import and load what every process needs, and return what does an order."""
    for module in _LATE_IMPORTS:
        import_module(module)
    loaded = encoder()
    loaded.encode(["warm"])
    return functools.partial(_work, loaded)


def _work(loaded: Encoder, order: Order) -> None:
    found = asyncio.run(_done(loaded, order))
    Path(order.result).write_text(json.dumps(found))


async def _done(loaded: Encoder, order: Order) -> dict[str, Any]:
    given, place = dict(order.given), Place(*order.place)
    found: dict[str, Any] = {}
    if order.what == REST:
        return found
    if do := _WITH_RUNS.get(order.what):
        product = with_runs.Product(functools.partial(_house, loaded), _inbox, BOUNDARIES)
        found = await do(product, place, **given)  # type: ignore[operator]  # each takes what its order gives
        return found
    asked = Asked(*given.pop("asked"))
    async with _desk(place) as desk:
        found = await _AT_DESK[order.what](desk, asked, **given)  # type: ignore[operator]
        return found


class _Desk:
    """Implements `evals.benchmarks.approvals_desk_worker.Desk`."""

    def __init__(self, front: FrontDesk) -> None:
        self._desk, self._audit, self.clock = front.desk, front.audit, front.clock

    async def open(self, question: Question) -> Question:
        return await self._desk.open(question)

    async def answer(self, workspace: str, question: str, answer: Any, *, by: str) -> Question:
        return await self._desk.answer(workspace, question, answer, by=by)

    async def settle(self) -> list[Question]:
        return await self._desk.settle()

    async def next_due(self) -> float | None:
        return await self._desk.next_due()

    async def get(self, workspace: str, question: str) -> Question:
        return await self._desk.get(workspace, question)

    async def noted(self, workspace: str) -> list[Noted]:
        return [noted async for page in self._audit.pages(workspace) for noted in page]

    async def verified(self, workspace: str) -> Checked:
        return await checked(self._audit, workspace)


class _Runs:
    """Implements `evals.benchmarks.approvals_runs_worker.Runs`."""

    def __init__(self, runs: Runs, context: Context) -> None:
        self._runs, self._context = runs, context

    def stream(self, goal: str, *, thread: str) -> AsyncIterator[Stamped]:
        return self._runs.start(goal, self._context, thread=thread)

    def resume(self, thread: str, answer: Any | None = None, *, interrupt: str | None = None) -> AsyncIterator[Stamped]:
        return self._runs.resume(self._context.workspace, thread, answer, interrupt=interrupt)


class _House(Orchestrator):
    """Implements `evals.benchmarks.approvals_runs_worker.House`."""

    def runs(self, workspace: str) -> _Runs:
        return _Runs(self._runs, replace(self._context, workspace=workspace, user=at_desk.PERSON))

    def engine(
        self, tell: Tell = lambda said: None, around: Around = nullcontext
    ) -> AbstractAsyncContextManager[Engine]:
        return super().engine(tell, around)


class _Inbox:
    """Implements `evals.benchmarks.approvals_runs_worker.Inbox`."""

    def __init__(self, front: FrontDesk) -> None:
        self._desk = front.desk

    async def approve(self, workspace: str, thread: str, *, by: str) -> bool:
        question = await self._desk.of_thread(workspace, thread)
        if question is not None and question.status == "open":
            await self._desk.answer(workspace, question.id, {"type": "approve"}, by=by)
        return question is not None


@asynccontextmanager
async def _house(loaded: Encoder, place: Place, stage: Stage) -> AsyncIterator[_House]:
    settings = _settings(place)
    opened = _House(settings, house=Playhouse(settings, stage, loaded))
    async with opened:
        yield opened


@asynccontextmanager
async def _inbox(place: Place) -> AsyncIterator[_Inbox]:
    async with open_front_desk(_settings(place)) as front:
        yield _Inbox(front)


@asynccontextmanager
async def _desk(place: Place) -> AsyncIterator[_Desk]:
    async with open_front_desk(_settings(place)) as front:
        yield _Desk(front)


def _settings(place: Place) -> Settings:
    urls = {"redis_url": SecretStr(place.redis_url), "database_url": SecretStr(place.database_url)}
    return without_model(Path(place.home), None).model_copy(update=urls | {"workspace": at_desk.WORKSPACE})
