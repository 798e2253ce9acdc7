"""The engine beside its queue: what stops it, what it tells of a run that broke, and what it never does twice."""

import asyncio
import uuid
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path

import pytest

from domain.errors import MalformedAnswer, StorageBusy
from domain.events import RunFinished, Stamped
from domain.notices import Notice
from domain.outcomes import Failure, Outcome
from tests.understudy.test_waiting import APPROVE, Product
from understudy.durable.desk import Desk
from understudy.durable.engine import Engine, Said
from understudy.durable.queue import Order


@pytest.fixture
async def product(tmp_path: Path) -> AsyncIterator[Product]:
    made = Product(tmp_path)
    async with made.door:
        yield made


class Kept:
    """Takes notices, and has nothing to deliver."""

    def __init__(self) -> None:
        self.notices: list[Notice] = []
        self.delivered = asyncio.Event()
        self.problems: list[Exception] = []

    async def __call__(self, notice: Notice) -> None:
        self.notices.append(notice)

    async def deliver(self, *, limit: int = 20) -> int:
        if self.problems:
            raise self.problems.pop()
        self.delivered.set()
        return 0


class Hall:
    """An engine without a queue, and what it tells."""

    def __init__(self, product: Product) -> None:
        self.told: list[Stamped | Said] = []
        self.outbox = Kept()
        house = product.house
        parts = house.desk, house.fences, house.workers, self.outbox
        self.engine = Engine(product.door._runs, *parts, self.told.append, concurrency=1)

    def types(self) -> list[str]:
        return [each.what if isinstance(each, Said) else each.event.type for each in self.told]


async def ready(product: Product) -> Order:
    """Have a run wait, approve it at the desk, and return the order to go on."""
    await product.start()
    question = await product.question()
    await product.desk.answer("default", question.id, APPROVE, by="ben")
    return Order(question.id, "default", "t", {"question": question.id})


async def test_a_run_that_breaks_is_left_where_it_is_and_its_user_is_told(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    order, hall = await ready(product), Hall(product)

    async def broken(*_: object, **__: object) -> None:
        raise MalformedAnswer("the model says nothing")

    with monkeypatch.context() as patch:
        patch.setattr(Desk, "of_thread", broken)
        await hall.engine.carry_out(order)
    assert hall.types() == ["run_stopped"]
    [notice] = hall.outbox.notices
    assert (notice.kind, notice.to, notice.answer) == ("failed", ("ada",), "understudy resume t")
    assert "chain 1" in notice.title and "says nothing" in notice.body
    assert (await product.door._runs.entry("default", "t")).state == "stopped"
    await hall.engine.carry_out(order)  # the order itself still stands; a person's resuming does just this
    assert hall.types()[-1] == "approval_requested"
    assert product.world.happened() == {"+chain1.a": 1}


async def test_a_run_that_is_taken_up_while_the_worker_ends_stops_at_once(product: Product) -> None:
    order, hall = await ready(product), Hall(product)
    looked = hall.engine._is_wanted

    async def ended_meanwhile(order: Order) -> bool:
        wanted = await looked(order)
        hall.engine.stop()
        return wanted

    hall.engine._is_wanted = ended_meanwhile  # type: ignore[method-assign]
    going = asyncio.create_task(hall.engine.carry_out(order))
    while not hall.told:
        await asyncio.wait({going}, timeout=0.01)
    assert hall.types() == ["run_stopped"]
    assert product.world.happened() == {}
    going.cancel()
    await asyncio.wait({going})
    assert await product.desk.ready() != []


async def test_a_run_that_was_started_long_ago_is_not_started_again(product: Product) -> None:
    hall, first = Hall(product), str(uuid.uuid4())
    context = {"workspace": "default", "user": "ada"}
    order = Order(first, "default", "t", {"start": first, "goal": "chain 1", "context": context})
    await hall.engine.carry_out(order)
    await product.resume(APPROVE)
    await product.resume(APPROVE)
    await product.start("chain 2")
    await product.resume(APPROVE)
    await product.resume(APPROVE)
    told = hall.types()
    await hall.engine.carry_out(order)  # its worker died after the run's end, and before the queue knew of it
    assert hall.types() == told


async def test_what_is_busy_for_a_moment_ends_neither_the_worker_nor_its_notices(product: Product) -> None:
    hall = Hall(product)
    hall.outbox.problems.append(StorageBusy("somebody writes"))
    ticks = [StorageBusy("somebody writes")]

    async def tick() -> None:
        if ticks:
            raise ticks.pop()
        await hall.outbox.delivered.wait()
        hall.engine.stop()

    hall.engine.tick = tick  # type: ignore[method-assign]
    async with asyncio.timeout(60):
        await hall.engine.run()
    assert hall.types() == ["away", "back"]


async def test_who_did_not_watch_is_told_that_a_run_failed(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    order, hall = await ready(product), Hall(product)
    failed = RunFinished(outcome=Outcome(status="failed", failure=Failure(code="tool_failed", message="no such mail")))
    ended = await product.door._runs.tell(await product.door._runs.entry("default", "t"), failed)

    async def stream(*_: object, **__: object) -> AsyncGenerator[Stamped]:
        yield ended

    monkeypatch.setattr(product.door._runs, "resume", stream)
    for _ in range(2):
        await hall.engine.carry_out(order)
    [notice] = {each.id: each for each in hall.outbox.notices}.values()
    assert (notice.kind, notice.to, notice.answer) == ("failed", ("ada",), "understudy trace t")
    assert notice.body == "chain 1\nIt failed: no such mail"
