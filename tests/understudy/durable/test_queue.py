"""The queue in this process: orders are carried out once each, one at a time per thread, and forgotten in the end."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, nullcontext
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.postgres import new_database
from understudy.durable import queue as module
from understudy.durable.database import open_database
from understudy.durable.engine import queue_url
from understudy.durable.orders import Orders
from understudy.durable.queue import Order, RunQueue


class Carrier:
    """Notes what it carries out, and how many at once for one thread."""

    def __init__(self) -> None:
        self.carried: list[str] = []
        self.most = 0
        self._going: dict[str, int] = {}
        self._done = asyncio.Condition()

    async def __call__(self, order: Order) -> None:
        self._going[order.thread] = self._going.get(order.thread, 0) + 1
        self.most = max(self.most, *self._going.values())
        await asyncio.sleep(0)
        async with self._done:
            self.carried.append(order.id)
            self._going[order.thread] -= 1
            self._done.notify_all()

    async def until(self, number: int) -> None:
        async with asyncio.timeout(100), self._done:
            await self._done.wait_for(lambda: len(self.carried) >= number)


@asynccontextmanager
async def opened(folder: Path, carrier: Carrier) -> AsyncIterator[RunQueue]:
    queue = RunQueue(queue_url(folder, None), "worker", carrier, concurrency=4)
    await queue.open()
    try:
        yield queue
    finally:
        await queue.close()


def order(id_: str, thread: str = "t") -> Order:
    return Order(id_, "default", thread, {"question": id_})


async def test_an_order_is_carried_out_once_however_often_it_is_put(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    carrier = Carrier()
    async with opened(tmp_path, carrier) as queue:
        for id_ in ("one", "one", "two", "three", "one"):
            await queue.put(order(id_))
        await carrier.until(3)
        assert (sorted(carrier.carried), carrier.most) == (["one", "three", "two"], 1)
        while await queue.unfinished(["one", "two", "three"]):
            await asyncio.to_thread(lambda: None)
        await queue.put(order("one"))
        assert await queue.unfinished(["one"]) == []
        monkeypatch.setattr(module, "KEPT_SECONDS", -1.0)
        monkeypatch.setattr(module, "_SWEPT_EVERY", 0.0)
        await queue.sweep()
        assert rows(tmp_path) == 0


async def test_an_order_is_taken_up_when_it_is_put_and_not_at_the_next_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "POLL_SECONDS", 3600.0)
    carrier = Carrier()
    async with opened(tmp_path, carrier) as queue:
        for number, id_ in enumerate(("one", "two"), 1):
            await queue.put(order(id_))
            await carrier.until(number)
    assert carrier.carried == ["one", "two"]


async def test_what_is_written_by_pickle_is_not_read(tmp_path: Path) -> None:
    carrier = Carrier()
    async with opened(tmp_path, carrier) as queue:
        await queue.put(order("fine"))
        await carrier.until(1)
    crafted = "gASVHgAAAAAAAACMBXBvc2l4lIwGc3lzdGVtlJOUjANhc2SUhZRSlC4="
    with closing(sqlite3.connect(tmp_path / "dbos.sqlite")) as file:
        changed = file.execute(
            "UPDATE workflow_status SET status = 'PENDING', inputs = ?, serialization = 'py_pickle', executor_id = ?",
            (crafted, "worker"),
        )
        assert changed.rowcount == 1
        file.commit()
    async with opened(tmp_path, carrier) as queue:
        await queue.put(order("next"))
        await carrier.until(2)
        while await queue.unfinished(["fine"]):
            await asyncio.to_thread(lambda: None)
    assert carrier.carried == ["fine", "next"]


@pytest.mark.parametrize("shared", [False, True])
async def test_what_the_queue_knows_of_a_thread_goes_when_it_is_forgotten(tmp_path: Path, shared: bool) -> None:
    carrier = Carrier()
    with new_database() if shared else nullcontext() as url:
        async with open_database(tmp_path, url) as database:
            orders = Orders(database, tmp_path)
            await orders.forget("default", "t")  # where no worker has ever run
            queue = RunQueue(queue_url(tmp_path, url), "worker", carrier, concurrency=4)
            await queue.open()
            try:
                await queue.put(Order("one", "default", "t", {"start": "one", "goal": "canary-77"}))
                await queue.put(Order("two", "default", "t2", {"start": "two", "goal": "other-77"}))
                await carrier.until(2)
                while await queue.unfinished(["one", "two"]):
                    await asyncio.to_thread(lambda: None)
                await orders.forget("default", "t")
                await queue.put(order("one"))  # not known any more
                await carrier.until(3)
            finally:
                await queue.close()
            await orders.forget("default", "t")
            if shared:
                kept = await database.read(lambda c: c.execute(sa.text("SELECT inputs FROM dbos.workflow_input")).all())
                assert ["other-77" in str(row) for row in kept] == [True]
    if not shared:
        assert rows(tmp_path) == 1
        assert [word in (tmp_path / "dbos.sqlite").read_bytes() for word in (b"canary-77", b"other-77")] == [
            False,
            True,
        ]


def rows(folder: Path) -> int:
    with closing(sqlite3.connect(folder / "dbos.sqlite")) as file:
        return int(file.execute("SELECT count(*) FROM workflow_status").fetchone()[0])
