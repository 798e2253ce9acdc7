import asyncio

import pytest

from domain.decisions import ActKind, PastDecision
from memory.decisions import KEPT, Decisions
from tests.memory.conftest import House

KIND = ActKind(tool="send", scope="a@x.example")
OTHER = ActKind(tool="send", scope="b@x.example")


def decided(name: str, time: float = 1.0, kind: ActKind = KIND, run: str = "r", step: str = "s") -> PastDecision:
    return PastDecision(id=name, kind=kind, type="approve", by="ada", time=time, run=run, step=step)


@pytest.fixture
def decisions(house: House) -> Decisions:
    return Decisions(house.records)


async def test_the_same_decision_noted_twice_is_one(decisions: Decisions) -> None:
    await decisions.note("acme", decided("1"))
    await decisions.note_outcome("acme", decided("1"), "done")
    await decisions.note("acme", decided("1"))
    assert [(d.id, d.outcome) for d in await decisions.of_kind("acme", KIND)] == [("1", "done")]


async def test_the_like_comes_first_and_the_latest_of_it(decisions: Decisions) -> None:
    await decisions.note("acme", decided("old", 1))
    await decisions.note("acme", decided("new", 2))
    await decisions.note("acme", decided("elsewhere", 3, OTHER))
    await decisions.note("acme", decided("another tool", 4, ActKind(tool="save", scope=KIND.scope)))
    assert [d.id for d in await decisions.similar("acme", KIND)] == ["new", "old", "elsewhere"]
    assert [d.id for d in await decisions.similar("acme", KIND, limit=1)] == ["new"]
    assert await decisions.similar("other", KIND) == []


async def test_only_the_latest_of_a_kind_are_kept(decisions: Decisions) -> None:
    for number in range(KEPT + 5):
        await decisions.note("acme", decided(f"{number}", float(number)))
    kept = await decisions.of_kind("acme", KIND)
    assert (len(kept), kept[0].id, kept[-1].id) == (KEPT, str(KEPT + 4), "5")


async def test_decisions_noted_at_once_are_all_kept(decisions: Decisions) -> None:
    await asyncio.gather(*(decisions.note("acme", decided(f"{n}", float(n))) for n in range(20)))
    assert len(await decisions.of_kind("acme", KIND)) == 20


async def test_what_was_done_and_undone_says_so(decisions: Decisions) -> None:
    for step in ("s", "t"):
        await decisions.note_outcome("acme", decided(step, step=step), "done")
    await decisions.undone("acme", "r", ["s"])
    assert {d.step: d.outcome for d in await decisions.all("acme")} == {"s": "undone", "t": "done"}


async def test_a_forgotten_run_leaves_no_decision(decisions: Decisions, house: House) -> None:
    await decisions.note("acme", decided("1", run="gone", kind=OTHER))
    await decisions.note("acme", decided("2", run="gone"))
    await decisions.note("acme", decided("3", run="stays"))
    await decisions.forget("acme", ["gone"])
    assert [d.id for d in await decisions.all("acme")] == ["3"]
    await house.close()
    assert b"b@x.example" not in house.bytes_of_files()


async def test_an_entry_that_cannot_be_read_speaks_for_nothing(decisions: Decisions, house: House) -> None:
    await decisions.note("acme", decided("1"))
    [(key, value)] = await house.records.scan("memory:decisions:acme:")
    await house.records.put(key, {"decisions": [*value["decisions"], {"id": "2", "time": 3, "type": "wave"}]})
    assert [d.id for d in await decisions.of_kind("acme", KIND)] == ["1"]
