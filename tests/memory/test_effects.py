import asyncio
from typing import Any

import pytest

from domain.errors import EffectUnknown, PathNotAllowed, ToolTimeout
from memory.effects import EffectLedger, effect_key
from tests.memory.conftest import House, OpenHouse

CALL: dict[str, Any] = {"thread": "t", "run": "r", "step": "s", "tool": "write_file", "args": {"name": "a", "n": 1}}
KEY = effect_key(**CALL)


@pytest.fixture
def ledger(house: House) -> EffectLedger:
    return EffectLedger(house.records)


class Effect:
    """Counts how often it happens."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.happened = 0
        self.error = error

    async def __call__(self) -> dict[str, Any]:
        self.happened += 1
        if self.error:
            raise self.error
        return {"written": self.happened}


def test_the_key_does_not_depend_on_the_order_of_arguments() -> None:
    assert effect_key(**CALL | {"args": {"n": 1, "name": "a"}}) == KEY


@pytest.mark.parametrize("part", ["thread", "run", "step", "tool", "args"])
def test_the_key_depends_on_every_part(part: str) -> None:
    assert effect_key(**CALL | {part: {"other": 1} if part == "args" else "other"}) != KEY


async def test_an_effect_happens_once(ledger: EffectLedger) -> None:
    act = Effect()
    assert await ledger.once("acme", KEY, act) == ({"written": 1}, False)
    assert await ledger.once("acme", KEY, act) == ({"written": 1}, True)
    assert act.happened == 1


async def test_of_many_claimants_one_acts(ledger: EffectLedger) -> None:
    claims = await asyncio.gather(*(ledger.claim("acme", KEY, "write a") for _ in range(10)))
    assert sorted(claim.state for claim in claims) == ["new"] + ["unknown"] * 9


async def test_a_tool_that_changed_nothing_may_try_again(ledger: EffectLedger) -> None:
    with pytest.raises(PathNotAllowed):
        await ledger.once("acme", KEY, Effect(PathNotAllowed("no")))
    assert (await ledger.once("acme", KEY, Effect())).replayed is False


@pytest.mark.parametrize(
    "error", [OSError("cut"), asyncio.CancelledError(), ToolTimeout("late")], ids=["error", "cancelled", "time-out"]
)
async def test_an_effect_that_broke_off_is_not_repeated(ledger: EffectLedger, error: BaseException) -> None:
    with pytest.raises(type(error)):
        await ledger.once("acme", KEY, Effect(error), description="Write a.md")
    act = Effect()
    with pytest.raises(EffectUnknown, match=r"Write a\.md: an earlier attempt began and left no result"):
        await ledger.once("acme", KEY, act)
    assert act.happened == 0


async def test_a_claim_of_an_earlier_process_is_unknown(reopen: OpenHouse) -> None:
    first = await reopen()
    await EffectLedger(first.records, clock=lambda: 5.0).claim("acme", KEY, "Write a.md")
    later = EffectLedger((await reopen()).records)
    assert await later.claim("acme", KEY, "again") == ("unknown", None, "Write a.md", 5.0)
    assert [key for key, _ in await later.unknown("acme")] == [KEY]


async def test_a_person_settles_an_unknown_outcome(ledger: EffectLedger) -> None:
    await ledger.claim("acme", KEY, "Write a.md")
    await ledger.record("acme", KEY, {"written": 1})
    assert (await ledger.once("acme", KEY, Effect())).result == {"written": 1}
    assert await ledger.unknown("acme") == []


async def test_a_result_is_never_replaced_or_released(ledger: EffectLedger) -> None:
    await ledger.once("acme", KEY, Effect())
    with pytest.raises(EffectUnknown, match="the first one is kept"):
        await ledger.record("acme", KEY, {"written": 2})
    await ledger.release("acme", KEY)
    assert (await ledger.claim("acme", KEY, "")).result == {"written": 1}


async def test_workspaces_claim_apart(ledger: EffectLedger) -> None:
    await ledger.claim("acme", KEY, "Write a.md")
    assert (await ledger.claim("other", KEY, "")).state == "new"
    assert await ledger.unknown("third") == []
