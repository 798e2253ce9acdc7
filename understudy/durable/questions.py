"""The tables of questions: their rows, votes and timers, and statements for use in one transaction."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from domain.cases import Case
from domain.questions import Question, Vote
from domain.voting import Timer
from understudy.durable.database import TABLES

QUESTIONS = sa.Table(
    "questions", TABLES,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("workspace", sa.Text, nullable=False),
    sa.Column("thread", sa.Text, nullable=False),
    sa.Column("run", sa.Text, nullable=False),
    sa.Column("interrupt", sa.Text, nullable=False),
    sa.Column("team", sa.Text, nullable=False),
    sa.Column("goal", sa.Text, nullable=False),
    sa.Column("user", sa.Text, nullable=False),
    sa.Column("requests", sa.Text, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("opened", sa.Double, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("level", sa.Integer, nullable=False),
    sa.Column("due", sa.Double),
    sa.Column("decisions", sa.Text, nullable=False),
    sa.Column("closed_by", sa.Text, nullable=False),
    sa.Column("why", sa.Text, nullable=False),
    sa.Column("closed", sa.Double),
    sa.Column("applied", sa.Boolean, nullable=False),
    sa.Index("questions_due", "status", "due", "id"),
    sa.Index("questions_ready", "status", "applied", "closed", "id"),
    sa.Index("questions_listed", "workspace", "status", "due", "id"),
    sa.Index("questions_closed", "workspace", "closed"),
    sa.Index("questions_thread", "workspace", "thread"),
    sa.Index(
        "questions_one_open", "workspace", "thread", unique=True,
        sqlite_where=sa.text("status = 'open'"), postgresql_where=sa.text("status = 'open'"),
    ),
)  # fmt: skip
"""`requests` and `decisions` are JSON. A thread has one open question at most."""
TIMERS = sa.Table(
    "question_timers", TABLES,
    sa.Column("question", sa.Text, primary_key=True),
    sa.Column("request", sa.Text, primary_key=True),
    sa.Column("level", sa.Integer, nullable=False),
    sa.Column("over", sa.Double, nullable=False),
)  # fmt: skip
VOTES = sa.Table(
    "question_votes", TABLES,
    sa.Column("question", sa.Text, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("vote", sa.Text, nullable=False),
)  # fmt: skip
"""`number` counts from 0 in the order in which they came; `vote` is JSON."""
OPEN = QUESTIONS.c.status == "open"
READY = sa.and_(QUESTIONS.c.status == "decided", QUESTIONS.c.applied.is_(False))


def insert_new(connection: sa.Connection, table: sa.Table, **values: Any) -> bool:
    """Insert a row unless a unique index has one like it, and return whether it was inserted."""
    make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    return bool(connection.execute(make(table).values(values).on_conflict_do_nothing()).rowcount)


def insert(connection: sa.Connection, case: Case) -> bool:
    """Keep a new question; return False where its id is taken, or where its thread has an open one."""
    fields = case.question.model_dump(mode="json", exclude={"votes", "requests", "decisions"})
    texts = {"requests": _json(case.question.requests), "decisions": _json(case.question.decisions)}
    if not insert_new(connection, QUESTIONS, **fields, **texts):
        return False
    for request, timer in case.timers.items():
        insert_new(connection, TIMERS, question=case.question.id, request=request, **timer._asdict())
    return True


def found(connection: sa.Connection, *where: sa.ColumnElement[bool], limit: int = 1, order: Any = ()) -> list[Question]:
    """Return questions with their votes."""
    query = sa.select(QUESTIONS).where(*where).order_by(*order).limit(limit)
    rows = connection.execute(query).mappings().all()
    votes = _votes(connection, [row["id"] for row in rows])
    return [_question(row, votes.get(row["id"], [])) for row in rows]


def cases(connection: sa.Connection, *where: sa.ColumnElement[bool]) -> list[Case]:
    """Return questions with their timers."""
    return _cases(connection, sa.select(QUESTIONS).where(*where))


def locked(connection: sa.Connection, *where: sa.ColumnElement[bool], limit: int = 1, skip: bool = False) -> list[Case]:
    """Return cases, the next due first, kept from other transactions until this one ends.

    Args:
        connection: Of the transaction.
        where: Which ones.
        limit: How many at most.
        skip: Leave out those that another transaction holds; else they are waited for.
    """
    query = sa.select(QUESTIONS).where(*where).order_by(QUESTIONS.c.due, QUESTIONS.c.id).limit(limit)
    # SQLite has one writer at a time, and leaves the lock out.
    return _cases(connection, query.with_for_update(skip_locked=skip))


def _cases(connection: sa.Connection, query: "sa.Select[Any]") -> list[Case]:
    rows = connection.execute(query).mappings().all()
    ids = [row["id"] for row in rows]
    votes, timers = _votes(connection, ids), _timers(connection, ids)
    return [Case(_question(row, votes.get(row["id"], [])), timers.get(row["id"], {})) for row in rows]


def store(connection: sa.Connection, before: Case, after: Case) -> bool:
    """Store what became of an open question; return False where it is not open any more."""
    question = after.question
    changed = {
        name: getattr(question, name) for name in ("digest", "status", "level", "due", "closed_by", "why", "closed")
    }
    update = sa.update(QUESTIONS).where(QUESTIONS.c.id == question.id, OPEN)
    if not connection.execute(update.values(**changed, decisions=_json(question.decisions))).rowcount:
        return False
    for number, vote in list(enumerate(question.votes))[len(before.question.votes) :]:
        connection.execute(sa.insert(VOTES).values(question=question.id, number=number, vote=vote.model_dump_json()))
    for request, timer in after.timers.items():
        if timer != before.timers[request]:
            this = sa.and_(TIMERS.c.question == question.id, TIMERS.c.request == request)
            connection.execute(sa.update(TIMERS).where(this).values(**timer._asdict()))
    return True


def delete(connection: sa.Connection, ids: Sequence[str]) -> None:
    """Delete questions with all that belongs to them."""
    for column in (VOTES.c.question, TIMERS.c.question, QUESTIONS.c.id):
        connection.execute(sa.delete(column.table).where(column.in_(ids)))


def _votes(connection: sa.Connection, ids: Sequence[str]) -> dict[str, list[Vote]]:
    query = sa.select(VOTES).where(VOTES.c.question.in_(ids)).order_by(VOTES.c.question, VOTES.c.number)
    votes: dict[str, list[Vote]] = {}
    for row in connection.execute(query):
        votes.setdefault(row.question, []).append(Vote.model_validate_json(row.vote))
    return votes


def _timers(connection: sa.Connection, ids: Sequence[str]) -> dict[str, dict[str, Timer]]:
    timers: dict[str, dict[str, Timer]] = {}
    for row in connection.execute(sa.select(TIMERS).where(TIMERS.c.question.in_(ids))):
        timers.setdefault(row.question, {})[row.request] = Timer(row.level, row.over)
    return timers


def _question(row: sa.RowMapping, votes: list[Vote]) -> Question:
    parsed = {"requests": json.loads(row["requests"]), "decisions": json.loads(row["decisions"])}
    return Question.model_validate(dict(row) | parsed | {"votes": votes})


def _json(models: Iterable[Any]) -> str:
    return json.dumps([model.model_dump(mode="json") for model in models])
