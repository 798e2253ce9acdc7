import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from langchain_core.messages import HumanMessage

from agents.budget import Account, charged, spending
from domain.budgets import Amount, Budget, Price
from domain.errors import LimitReached, ModelError
from domain.events import ModelCalled

PRICES = {"openai:lead": Price(input=1.0, output=10.0)}
Opened = Callable[..., Any]


async def call(stage: Any) -> ModelCalled:
    await stage.model.call([HumanMessage("hi")], role="r", emit=stage.events.append)
    event: ModelCalled = stage.events[-1]
    return event


async def test_a_call_is_charged_with_what_it_used_and_at_its_price(stage: Opened) -> None:
    on, account = stage({"content": "Hello.", "usage": [3000, 100]}), Account("run", Budget())
    with spending([account], PRICES):
        event = await call(on)
    assert event.dollars == pytest.approx(0.004)
    assert account.spent[:2] == (1, 3100)
    assert account.spent.dollars == pytest.approx(0.004)


async def test_an_unknown_price_is_said_and_not_zero(stage: Opened) -> None:
    on = stage({"content": "Hello."})
    with spending([Account("run", Budget())], {}):
        assert (await call(on)).dollars is None


@pytest.mark.parametrize(
    "budget", [Budget(calls=1), Budget(tokens=600), Budget(dollars=0.006)], ids=["calls", "tokens", "dollars"]
)
async def test_a_call_that_a_budget_does_not_allow_is_not_made(stage: Opened, budget: Budget) -> None:
    on, account = stage({"content": "One.", "usage": [500, 100]}), Account("run", budget)
    with spending([account], PRICES):
        on_first = await call(on)
        with pytest.raises(LimitReached, match="the run may"):
            await call(on)
    assert on_first.failure is None
    assert (len(on.sent()), account.spent.calls) == (1, 1)


async def test_dollars_that_are_bounded_need_a_known_price(stage: Opened) -> None:
    on = stage()
    with spending([Account("run", Budget(dollars=5))], {}), pytest.raises(LimitReached, match="price"):
        await call(on)
    assert on.sent() == []


async def test_what_one_purse_refuses_is_given_back_to_the_others(stage: Opened) -> None:
    rich, poor = Account("run", Budget(calls=9)), Account("step", Budget(calls=0))
    with spending([rich, poor], {}), pytest.raises(LimitReached):
        await call(stage())
    assert rich.spent.calls == 0


async def test_calls_side_by_side_do_not_go_over_the_limit() -> None:
    account, going = Account("run", Budget(calls=2)), asyncio.Event()

    async def one() -> None:
        async with charged("openai:lead", lambda: 10):
            await going.wait()

    with spending([account], {}):
        calls = [asyncio.create_task(one()) for _ in range(5)]
        refused, _ = await asyncio.wait(calls, return_when=asyncio.FIRST_EXCEPTION)
        going.set()
        ended = await asyncio.gather(*calls, return_exceptions=True)
    assert refused
    assert [type(each) for each in ended] == [type(None)] * 2 + [LimitReached] * 3


async def test_a_call_that_failed_costs_a_call_and_no_tokens(stage: Opened) -> None:
    on, account = stage({"status": 400, "body": {}}), Account("run", Budget(calls=9))
    with spending([account], PRICES), pytest.raises(ModelError):
        await call(on)
    assert account.spent == Amount(calls=1)


def test_seconds_run_out() -> None:
    now = [0.0]
    account = Account("run", Budget(seconds=10), Amount(seconds=4), clock=lambda: now[0])
    now[0] = 5.0
    assert account.seconds_left() == 1.0
    now[0] = 6.0
    with pytest.raises(LimitReached, match="10 seconds"):
        account.seconds_left()
