"""The front desk: the questions of a data folder, also while another process holds the folder.

It opens the records and the database, which several processes may, and neither the index nor the checkpoints: it takes
decisions, and carries nothing out.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from memory.audit import Audit
from memory.friction import Friction
from memory.home import created
from memory.records import Records
from memory.redis import RedisRecords
from memory.sqlite import SqliteRecords
from understudy.durable.belonging import Belonging
from understudy.durable.clock import SteadyClock
from understudy.durable.database import Database, open_database
from understudy.durable.desk import Desk
from understudy.inbox import Inbox
from understudy.known_secrets import known_secrets
from understudy.notices.outbox import Outbox
from understudy.settings import Settings


@dataclass(frozen=True)
class FrontDesk(Inbox):
    """What is open at the front desk. Open it with `open_front_desk`."""

    settings: Settings
    clock: Callable[[], float]
    records: Records
    database: Database
    outbox: Outbox
    friction: Friction
    desk: Desk
    audit: Audit

    def _at(self) -> Desk:
        return self.desk


@asynccontextmanager
async def open_front_desk(settings: Settings) -> AsyncIterator[FrontDesk]:
    """Open the front desk of the data folder that the settings name; waiting notices are delivered at its end.

    Raises:
        StorageError: The records or the database cannot be used.
    """
    folder = await asyncio.to_thread(created, settings.home)
    clock, secrets = await asyncio.to_thread(SteadyClock, folder), known_secrets(settings)
    records = await _records(settings, folder, clock)
    try:
        async with open_database(folder, settings.database_url) as database:
            await Belonging(database, records).look()
            audit, friction = Audit(records, clock, secrets=secrets), Friction(records, clock=clock)
            outbox = Outbox(
                database, settings.notify, clock=clock, audit=audit, friction=friction, secrets=secrets
            )  # fmt: skip
            desk = Desk(database, clock, notify=outbox, audit=audit, command="understudy", friction=friction)
            yield FrontDesk(settings, clock, records, database, outbox, friction, desk, audit)
            await outbox.deliver_left()
    finally:
        await records.close()


async def _records(settings: Settings, folder: Path, clock: Callable[[], float]) -> Records:
    """Return the records without the queue on disk that stands before Redis: that belongs to who holds the folder."""
    if settings.redis_url is None:
        return await SqliteRecords.open(folder / "records.sqlite", clock=clock)
    return RedisRecords.open(settings.redis_url, clock=clock)
