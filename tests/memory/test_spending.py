import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from domain.budgets import Amount, Budget
from domain.errors import LimitReached
from memory.spending import DailyPurse, DailyPurses
from memory.sqlite import SqliteRecords

DAY = 24 * 3600.0


@pytest.fixture
async def records(tmp_path: Path) -> AsyncIterator[SqliteRecords]:
    opened = await SqliteRecords.open(tmp_path / "records.sqlite")
    yield opened
    await opened.close()


async def test_a_day_has_its_budget_and_the_next_day_a_new_one(records: SqliteRecords) -> None:
    now = [DAY]
    purse = DailyPurse(records, "acme", Budget(calls=2, dollars=1.0), lambda: now[0])
    for _ in range(2):
        await purse.reserve(Amount(1, 10, 0.25))
    with pytest.raises(LimitReached, match="2 calls a day"):
        await purse.reserve(Amount(1, 10, 0.25))
    now[0] = 2 * DAY
    await purse.reserve(Amount(1, 10, 0.25))


async def test_what_was_refused_or_not_used_is_not_counted(records: SqliteRecords) -> None:
    purse = DailyPurse(records, "acme", Budget(tokens=100, dollars=1.0), lambda: DAY)
    await purse.reserve(Amount(1, 90, 0.9))
    with pytest.raises(LimitReached):
        await purse.reserve(Amount(1, 5, 0.2))
    await purse.settle(Amount(1, 90, 0.9), Amount(1, 20, 0.1))
    await purse.reserve(Amount(1, 80, 0.9))


async def test_many_at_once_stay_within_it(records: SqliteRecords) -> None:
    purse = DailyPurse(records, "acme", Budget(calls=3), lambda: DAY)
    tries = await asyncio.gather(*(purse.reserve(Amount(1)) for _ in range(8)), return_exceptions=True)
    assert sum(isinstance(result, DailyPurse) for result in tries) == 3


async def test_workspaces_have_purses_of_their_own(records: SqliteRecords) -> None:
    await DailyPurse(records, "acme", Budget(calls=1), lambda: DAY).reserve(Amount(1))
    await DailyPurse(records, "other", Budget(calls=1), lambda: DAY).reserve(Amount(1))


async def test_dollars_that_nobody_knows_are_refused(records: SqliteRecords) -> None:
    with pytest.raises(LimitReached, match="price"):
        await DailyPurse(records, "acme", Budget(dollars=1.0), lambda: DAY).reserve(Amount(1, 10, None))


async def test_time_at_work_is_counted(records: SqliteRecords) -> None:
    purse = DailyPurse(records, "acme", Budget(seconds=10), lambda: DAY)
    await purse.reserve(Amount(1))
    await purse.settle(Amount(), Amount(seconds=10.0))
    with pytest.raises(LimitReached):
        await purse.reserve(Amount(1))


async def test_a_call_over_midnight_is_settled_with_the_day_that_it_was_reserved_from(records: SqliteRecords) -> None:
    now = [2 * DAY - 1]
    purse = DailyPurse(records, "acme", Budget(calls=4, tokens=100), lambda: now[0])
    reserved = await purse.reserve(Amount(1, 90))
    now[0] = 2 * DAY + 1
    await reserved.settle(Amount(1, 90), Amount(1, 10))
    with pytest.raises(LimitReached, match="100 tokens"):
        await purse.reserve(Amount(1, 101))
    now[0] = 2 * DAY - 1
    await purse.reserve(Amount(1, 90))


async def test_a_call_of_unknown_price_takes_nothing_of_the_other_measures(records: SqliteRecords) -> None:
    purse = DailyPurse(records, "acme", Budget(calls=1, dollars=1.0), lambda: DAY)
    with pytest.raises(LimitReached, match="price"):
        await purse.reserve(Amount(1, 10, None))
    await purse.reserve(Amount(1, 10, 0.5))


async def test_a_key_has_a_budget_of_its_own_wherever_it_is_used(records: SqliteRecords) -> None:
    first = DailyPurse(records, "acme", Budget(calls=2), lambda: DAY, key="k1")
    await first.reserve(Amount(1))
    await DailyPurse(records, "beta", Budget(calls=2), lambda: DAY, key="k1").reserve(Amount(1))
    with pytest.raises(LimitReached, match="key k1 may use 2 calls a day"):
        await first.reserve(Amount(1))
    await DailyPurse(records, "acme", Budget(calls=1), lambda: DAY).reserve(Amount(1))
    await DailyPurse(records, "acme", Budget(calls=1), lambda: DAY, key="k2").reserve(Amount(1))


async def test_what_one_of_several_budgets_does_not_allow_is_taken_from_none(records: SqliteRecords) -> None:
    workspace = DailyPurse(records, "acme", Budget(tokens=100), lambda: DAY)
    key = DailyPurse(records, "acme", Budget(tokens=60), lambda: DAY, key="k1")
    both = DailyPurses((workspace, key))
    reserved = await both.reserve(Amount(1, 50))
    with pytest.raises(LimitReached, match="key k1"):
        await both.reserve(Amount(1, 20))
    await workspace.reserve(Amount(1, 50))
    with pytest.raises(LimitReached, match="workspace 'acme'"):
        await workspace.reserve(Amount(1, 1))
    await reserved.settle(Amount(1, 50), Amount(1, 10))
    await key.reserve(Amount(1, 50))
    await workspace.reserve(Amount(1, 40))
