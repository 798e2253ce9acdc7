"""What became of acts of one kind: each once, with the first decision and the last judgement."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from domain.standing import kinds_of
from memory.decision_kinds import KEPT, DecisionKinds, NotedAct, noted_act
from memory.sqlite import SqliteRecords
from tests.memory.conftest import Clock

ARGS = {"to": "ann@x.org", "body": "all is well"}
EXACT, DOMAIN = kinds_of("ada", "send", ARGS)


@pytest.fixture
async def records(tmp_path: Path, clock: Clock) -> AsyncIterator[SqliteRecords]:
    opened = await SqliteRecords.open(tmp_path / "records.db", clock=clock)
    yield opened
    await opened.close()


@pytest.fixture
def kinds(records: SqliteRecords) -> DecisionKinds:
    return DecisionKinds(records)


def act(name: str = "a", time: float = 1.0, **fields: Any) -> NotedAct:
    return noted_act("send", ARGS, id=name, user="ada", time=time, **fields)


async def test_an_act_is_kept_under_each_of_its_kinds(kinds: DecisionKinds) -> None:
    await kinds.note("acme", act(decided="approve", by="ada"), ARGS)
    for kind in (EXACT, DOMAIN):
        [found] = await kinds.of_kind("acme", kind.hash)
        assert found == act(decided="approve", by="ada")
    assert await kinds.of_kind("other", EXACT.hash) == []


async def test_noting_it_again_is_one_act(kinds: DecisionKinds) -> None:
    await kinds.note("acme", act(decided="approve", by="ada"), ARGS)
    for outcome in ("failed", "done", "open", "failed"):
        await kinds.note("acme", act(time=2.0, decided="reject", outcome=outcome), ARGS)
    [found] = await kinds.of_kind("acme", EXACT.hash)
    assert (found.decided, found.by, found.outcome, found.time) == ("approve", "ada", "done", 1.0)
    await kinds.note("acme", act(outcome="complained"), ARGS)
    assert (await kinds.of_kind("acme", EXACT.hash))[0].went_wrong


@pytest.mark.parametrize(
    ("fields", "approved", "wrong"),
    [
        ({"decided": "approve", "by": "ada"}, True, False),
        ({"decided": "approve", "by": "timeout"}, False, False),
        ({"decided": "edit", "by": "ada"}, False, True),
        ({"decided": "reject"}, False, True),
        ({"outcome": "done"}, False, False),
        ({"outcome": "failed"}, False, True),
        ({"decided": "approve", "outcome": "undone"}, True, True),
    ],
)
def test_what_speaks_for_a_kind(fields: dict[str, Any], approved: bool, wrong: bool) -> None:
    assert (act(**fields).approved, act(**fields).went_wrong) == (approved, wrong)


async def test_the_latest_are_kept(kinds: DecisionKinds) -> None:
    for number in range(KEPT + 5):
        await kinds.note("acme", act(f"a{number}", float(number)), ARGS)
    found = await kinds.of_kind("acme", EXACT.hash)
    assert [each.id for each in found] == [f"a{number}" for number in range(KEPT + 4, 4, -1)]


async def test_what_cannot_be_read_speaks_for_nothing(kinds: DecisionKinds, records: SqliteRecords) -> None:
    await kinds.note("acme", act(), ARGS)
    key = f"autonomy:kinds:acme:{EXACT.hash}"
    value = await records.get(key)
    assert value is not None
    await records.put(key, {"acts": [*value["acts"], {"id": "x", "decided": "blessed"}]})
    assert [found.id for found in await kinds.of_kind("acme", EXACT.hash)] == ["a"]


async def test_no_text_of_the_arguments_is_kept(kinds: DecisionKinds, records: SqliteRecords) -> None:
    args = {"to": "ann@x.org", "body": "the quick brown fox " * 10}
    await kinds.note("acme", noted_act("send", args, id="a", user="ada", time=1.0), args)
    assert "brown" not in str(await records.scan("autonomy:"))


async def test_what_a_run_did_can_be_forgotten(kinds: DecisionKinds) -> None:
    for run in ("r1", "r2"):
        await kinds.note("acme", act(run, run=run), ARGS)
    await kinds.forget_runs("acme", ["r1"])
    assert [found.id for found in await kinds.of_kind("acme", EXACT.hash)] == ["r2"]
    await kinds.forget_runs("acme", ["r2"])
    assert await kinds.all("acme") == {}
