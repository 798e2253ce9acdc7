"""What waits in the database that all workers share."""

import sqlalchemy as sa

from understudy.durable.questions import OPEN, QUESTIONS, READY
from understudy.notices.table import NOTICES
from understudy.telemetry.metrics import Backlog
from understudy.wiring import House


async def backlog_of(house: House) -> Backlog:
    """Return what waits now, of all workspaces, and how much does not work.

    Raises:
        StorageError: The database cannot be read now.
    """
    found = await house.database.read(lambda connection: _counted(connection, house.clock()))
    return found._replace(workers=len(await house.workers.living()), degraded=len(await house.degraded()))


def _counted(connection: sa.Connection, now: float) -> Backlog:
    number = sa.func.count()
    waiting, oldest = connection.execute(sa.select(number, sa.func.min(QUESTIONS.c.opened)).where(OPEN)).one()
    ready = connection.execute(sa.select(number).select_from(QUESTIONS).where(READY)).scalar_one()
    unsent = sa.select(number).select_from(NOTICES).where(NOTICES.c.status == "waiting")
    age = max(0.0, now - oldest) if oldest is not None else 0.0
    return Backlog(waiting, age, ready, connection.execute(unsent).scalar_one(), workers=0, degraded=0)
