"""Which workers live: each says so every few seconds, and the work of one that fell silent is taken over."""

import os
import platform
from collections.abc import Callable
from typing import NamedTuple

import sqlalchemy as sa

from understudy.durable.database import TABLES, Database
from understudy.durable.fence_rows import Holder, now
from understudy.migrations.steps import FIRST, LATEST

SILENCE_SECONDS = 15.0
"""After this long without a word a worker counts as gone."""

_WORKERS = sa.Table(
    "workers", TABLES,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("process", sa.Text, nullable=False),
    sa.Column("place", sa.Text, nullable=False),
    sa.Column("until", sa.Double, nullable=False),
    sa.Column("knows", sa.Integer, nullable=False, server_default=sa.text(str(FIRST))),
)  # fmt: skip


class Silent(NamedTuple):
    """A worker that fell silent."""

    id: str
    until: float
    """Unix time until which it had said to live."""


class Living(NamedTuple):
    """A worker that lives."""

    id: str
    place: str
    """Machine and process."""


class Workers:
    """The workers of one database. A worker is known by its data folder, which one process at a time has."""

    def __init__(
        self,
        database: Database,
        holder: Holder,
        clock: Callable[[], float],
        *,
        silence: float = SILENCE_SECONDS,
    ) -> None:
        self._database, self._holder, self._clock, self._silence = database, holder, clock, silence

    @property
    def id(self) -> str:
        """This worker."""
        return self._holder.home

    async def beat(self) -> None:
        """Say that this worker lives."""
        await self._database.write(self._beaten)

    async def leave(self) -> None:
        """Say that this worker ends; what it has left can be taken over at once."""
        mine = sa.and_(_WORKERS.c.id == self.id, _WORKERS.c.process == self._holder.process)
        await self._database.write(lambda c: c.execute(sa.update(_WORKERS).where(mine).values(until=0.0)))

    async def gone(self) -> list[Silent]:
        """Return the other workers that fell silent and whose work nobody has taken over yet."""
        return await self._database.read(self._silent)

    async def bury(self, worker: Silent) -> None:
        """Forget a worker whose work was taken over, unless it has said a word since."""
        same = sa.and_(_WORKERS.c.id == worker.id, _WORKERS.c.until == worker.until)
        await self._database.write(lambda connection: connection.execute(sa.delete(_WORKERS).where(same)))

    async def living(self) -> list[Living]:
        """Return the workers that live."""
        return await self._database.read(self._found)

    def _beaten(self, connection: sa.Connection) -> None:
        values = {
            "process": self._holder.process,
            "place": f"{platform.node()}, process {os.getpid()}",
            "until": self._now(connection) + self._silence,
            "knows": LATEST,
        }
        if not connection.execute(sa.update(_WORKERS).where(_WORKERS.c.id == self.id).values(values)).rowcount:
            connection.execute(sa.insert(_WORKERS).values(id=self.id, **values))

    def _silent(self, connection: sa.Connection) -> list[Silent]:
        time = self._now(connection)
        # One that says to live for longer than anybody may said so before the clock was set back.
        silent = sa.or_(_WORKERS.c.until <= time, _WORKERS.c.until > time + 2 * self._silence)
        query = sa.select(_WORKERS.c.id, _WORKERS.c.until).where(silent, _WORKERS.c.id != self.id)
        return [Silent(*row) for row in connection.execute(query)]

    def _found(self, connection: sa.Connection) -> list[Living]:
        query = sa.select(_WORKERS.c.id, _WORKERS.c.place).where(_WORKERS.c.until > self._now(connection))
        return [Living(*row) for row in connection.execute(query.order_by(_WORKERS.c.place))]

    def _now(self, connection: sa.Connection) -> float:
        return now(connection, self._clock)
