import pytest

from domain.budgets import Amount, Budget
from domain.errors import LimitReached
from memory.spending import DailyPurse, DailyPurses
from tests.understudy.identity.conftest import House
from understudy.identity.purses import daily_purse

NO_BUDGET = Budget()


Purse = DailyPurse | DailyPurses | None


async def purse_of(house: House, key: str, workspace: str = "acme", budget: Budget = NO_BUDGET) -> Purse:
    records, database, clock = house.audit.records, house.database, house.clock
    return await daily_purse(records, database, clock, workspace=workspace, budget=budget, key=key)


async def test_a_key_is_charged_wherever_it_is_used(on_both: House) -> None:
    made = await on_both.identity.keys.create(
        "ann", {"acme": ["member"], "beta": ["member"]}, budget=Budget(tokens=100), by="root"
    )
    for workspace in ("acme", "beta"):
        there = await purse_of(on_both, made.key.id, workspace)
        assert isinstance(there, DailyPurse)
        await there.reserve(Amount(1, 50))
    purse = await purse_of(on_both, made.key.id)
    assert purse is not None
    with pytest.raises(LimitReached, match=f"key {made.key.id} may use 100 tokens a day"):
        await purse.reserve(Amount(1, 1))
    on_both.clock.now += 86_400
    await purse.reserve(Amount(1, 100))


async def test_a_key_and_its_workspace_are_both_charged(house: House) -> None:
    made = await house.identity.keys.create("ann", {"acme": ["member"]}, budget=Budget(tokens=100), by="root")
    both = await purse_of(house, made.key.id, budget=Budget(tokens=60))
    assert isinstance(both, DailyPurses)
    await both.reserve(Amount(1, 50))
    with pytest.raises(LimitReached, match="workspace 'acme'"):
        await both.reserve(Amount(1, 20))
    alone = await purse_of(house, made.key.id)
    assert isinstance(alone, DailyPurse)
    await alone.reserve(Amount(1, 50))


async def test_nothing_is_counted_where_nothing_is_bounded(house: House) -> None:
    made = await house.identity.keys.create("ann", {"acme": ["member"]}, by="root")
    assert [await purse_of(house, key) for key in (made.key.id, "", "no such key", "\x00")] == [None] * 4
    assert isinstance(await purse_of(house, "", budget=Budget(calls=1)), DailyPurse)
