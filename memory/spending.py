"""What a workspace, or an API key, has consumed today, held against its daily budget; counted for all processes."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from domain.budgets import Amount, Budget, Measure
from domain.errors import LimitReached
from memory.records import Records
from memory.workspaces import checked_workspace

KEPT_SECONDS = 35 * 24 * 3600.0
"""How long a day's counters are kept."""
_MICRO = 1_000_000
"""Counters are whole numbers: dollars and seconds are counted in millionths."""


@dataclass(frozen=True)
class DailyPurse:
    """The daily budget of one workspace, or of one API key wherever it is used; only bounded measures are counted."""

    records: Records
    workspace: str
    budget: Budget
    clock: Callable[[], float] = time.time
    """Unix time in seconds."""
    day: str = ""
    """The day that is charged, in UTC; empty: that of the moment."""
    key: str = ""
    """Id of the API key whose budget it is; empty: it is the workspace's."""

    @property
    def whose(self) -> str:
        """Whose budget it is, in words."""
        return f"key {self.key}" if self.key else f"workspace {self.workspace!r}"

    async def reserve(self, wanted: Amount) -> "DailyPurse":
        """Set an amount aside and return today's purse, with which it is settled even after midnight.

        Raises:
            LimitReached: The day's budget does not allow it; nothing is set aside.
            StorageAway: The counters cannot be reached.
        """
        today = replace(self, day=self._today())
        counted = {measure: self._counted(measure, wanted) for measure in self.budget.bounds}
        taken: list[tuple[Measure, int]] = []
        for measure, limit in self.budget.bounds.items():
            total = await today._add(measure, counted[measure])
            taken.append((measure, counted[measure]))
            if total > limit * _unit(measure) or (measure == "seconds" and total >= limit * _MICRO):
                for each, much in taken:
                    await today._add(each, -much)
                msg = f"{self.whose} may use {limit:g} {measure} a day, and today's are used up"
                raise LimitReached(msg)
        return today

    async def settle(self, reserved: Amount, used: Amount) -> None:
        """Charge what was used in place of what was set aside for it."""
        for measure in self.budget.bounds:
            change = self._counted(measure, used) - self._counted(measure, reserved)
            if change:
                await self._add(measure, change)

    def _counted(self, measure: Measure, amount: Amount) -> int:
        value = amount._asdict()[measure]
        if value is None:
            msg = f"{self.whose} has a budget in dollars, and the price of a model is unknown"
            raise LimitReached(msg)
        return round(float(value) * _unit(measure))

    async def _add(self, measure: Measure, amount: int) -> int:
        whose = f"key_budget:{self.key}" if self.key else f"budget:{checked_workspace(self.workspace)}"
        return await self.records.add(f"{whose}:{self.day or self._today()}:{measure}", amount, ttl=KEPT_SECONDS)

    def _today(self) -> str:
        return datetime.fromtimestamp(self.clock(), tz=UTC).date().isoformat()


@dataclass(frozen=True)
class DailyPurses:
    """Several daily budgets that are charged for the same: what one of them does not allow is taken from none."""

    purses: tuple[DailyPurse, ...]

    async def reserve(self, wanted: Amount) -> "DailyPurses":
        """Set an amount aside in each, and return today's purses.

        Raises:
            LimitReached: The day's budget of one does not allow it; nothing is set aside in any.
            StorageAway: The counters cannot be reached.
        """
        taken: list[DailyPurse] = []
        try:
            for purse in self.purses:
                taken.append(await purse.reserve(wanted))
        except BaseException:
            for each in taken:
                await each.settle(wanted, Amount())
            raise
        return DailyPurses(tuple(taken))

    async def settle(self, reserved: Amount, used: Amount) -> None:
        """Charge each what was used in place of what was set aside for it."""
        for purse in self.purses:
            await purse.settle(reserved, used)


def _unit(measure: Measure) -> int:
    return _MICRO if measure in ("dollars", "seconds") else 1
