import pytest

from domain.budgets import Amount, Budget, Budgets, Price, cost_of
from domain.outcomes import Usage

PRICES = {"openai:a": Price(input=2, output=8)}


def test_the_narrower_bound_counts() -> None:
    wide = Budgets(run=Budget(calls=10, tokens=500), workspace=Budget(dollars=3))
    narrow = wide.within(Budgets(run=Budget(calls=4, seconds=60)))
    assert narrow.run == Budget(calls=4, tokens=500, seconds=60)
    assert (narrow.step, narrow.workspace) == (Budget(), Budget(dollars=3))


def test_the_price_of_tokens() -> None:
    assert cost_of("openai:a", 1_000_000, 500_000, PRICES) == pytest.approx(6.0)
    assert cost_of("openai:b", 1, 1, PRICES) is None


def test_one_unknown_price_makes_the_sum_unknown() -> None:
    known, unknown = Usage(calls=1, dollars=0.5), Usage(calls=1)
    assert (known + known).dollars == 1.0
    assert (known + unknown).dollars is None
    assert (known + Usage()).dollars == 0.5
    assert Amount(dollars=1.0).plus(Amount(dollars=None)).dollars is None
