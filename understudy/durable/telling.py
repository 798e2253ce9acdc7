"""What the desk has to tell the audit: kept in the transaction of the change, handed over right after it.

The audit is in the records, which are another storage, so an entry that could not be handed over, because the process
ended or the records are away, waits here for the next sweep. The audit takes each only once.
"""

from collections.abc import Sequence
from typing import NamedTuple

import sqlalchemy as sa

from domain.audit import AuditEntry
from domain.errors import StorageAway, StorageBusy, StorageFull
from memory.audit import Audit
from memory.friction import Friction
from understudy.durable.database import TABLES, Database
from understudy.durable.questions import insert_new

_TELLINGS = sa.Table(
    "question_tellings", TABLES,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("once", sa.Text, nullable=False, unique=True),
    sa.Column("workspace", sa.Text, nullable=False),
    sa.Column("entry", sa.Text, nullable=False),
    sa.Column("time", sa.Double, nullable=False),
    sa.Index("question_tellings_time", "time"),
)  # fmt: skip
"""`once`: under which the audit notes it only once; `entry`: JSON."""


BATCH = 500
"""Entries that are handed over at once."""


class _Telling(NamedTuple):
    once: str
    workspace: str
    entry: str
    time: float


def tell(connection: sa.Connection, workspace: str, entry: AuditEntry, *, once: str, now: float) -> None:
    """Keep an entry for the audit, as a part of a transaction."""
    insert_new(connection, _TELLINGS, once=once, workspace=workspace, entry=entry.model_dump_json(), time=now)


async def hand_over(
    database: Database, audit: Audit, friction: Friction | None = None, *, until: float, limit: int = BATCH
) -> int:
    """Hand over what was kept up to a time, in order, and return how many entries the audit took.

    What it cannot take now stays.
    """
    query = (
        sa.select(*(_TELLINGS.c[name] for name in _Telling._fields))
        .where(_TELLINGS.c.time <= until)
        .order_by(_TELLINGS.c.number)
    )
    rows = await database.read(lambda c: [_Telling(*row) for row in c.execute(query.limit(limit))])
    told: list[str] = []
    try:
        for row in rows:
            entry = AuditEntry.model_validate_json(row.entry)
            await audit.note(row.workspace, entry, once=row.once)
            if friction:
                await friction.heard(row.workspace, entry, once=row.once, time=row.time)
            told.append(row.once)
    except (StorageAway, StorageBusy, StorageFull):
        pass
    finally:
        if told:
            await _delete(database, told)
    return len(told)


async def _delete(database: Database, told: Sequence[str]) -> None:
    # Not by number: SQLite gives the number of a deleted row to the next one, which nobody was told of.
    await database.write(lambda c: c.execute(sa.delete(_TELLINGS).where(_TELLINGS.c.once.in_(told))))
