import asyncio
import threading
from collections.abc import Iterator

import pytest

from memory.worker import Worker


@pytest.fixture
def worker() -> Iterator[Worker]:
    worker = Worker("test-worker")
    yield worker
    worker.close()


async def test_work_is_done_in_order_in_one_thread(worker: Worker) -> None:
    done: list[int] = []
    await asyncio.gather(*(worker.done(lambda n=n: done.append(n)) for n in range(50)))  # type: ignore[misc]
    names = await asyncio.gather(*(worker.done(lambda: threading.current_thread().name) for _ in range(3)))
    assert (done, set(names)) == (list(range(50)), {"test-worker"})


async def test_what_work_raises_is_raised_and_the_next_is_done(worker: Worker) -> None:
    with pytest.raises(ZeroDivisionError):
        await worker.done(lambda: 1 // 0)
    assert await worker.done(lambda: 1) == 1


async def test_work_that_nobody_waits_for_is_done_all_the_same(worker: Worker) -> None:
    may_go, done = threading.Event(), list[str]()
    first = asyncio.create_task(worker.done(may_go.wait))
    second = asyncio.create_task(worker.done(lambda: done.append("second")))
    await asyncio.sleep(0)
    first.cancel()
    second.cancel()
    await asyncio.wait({first, second})
    may_go.set()
    assert await worker.done(lambda: list(done)) == ["second"]


async def test_a_closed_worker_ends_after_what_it_was_given() -> None:
    worker = Worker("test-ending")
    last = asyncio.create_task(worker.done(lambda: 1))
    await asyncio.sleep(0)
    worker.close()
    assert await last == 1
    with pytest.raises(RuntimeError, match="no work"):
        await worker.done(lambda: 2)
    for thread in threading.enumerate():
        if thread.name == "test-ending":
            await asyncio.to_thread(thread.join, 5)
            assert not thread.is_alive()
