import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from domain.errors import InvalidState
from memory.records import Records
from memory.scopes import MAX_BYTES, Scope, ScopedState, Slot, Where
from memory.sqlite import SqliteRecords

DOCS: Slot[list[str]] = Slot("active_documents", "session", list[str])
HERE = Where("acme", "thread:1", "run-1", "step_a")


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def records(tmp_path: Path, clock: Clock) -> AsyncIterator[Records]:
    opened = await SqliteRecords.open(tmp_path / "r.sqlite", clock=clock)
    yield opened
    await opened.close()


@pytest.fixture
def state(records: Records, clock: Clock) -> ScopedState:
    return ScopedState(records, clock=clock)


def holding(folder: Path, words: bytes) -> list[Path]:
    return [file for file in folder.rglob("*") if file.is_file() and words in file.read_bytes()]


def slot(scope: Scope, ttl: float | None = None) -> Slot[str]:
    return Slot("note", scope, str, ttl)


@pytest.mark.parametrize("scope", ["global", "session", "execution", "step"])
async def test_each_scope_is_its_own(state: ScopedState, scope: Scope) -> None:
    await state.set(slot(scope), HERE, "mine")
    assert await state.get(slot(scope), HERE) == "mine"
    others: list[Scope] = [s for s in ("global", "session", "execution", "step") if s != scope]
    for other in others:
        assert await state.get(slot(other), HERE) is None
    assert await state.get(slot(scope), Where("other", "thread:1", "run-1", "step_a")) is None
    assert await state.delete(slot(scope), HERE)
    assert await state.get(slot(scope), HERE) is None


async def test_the_outer_scopes_survive_the_process(state: ScopedState, records: Records, clock: Clock) -> None:
    for scope in ("global", "session", "execution", "step"):
        await state.set(slot(scope), HERE, scope)
    later = ScopedState(records, clock=clock)
    assert [(e.scope, e.owner, e.value) for e in await later.entries("acme")] == [
        ("global", "", "global"), ("session", "thread:1", "session"),
    ]  # fmt: skip


async def test_a_run_that_ends_takes_its_state_with_it(state: ScopedState) -> None:
    for scope in ("session", "execution", "step"):
        await state.set(slot(scope), HERE, scope)
    await state.set(slot("execution"), Where("acme", "thread:1", "run-12"), "of another run")
    state.end("acme", "thread:1", "run-1")
    assert [(e.scope, e.value) for e in await state.entries("acme")] == [
        ("session", "session"), ("execution", "of another run"),
    ]  # fmt: skip


async def test_time_ends_values(state: ScopedState, clock: Clock) -> None:
    await state.set(slot("session", ttl=60), HERE, "soon over")
    await state.set(slot("step", ttl=60), HERE, "soon over")
    clock.now += 59
    assert [e.expires for e in await state.entries("acme")] == [1060.0, 1060.0]
    clock.now += 1
    assert await state.get(slot("session"), HERE) is None
    assert await state.get(slot("step"), HERE) is None
    assert await state.entries("acme") == []


async def test_values_have_the_type_of_their_slot(state: ScopedState) -> None:
    await state.set(DOCS, HERE, ["a.md", "b.csv"])
    assert await state.get(DOCS, HERE) == ["a.md", "b.csv"]
    careless: Any = "a.md"
    with pytest.raises(InvalidState, match="takes a"):
        await state.set(Slot("active_documents", "session", list[int]), HERE, careless)
    with pytest.raises(InvalidState, match="does not hold"):
        await state.get(Slot("active_documents", "session", int), HERE)


async def test_a_value_that_is_too_large_is_refused_and_the_old_one_stays(state: ScopedState) -> None:
    await state.set(slot("session"), HERE, "old")
    with pytest.raises(InvalidState, match="bytes"):
        await state.set(slot("session"), HERE, "x" * MAX_BYTES)
    assert await state.get(slot("session"), HERE) == "old"


async def test_a_scope_needs_its_ids(state: ScopedState) -> None:
    with pytest.raises(InvalidState, match="thread, run"):
        await state.set(slot("execution"), Where("acme", "thread:1"), "lost")
    with pytest.raises(InvalidState, match="name"):
        await state.set(Slot("", "global", str), HERE, "nameless")


async def test_names_cannot_reach_into_other_places(state: ScopedState) -> None:
    await state.set(Slot("session:note", "global", str), HERE, "odd")
    await state.set(slot("session"), Where("acme", "a:b"), "also odd")
    assert [(e.scope, e.owner, e.name) for e in await state.entries("acme")] == [
        ("global", "", "session:note"), ("session", "a:b", "note"),
    ]  # fmt: skip
    assert [e.name for e in await state.entries("acme", thread="a:b")] == ["note"]


async def test_forgetting_a_conversation_forgets_its_state(state: ScopedState, tmp_path: Path) -> None:
    for scope in ("global", "session", "execution"):
        await state.set(slot(scope), HERE, f"{scope} words")
    await state.set(slot("session"), Where("acme", "thread:10"), "stays")
    await state.forget("acme", "thread:1")
    assert [e.value for e in await state.entries("acme")] == ["global words", "stays"]
    assert not holding(tmp_path, b"session words")


async def test_forgetting_a_conversation_called_global_keeps_the_workspaces_own_state(state: ScopedState) -> None:
    there = Where("acme", "global", "run-1")
    for scope in ("global", "session", "execution"):
        await state.set(slot(scope), there, scope)
    await state.forget("acme", "global")
    assert [entry.value for entry in await state.entries("acme")] == ["global"]


@pytest.mark.parametrize("scope", ["session", "execution"])
async def test_of_several_changes_at_once_none_is_lost(state: ScopedState, scope: Scope) -> None:
    words: Slot[list[str]] = Slot("words", scope, list[str])

    async def add(word: str) -> None:
        await state.update(words, HERE, lambda known: [*(known or []), word])

    await asyncio.gather(*(add(str(n)) for n in range(8)))
    found = await state.get(words, HERE)
    assert found is not None and sorted(found) == [str(n) for n in range(8)]
