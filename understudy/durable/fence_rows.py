"""The rows of fences, and what is done with them in one transaction."""

import secrets
from collections.abc import Callable, Mapping
from typing import NamedTuple

import sqlalchemy as sa

from understudy.durable.database import TABLES

FREE = ""
"""Holder of a fence that was given back."""
FENCES = sa.Table(
    "fences", TABLES,
    sa.Column("thread", sa.Text, primary_key=True),
    sa.Column("token", sa.BigInteger, nullable=False),
    sa.Column("holder", sa.Text, nullable=False),
    sa.Column("until", sa.Double, nullable=False),
)  # fmt: skip
Row = sa.Row[tuple[str, int, str, float]]


class Holder(NamedTuple):
    """A process that takes fences."""

    home: str
    """Identity of its data folder, which one process at a time has."""
    process: str
    """Differs for every start."""

    @classmethod
    def of(cls, home: str) -> "Holder":
        """Return this process as the holder that has the data folder of this identity."""
        return cls(home, secrets.token_hex(8))

    def __str__(self) -> str:
        """Return how it is stored."""
        return f"{self.home}/{self.process}"


class Lapsed(NamedTuple):
    """A thread whose advancing process is gone."""

    thread: str
    token: int


class FenceRows:
    """The rows as one process sees them."""

    def __init__(self, holder: Holder, clock: Callable[[], float], ttl: float) -> None:
        self._holder, self._clock, self._ttl = holder, clock, ttl

    def take(self, connection: sa.Connection, thread: str) -> int | None:
        """Take a fence and return its token, or None where another process has it."""
        query = sa.select(FENCES).where(FENCES.c.thread == thread)
        row = connection.execute(query.with_for_update()).one_or_none()
        until, holder = self._now(connection) + self._ttl, str(self._holder)
        if row is None:
            return _inserted(connection, thread, holder, until)
        if not self._could_take(connection, row):
            self._limit(connection)
            return None
        token = int(row.token) + 1
        connection.execute(
            sa.update(FENCES).where(FENCES.c.thread == thread).values(token=token, holder=holder, until=until)
        )
        return token

    def is_free(self, connection: sa.Connection, thread: str) -> bool:
        """Return whether a fence could be taken now."""
        row = connection.execute(sa.select(FENCES).where(FENCES.c.thread == thread)).one_or_none()
        return row is None or self._could_take(connection, row)

    def renew(self, connection: sa.Connection, wanted: Mapping[str, int]) -> set[str]:
        """Renew fences of this process, by thread with their tokens, and return which are still its own."""
        until = self._now(connection) + self._ttl
        renewed = set[str]()
        for thread, token in sorted(wanted.items()):  # always in one order, so that two renewals cannot lock each other
            ours = sa.and_(FENCES.c.thread == thread, FENCES.c.token == token, FENCES.c.holder == str(self._holder))
            if connection.execute(sa.update(FENCES).where(ours).values(until=until)).rowcount:
                renewed.add(thread)
        return renewed

    def lapsed(self, connection: sa.Connection, limit: int) -> list[Lapsed]:
        """Return the fences of processes that are gone, the longest gone first."""
        self._limit(connection)
        earlier = sa.and_(
            FENCES.c.holder.startswith(f"{self._holder.home}/", autoescape=True), FENCES.c.holder != str(self._holder)
        )
        gone = sa.or_(FENCES.c.until <= self._now(connection), earlier)
        query = sa.select(FENCES.c.thread, FENCES.c.token).where(FENCES.c.holder != FREE, gone)
        return [Lapsed(*row) for row in connection.execute(query.order_by(FENCES.c.until).limit(limit))]

    def _could_take(self, connection: sa.Connection, row: Row) -> bool:
        if row.holder == FREE or row.until <= self._now(connection):
            return True
        home, _, process = str(row.holder).rpartition("/")
        return home == self._holder.home and process != self._holder.process

    def _limit(self, connection: sa.Connection) -> None:
        """Let no fence last longer from now on than it may, though the clock was set back."""
        latest = self._now(connection) + self._ttl
        connection.execute(sa.update(FENCES).where(FENCES.c.until > latest).values(until=latest))

    def _now(self, connection: sa.Connection) -> float:
        return now(connection, self._clock)


def free(connection: sa.Connection, thread: str, token: int) -> None:
    """Free a fence, unless somebody has taken it since."""
    ours = sa.and_(FENCES.c.thread == thread, FENCES.c.token == token)
    connection.execute(sa.update(FENCES).where(ours).values(holder=FREE, until=0.0))


def delete(connection: sa.Connection, thread: str) -> None:
    """Delete the fence of a thread that is gone for good."""
    connection.execute(sa.delete(FENCES).where(FENCES.c.thread == thread))


def now(connection: sa.Connection, clock: Callable[[], float]) -> float:
    """Return Unix time in seconds: of the database's server where there is one, since machines disagree."""
    if connection.dialect.name != "postgresql":
        return clock()
    return float(connection.exec_driver_sql("SELECT extract(epoch FROM clock_timestamp())::float8").scalar_one())


def _inserted(connection: sa.Connection, thread: str, holder: str, until: float) -> int | None:
    """Insert the first fence of a thread; None where somebody else did so at the same moment."""
    values = {"thread": thread, "token": 1, "holder": holder, "until": until}
    taken = "INSERT INTO fences (thread, token, holder, until) VALUES (:thread, :token, :holder, :until)"
    return 1 if connection.execute(sa.text(f"{taken} ON CONFLICT DO NOTHING"), values).rowcount else None
