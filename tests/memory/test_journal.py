import pytest

from domain.errors import InvalidWorkspace
from memory.journal import Journal
from tests.memory.conftest import House


async def test_a_client_rejoins_after_a_number(house: House) -> None:
    journal = Journal(house.records)
    assert [await journal.append("acme", "t1", {"n": n}) for n in range(3)] == [1, 2, 3]
    assert await journal.read("acme", "t1", after=2) == [(3, {"n": 2})]


async def test_threads_and_workspaces_are_apart(house: House) -> None:
    journal = Journal(house.records)
    await journal.append("acme", "t1", {"n": 1})
    assert await journal.read("acme", "t2") == await journal.read("other", "t1") == []


async def test_forget_leaves_no_trace_of_a_thread(house: House) -> None:
    journal = Journal(house.records)
    await journal.append("acme", "t1", {"text": "canary-9d41"})
    await journal.forget("acme", "t1")
    assert b"canary-9d41" not in house.bytes_of_files()


async def test_a_workspace_name_cannot_reach_another_ones_log(house: House) -> None:
    with pytest.raises(InvalidWorkspace):
        await Journal(house.records).read("acme:t1", "x")
