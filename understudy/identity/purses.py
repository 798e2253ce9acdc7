"""What a run's model calls are charged to: the day's budget of the workspace, and that of the key that asks."""

from collections.abc import Callable

from domain.budgets import Budget
from memory.records import Records
from memory.spending import DailyPurse, DailyPurses
from understudy.durable.database import Database
from understudy.identity.key_rows import budget_of


async def daily_purse(
    records: Records, database: Database, clock: Callable[[], float], *, workspace: str, budget: Budget, key: str
) -> DailyPurse | DailyPurses | None:
    """Return the purse of today, or None where nothing is bounded and so nothing is counted.

    Args:
        records: Where it is counted, for all processes.
        database: Where the keys are.
        clock: Returns unix time in seconds.
        workspace: In which the run is.
        budget: That of the workspace.
        key: Id of the API key that the run was started with; empty: none was.
    """
    of_key = await database.read(lambda connection: budget_of(connection, key)) if key else Budget()
    purses = [DailyPurse(records, workspace, budget, clock)] if budget.bounds else []
    if of_key.bounds:
        purses.append(DailyPurse(records, workspace, of_key, clock, key=key))
    return DailyPurses(tuple(purses)) if len(purses) > 1 else next(iter(purses), None)
