import pytest

from domain.errors import InvalidWorkspace
from memory import reindexing
from memory.reindexing import reindex
from tests.memory.conftest import House, success


class Broken(Exception):
    pass


async def filled(house: House, tasks: int = 5) -> None:
    for number in range(tasks):
        await house.tasks.remember(success(f"goal number {number}", "content"))


async def test_a_lost_index_is_built_anew(house: House) -> None:
    await filled(house)
    await house.index.delete("acme", sorted(await house.index.ids("acme")))
    told: list[tuple[int, int]] = []
    assert await reindex(house.records, house.tasks, house.index, "acme", lambda *at: told.append(at)) == 5
    assert len(await house.index.ids("acme")) == 5
    assert (told[0], told[-1]) == ((0, 5), (5, 5))


async def test_strangers_leave_the_index(house: House) -> None:
    await filled(house)
    await house.index.add("acme", ["stranger"], house.index.encoder.encode(["x"]))
    await reindex(house.records, house.tasks, house.index, "acme", lambda *_: None)
    assert "stranger" not in await house.index.ids("acme")


async def test_it_goes_on_where_it_was_broken_off(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    await filled(house)
    monkeypatch.setattr(reindexing, "BATCH", 2)

    def breaks(done: int, _: int) -> None:
        if done == 2:
            raise Broken

    with pytest.raises(Broken):
        await reindex(house.records, house.tasks, house.index, "acme", breaks)
    told: list[int] = []
    await reindex(house.records, house.tasks, house.index, "acme", lambda done, _: told.append(done))
    assert told == [2, 4, 5]
    assert await house.records.scan("memory:reindex:") == []


async def test_a_workspace_is_wanted(house: House) -> None:
    with pytest.raises(InvalidWorkspace):
        await reindex(house.records, house.tasks, house.index, "a:b", lambda *_: None)
