"""Spending: what a model call may consume is reserved before it is made, and settled when it is over.

Whoever starts work opens `spending(...)` around it; every model call made from there, in whatever task, is charged to
its purses.
"""

import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple, Protocol

from domain.budgets import Amount, Budget, Prices, cost_of
from domain.errors import LimitReached
from domain.outcomes import Usage

EXPECTED_OUTPUT = 500
"""Tokens that a call is expected to answer with, before it is known."""


class Purse(Protocol):
    """Something that is charged for model calls."""

    async def reserve(self, wanted: Amount) -> "Purse":
        """Set an amount aside and return the purse to settle it with, or raise `LimitReached` and set nothing aside."""

    async def settle(self, reserved: Amount, used: Amount) -> None:
        """Charge what was used in place of what was set aside for it."""


def check(whose: str, budget: Budget, spent: Amount, wanted: Amount) -> None:
    """Raise `LimitReached` when a budget does not allow what is wanted beside what is spent."""
    after = spent.plus(wanted)._asdict()
    for measure, limit in budget.bounds.items():
        total = after[measure]
        if total is None:
            msg = f"the {whose} may spend {limit:g} dollars, and the price of a model that it calls is unknown"
            raise LimitReached(msg)
        if total > limit:
            msg = f"the {whose} may use {limit:g} {measure}, and that is not enough for the next model call"
            raise LimitReached(msg)


@dataclass
class Account:
    """What one run or one step has consumed and set aside, held against its budget."""

    whose: str
    budget: Budget
    spent: Amount = Amount()
    clock: Callable[[], float] = time.monotonic
    """Seconds; the account counts its own time from the moment it is made."""
    _began: float = field(init=False)

    def __post_init__(self) -> None:
        self._began = self.clock()

    @property
    def seconds(self) -> float:
        """The time at work so far."""
        return self.spent.seconds + self.clock() - self._began

    def seconds_left(self) -> float | None:
        """Return the time that is left, or None where it is not bounded; raise `LimitReached` when there is none."""
        if self.budget.seconds is None:
            return None
        left = self.budget.seconds - self.seconds
        if left <= 0:
            msg = f"the {self.whose} may work for {self.budget.seconds:g} seconds, and they are over"
            raise LimitReached(msg)
        return left

    async def reserve(self, wanted: Amount) -> "Account":
        """Set an amount aside, or raise `LimitReached`."""
        self.seconds_left()
        check(self.whose, self.budget, self.spent._replace(seconds=0.0), wanted)
        self.spent = self.spent.plus(wanted)
        return self

    async def settle(self, reserved: Amount, used: Amount) -> None:
        """Charge what was used in place of what was set aside for it."""
        self.spent = self.spent.plus(reserved, -1).plus(used)


class Spending(NamedTuple):
    """Who is charged for the model calls made here, and at which prices."""

    purses: tuple[Purse, ...] = ()
    prices: Prices = MappingProxyType({})


_SPENDING: ContextVar[Spending | None] = ContextVar("spending", default=None)


@contextmanager
def spending(purses: Sequence[Purse], prices: Prices) -> Iterator[None]:
    """Charge the model calls of this block, and of the tasks that it starts, to these purses."""
    token = _SPENDING.set(Spending(tuple(purses), prices))
    try:
        yield
    finally:
        _SPENDING.reset(token)


@dataclass
class Call:
    """One model call and what it consumes."""

    model: str
    prices: Prices
    expected_input: int
    """Tokens, estimated."""
    used: Amount = field(init=False)
    """What is charged for it; the estimate until the answer tells better."""

    def __post_init__(self) -> None:
        self.used = self.amount(self.expected_input, EXPECTED_OUTPUT)

    def amount(self, input_tokens: int, output_tokens: int) -> Amount:
        """Return one call with these tokens."""
        return Amount(1, input_tokens + output_tokens, cost_of(self.model, input_tokens, output_tokens, self.prices))

    def answered(self, usage: Usage) -> Usage:
        """Take what the answer says it used, and return it with its price."""
        self.used = self.amount(usage.input_tokens, usage.output_tokens)
        return usage.model_copy(update={"dollars": self.used.dollars})


@asynccontextmanager
async def charged(model: str, expected_input: Callable[[], int]) -> AsyncIterator[Call]:
    """Reserve a model call from every purse, and settle it when the block ends, however it ends.

    Args:
        model: `provider:name`.
        expected_input: Estimates the tokens that are sent; asked only where somebody is charged.

    Raises:
        LimitReached: A budget does not allow it; the call is not made.
    """
    purses, prices = _SPENDING.get() or Spending()
    call = Call(model, prices, expected_input() if purses else 0)
    reserved, holding = call.used, list[Purse]()
    try:
        for purse in purses:
            holding.append(await purse.reserve(reserved))
    except BaseException:
        for purse in holding:
            await purse.settle(reserved, Amount())
        raise
    try:
        yield call
    finally:
        for purse in holding:
            await purse.settle(reserved, call.used)
