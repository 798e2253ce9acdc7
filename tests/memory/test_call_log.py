import pytest

from domain.errors import InvalidWorkspace
from memory.call_log import CallLog, LoggedCall
from tests.memory.conftest import Clock, House


async def test_exchanges_are_read_in_the_order_in_which_they_came(house: House, clock: Clock) -> None:
    log = CallLog(house.records, clock=clock)
    long = {"text": "größer \ud800 " * 20_000}
    assert [await log.append("acme", "t1", f"r{n}", "tool", {"n": n}) for n in (1, 2)] == [1, 2]
    await log.append("acme", "t1", "r2", "model", long)
    assert await log.read("acme", "t1") == [
        LoggedCall("r1", clock.now, "tool", {"n": 1}),
        LoggedCall("r2", clock.now, "tool", {"n": 2}),
        LoggedCall("r2", clock.now, "model", long),
    ]
    assert len(house.bytes_of_files()) < 200_000 + 100_000


async def test_threads_and_workspaces_are_apart(house: House, clock: Clock) -> None:
    log = CallLog(house.records, clock=clock)
    await log.append("acme", "t1", "r", "tool", {"n": 1})
    assert await log.read("acme", "t2") == await log.read("other", "t1") == []
    await log.forget("acme", "t1")
    assert await log.read("acme", "t1") == []
    with pytest.raises(InvalidWorkspace):
        await log.read("acme:t1", "x")
