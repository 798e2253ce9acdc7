"""What the ledger promises, on every adapter of the records."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from domain.effects import EffectCall, KeptEffect
from domain.errors import EffectUndone, EffectUnknown, PathNotAllowed, ToolTimeout
from memory.effects import FIRST_RESULT, EffectLedger, effect_key, undo_key
from memory.queued import QueuedRecords
from memory.records import Records
from memory.redis import RedisRecords
from memory.sqlite import SqliteRecords
from tests.redis_server import RedisServer

CALL: dict[str, Any] = {"thread": "t", "run": "r", "step": "s", "tool": "write_file", "args": {"name": "a", "n": 1}}
KEY = effect_key(**CALL)
WRITE = EffectCall(run="r", step="s", tool="write_file", args={"name": "a", "n": 1}, description="Write a.md")


async def opened(kind: str, request: pytest.FixtureRequest, folder: Path) -> Records:
    if kind == "sqlite":
        return await SqliteRecords.open(folder / "records.db")
    server: RedisServer = request.getfixturevalue("shared_redis")
    await server.empty()
    redis = RedisRecords.open(server.url)
    if kind == "redis":
        return redis
    return await QueuedRecords.open(redis, folder / "outbox.db", merges=[FIRST_RESULT])


@pytest.fixture(params=["sqlite", "redis", "queued"])
async def records(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Records]:
    records = await opened(request.param, request, tmp_path)
    yield records
    await records.close()


@pytest.fixture
def ledger(records: Records) -> EffectLedger:
    return EffectLedger(records)


class Act:
    """Counts how often it happens."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.happened = 0
        self.error = error

    async def __call__(self) -> dict[str, Any]:
        self.happened += 1
        if self.error:
            raise self.error
        return {"written": self.happened}


async def kept(ledger: EffectLedger, key: str = KEY) -> KeptEffect:
    effect = await ledger.get("acme", key)
    assert effect is not None
    return effect


def test_the_key_does_not_depend_on_the_order_of_arguments() -> None:
    assert effect_key(**CALL | {"args": {"n": 1, "name": "a"}}) == KEY


@pytest.mark.parametrize("part", ["thread", "run", "step", "tool", "args"])
def test_the_key_depends_on_every_part(part: str) -> None:
    assert effect_key(**CALL | {part: {"other": 1} if part == "args" else "other"}) != KEY


async def test_an_effect_happens_once(ledger: EffectLedger) -> None:
    act = Act()
    assert await ledger.once("acme", KEY, WRITE, act) == ({"written": 1}, False)
    assert await ledger.once("acme", KEY, WRITE, act) == ({"written": 1}, True)
    assert act.happened == 1


async def test_of_many_claimants_one_acts(ledger: EffectLedger) -> None:
    claims = await asyncio.gather(*(ledger.claim("acme", KEY, WRITE) for _ in range(10)))
    assert sum(claim is not None for claim in claims) == 1


async def test_a_tool_that_changed_nothing_may_try_again(ledger: EffectLedger) -> None:
    with pytest.raises(PathNotAllowed):
        await ledger.once("acme", KEY, WRITE, Act(PathNotAllowed("no")))
    assert (await ledger.once("acme", KEY, WRITE, Act())).replayed is False


@pytest.mark.parametrize(
    "error", [OSError("cut"), asyncio.CancelledError(), ToolTimeout("late")], ids=["error", "cancelled", "time-out"]
)
async def test_an_effect_that_broke_off_is_not_repeated(ledger: EffectLedger, error: BaseException) -> None:
    with pytest.raises(type(error)):
        await ledger.once("acme", KEY, WRITE, Act(error))
    act = Act()
    with pytest.raises(EffectUnknown, match=r"Write a\.md: an earlier attempt began and left no result"):
        await ledger.once("acme", KEY, WRITE, act)
    assert act.happened == 0
    assert [effect.key for effect in await ledger.unknown("acme")] == [KEY]


async def test_somebody_settles_an_unknown_outcome(ledger: EffectLedger) -> None:
    await ledger.claim("acme", KEY, WRITE)
    await ledger.record("acme", KEY, {"written": 1})
    assert (await ledger.once("acme", KEY, WRITE, Act())).result == {"written": 1}
    assert await ledger.unknown("acme") == []


async def test_what_did_not_happen_is_tried_again_by_one(ledger: EffectLedger) -> None:
    lost = await ledger.claim("acme", KEY, WRITE)
    act = Act()
    await ledger.once("acme", KEY, WRITE, act, instead=lost)
    assert (await ledger.once("acme", KEY, WRITE, act, instead=lost)).replayed is True
    assert act.happened == 1


async def test_a_result_is_never_replaced_or_released(ledger: EffectLedger) -> None:
    claim = await ledger.claim("acme", KEY, WRITE)
    assert claim is not None
    await ledger.record("acme", KEY, {"written": 1})
    with pytest.raises(EffectUnknown, match="the first one is kept"):
        await ledger.record("acme", KEY, {"written": 2})
    await ledger.release("acme", claim)
    assert (await kept(ledger)).result == {"written": 1}


async def test_what_was_given_up_can_be_claimed_anew(ledger: EffectLedger) -> None:
    claim = await ledger.claim("acme", KEY, WRITE)
    assert claim is not None
    await ledger.release("acme", claim)
    assert await ledger.claim("acme", KEY, WRITE) is not None


async def test_workspaces_claim_apart(ledger: EffectLedger) -> None:
    await ledger.claim("acme", KEY, WRITE)
    assert await ledger.claim("other", KEY, WRITE) is not None
    assert await ledger.unknown("third") == []


async def test_a_runs_effects_come_in_the_order_of_their_claims(ledger: EffectLedger) -> None:
    first = await ledger.claim("acme", "b", WRITE)
    await ledger.claim("acme", "c", WRITE)
    await ledger.claim("acme", "x", WRITE.model_copy(update={"run": "another"}))
    await ledger.claim("acme", "a", WRITE)
    await ledger.claim("acme", "b", WRITE, instead=first)
    assert [entry.effect.key for entry in await ledger.of_run("acme", "r")] == ["c", "a", "b"]


async def test_an_undone_effect_says_so_and_does_not_replay(ledger: EffectLedger) -> None:
    await ledger.once("acme", KEY, WRITE, Act())
    await ledger.claim("acme", undo_key(KEY), WRITE)
    assert [entry.state for entry in await ledger.of_run("acme", "r")] == ["undo_unknown"]
    await ledger.record("acme", undo_key(KEY), {})
    assert [entry.state for entry in await ledger.of_run("acme", "r")] == ["undone"]
    with pytest.raises(EffectUndone, match="start the task anew"):
        await ledger.once("acme", KEY, WRITE, Act())


async def test_a_forgotten_runs_effects_leave_nothing(ledger: EffectLedger, records: Records) -> None:
    await ledger.once("acme", KEY, WRITE, Act())
    await ledger.once("acme", undo_key(KEY), WRITE, Act())
    await ledger.forget("acme", "r")
    assert await records.scan("effects:") == []
    assert await ledger.of_run("acme", "r") == []


async def test_a_claim_of_an_earlier_process_is_unknown(tmp_path: Path) -> None:
    first = await SqliteRecords.open(tmp_path / "records.db")
    await EffectLedger(first, clock=lambda: 5.0).claim("acme", KEY, WRITE)
    await first.close()
    second = await SqliteRecords.open(tmp_path / "records.db")
    [effect] = await EffectLedger(second).unknown("acme")
    assert (effect.claimed, effect.args) == (5.0, WRITE.args)
    await second.close()


async def test_an_entry_without_the_later_fields_is_still_believed(ledger: EffectLedger, records: Records) -> None:
    await records.put(f"effects:acme:{KEY}", {"state": "done", "result": {"a": 1}, "description": "", "claimed": 1.0})
    assert (await ledger.once("acme", KEY, WRITE, Act())).replayed is True
