"""The table of notices: statements, each for use in one transaction."""

from typing import Literal, NamedTuple

import sqlalchemy as sa
from pydantic import ValidationError

from domain.notices import Notice
from understudy.durable.database import TABLES
from understudy.durable.questions import insert_new

NoticeStatus = Literal["waiting", "sent", "given_up", "unaddressed", "withdrawn"]
"""`unaddressed`: no channel wants it; `withdrawn`: it waited, and does not hold any more."""

NOTICES = sa.Table(
    "notices",
    TABLES,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("workspace", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("notice", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("created", sa.Double, nullable=False),
    sa.Column("due", sa.Double, nullable=False),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("claim", sa.Text, nullable=False),
    sa.Column("took", sa.JSON, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("ended", sa.Double),
    sa.Index("notices_due", "status", "due"),
    sa.Index("notices_of", "workspace", "status", "created"),
)
"""`due`: when it is tried next, or, while it is claimed, when that claim lapses. `took`: keys of the channels that have
it already. `notice`: its JSON; empty once it was sent."""


class Kept(NamedTuple):
    """A notice as it is kept."""

    id: str
    workspace: str
    kind: str
    title: str
    status: NoticeStatus
    created: float
    """Unix time in seconds."""
    due: float
    tries: int
    reason: str
    """Why it did not go out, in words."""
    ended: float | None


class Claimed(NamedTuple):
    """A notice that this caller, and nobody else, delivers now."""

    notice: Notice
    claim: str
    created: float
    tries: int
    """Times it was claimed, this one included."""
    took: frozenset[str]


_KEPT = [NOTICES.c[name] for name in Kept._fields]


def insert(connection: sa.Connection, notice: Notice, now: float) -> None:
    """Keep a notice, unless one of its id is there."""
    values = {
        "id": notice.id, "workspace": notice.workspace, "kind": notice.kind, "title": notice.title,
        "notice": notice.model_dump_json(), "status": "waiting", "created": now, "due": now, "tries": 0, "claim": "",
        "took": [], "reason": "",
    }  # fmt: skip
    insert_new(connection, NOTICES, **values)


def claim(connection: sa.Connection, holder: str, now: float, until: float) -> Claimed | None:
    """Claim the notice that has been due for the longest time; the claim lapses at `until`."""
    due = (
        sa.select(NOTICES)
        .where(NOTICES.c.status == "waiting", NOTICES.c.due <= now)
        .order_by(NOTICES.c.due, NOTICES.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)  # SQLite has one writer at a time, and leaves this out
    )
    while (row := connection.execute(due).one_or_none()) is not None:
        change = {"claim": holder, "due": until, "tries": row.tries + 1}
        if (notice := _parsed(row.notice)) is None:  # one that stayed first would keep all others from being sent
            change = {"status": "given_up", "ended": now, "reason": "it cannot be read"}
        connection.execute(NOTICES.update().where(NOTICES.c.id == row.id).values(change))
        if notice is not None:
            return Claimed(notice, holder, row.created, row.tries + 1, frozenset(row.took))
    return None


def took(connection: sa.Connection, claimed: Claimed, channel: str) -> None:
    """Note that a channel has the notice, even where the claim has lapsed meanwhile."""
    query = sa.select(NOTICES.c.took).where(NOTICES.c.id == claimed.notice.id).with_for_update()
    known = connection.execute(query).scalar_one_or_none()
    if known is not None:
        change = {"took": sorted({*known, channel})}
        connection.execute(NOTICES.update().where(NOTICES.c.id == claimed.notice.id).values(change))


def postpone(connection: sa.Connection, claimed: Claimed, due: float, reason: str) -> None:
    """Let a claimed notice be tried again at `due`."""
    connection.execute(_held(claimed).values(due=due, reason=reason, claim=""))


def end(connection: sa.Connection, claimed: Claimed, status: NoticeStatus, now: float, reason: str = "") -> None:
    """Note how a claimed notice ended; the text of one that was sent is not kept."""
    left = {"notice": "", "title": ""} if status == "sent" else {}
    connection.execute(_held(claimed).values(status=status, ended=now, reason=reason, claim="", **left))


def _held(claimed: Claimed) -> sa.Update:
    return NOTICES.update().where(
        NOTICES.c.id == claimed.notice.id, NOTICES.c.claim == claimed.claim, NOTICES.c.status == "waiting"
    )


def withdraw(connection: sa.Connection, about: str, now: float) -> None:
    """End the waiting notices about a question or a run: those whose id begins with its id and a colon."""
    change = {"status": "withdrawn", "ended": now, "notice": "", "title": "", "claim": ""}
    connection.execute(NOTICES.update().where(_about(about), NOTICES.c.status == "waiting").values(change))


def forget(connection: sa.Connection, about: str) -> None:
    """Delete every notice about a question or a run for good."""
    connection.execute(NOTICES.delete().where(_about(about)))


def prune(connection: sa.Connection, before: float) -> None:
    """Delete what has ended before a time."""
    connection.execute(NOTICES.delete().where(NOTICES.c.status != "waiting", NOTICES.c.ended < before))


def lapse(connection: sa.Connection, before: float, now: float) -> None:
    """End the notices from before a time that nobody who has channels has taken up."""
    nobody = sa.and_(NOTICES.c.status == "waiting", NOTICES.c.tries == 0, NOTICES.c.created < before)
    change = {"status": "unaddressed", "ended": now, "reason": "no channel was configured in time"}
    connection.execute(NOTICES.update().where(nobody).values(change))


def listed(connection: sa.Connection, workspace: str, limit: int) -> list[Kept]:
    """Return a workspace's notices: what waits first, then the latest."""
    order = (NOTICES.c.status != "waiting", NOTICES.c.created.desc(), NOTICES.c.id)
    query = sa.select(*_KEPT).where(NOTICES.c.workspace == workspace).order_by(*order).limit(limit)
    return [Kept(*row) for row in connection.execute(query)]


def counted(connection: sa.Connection, workspace: str) -> dict[str, int]:
    """Return how many notices of a workspace stand how."""
    query = sa.select(NOTICES.c.status, sa.func.count()).where(NOTICES.c.workspace == workspace)
    return {status: count for status, count in connection.execute(query.group_by(NOTICES.c.status))}


def next_due(connection: sa.Connection) -> float | None:
    """Return when the next notice is to be tried; None where none waits."""
    due: float | None = connection.execute(
        sa.select(sa.func.min(NOTICES.c.due)).where(NOTICES.c.status == "waiting")
    ).scalar_one()
    return due


def _about(about: str) -> sa.ColumnElement[bool]:
    return NOTICES.c.id.startswith(f"{about}:", autoescape=True)


def _parsed(text: str) -> Notice | None:
    try:
        return Notice.model_validate_json(text)
    except ValidationError:
        return None
