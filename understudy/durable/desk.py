"""The desk: where questions wait for people, outside of any process.

Each step of a question's life is one transaction, and its closing one conditional update: of a decision and a time-out,
or of two decisions, one wins, however many processes work on the database. What is due at the moment of an answer fires
before the answer is looked at, so a deadline that has passed has passed, also where nobody was there to notice.
"""

import asyncio
from collections.abc import Callable
from typing import Any, NamedTuple

import sqlalchemy as sa

from domain.cases import Case, answered, asked, elapsed, undecided
from domain.errors import NotAnApprover, QuestionClosed, StaleApproval, UnknownQuestion, UserError
from domain.questions import Question
from domain.voting import may_answer
from memory.audit import Audit
from memory.friction import Friction
from understudy.durable import questions as table
from understudy.durable.database import Database
from understudy.durable.happening import Notices, Telling
from understudy.durable.questions import OPEN, QUESTIONS, READY
from understudy.durable.telling import BATCH, hand_over

_NOTED = (QuestionClosed, NotAnApprover, StaleApproval)
"""Refusals that the audit hears of; an answer that does not fit is not one."""
_SWEPT_AFTER = 5.0
"""Seconds after which what was not handed to the audit is handed over by whoever settles."""
_ORDER = (QUESTIONS.c.due, QUESTIONS.c.id)


class Waiting(NamedTuple):
    """How many questions of a workspace are open."""

    questions: int
    next_due: float | None
    """Unix time in seconds at which the first of them is escalated or over."""


class _Answered(NamedTuple):
    question: Question
    refused: UserError | None


class Desk:
    """Keeps the questions of all workspaces in one database."""

    def __init__(
        self,
        database: Database,
        clock: Callable[[], float],
        *,
        notify: Notices,
        audit: Audit,
        command: str,
        friction: Friction | None = None,
    ) -> None:
        """Set up the desk.

        Args:
            database: Where questions wait.
            clock: Returns unix time in seconds; a jump of the machine's clock should not move it.
            notify: Keeps notices to people in the same database.
            audit: Is told of everything that happens here.
            command: How the product is called, for the notices.
            friction: Counts how often people are bothered; None where nobody counts.
        """
        self._database, self._clock, self._notify, self._audit, self._command = database, clock, notify, audit, command
        self._friction = friction
        self._is_behind = False
        """Whether the audit has not heard yet of what the last settling changed."""
        self._telling_now = asyncio.Lock()  # else everybody who is here would hand over what all of them have to tell

    async def open(self, question: Question) -> Question:
        """Keep a question until it is answered, and return it as it stands; one whose id is known is returned.

        An older question of the same thread that is open, or decided and not applied, is withdrawn.
        """
        kept = await self._database.write(lambda connection: self._opened(connection, question))
        await self._tell()
        return kept

    async def get(self, workspace: str, question: str) -> Question:
        """Return a question by its id, or raise `UnknownQuestion`."""
        return _only(await self._found(QUESTIONS.c.workspace == workspace, QUESTIONS.c.id == question), question)

    async def look_up(self, workspace: str, name: str) -> Question:
        """Return a question by its id, the beginning of it, or the thread that waits for it.

        Raises:
            UnknownQuestion: There is none, or more than one whose id begins so.
        """
        ours = QUESTIONS.c.workspace == workspace
        if found := await self._found(ours, QUESTIONS.c.id == name):
            return found[0]
        if name and (waiting := await self.of_thread(workspace, name)):
            return waiting
        begins = QUESTIONS.c.id.startswith(name, autoescape=True) if name else sa.false()
        found = await self._found(ours, begins, OPEN, limit=2) or await self._found(ours, begins, limit=2)
        return _only(found, name)

    async def of_thread(self, workspace: str, thread: str) -> Question | None:
        """Return the thread's question that is open, or decided and not applied."""
        found = await self._found(*_of_thread(workspace, thread), sa.or_(OPEN, READY), order=(OPEN.desc(),))
        return found[0] if found else None

    async def listed(self, workspace: str, *, closed: bool = False, limit: int = 100) -> list[Question]:
        """Return the workspace's open questions, the next due first, or its closed ones, the latest first."""
        ours = QUESTIONS.c.workspace == workspace
        if closed:
            order = (QUESTIONS.c.closed.desc(), QUESTIONS.c.id)
            return await self._found(ours, QUESTIONS.c.closed.is_not(None), limit=limit, order=order)
        return await self._found(ours, OPEN, limit=limit, order=_ORDER)

    async def waiting(self, workspace: str) -> Waiting:
        """Return how many questions of the workspace are open, and when the first of them is due."""
        query = sa.select(sa.func.count(), sa.func.min(QUESTIONS.c.due)).where(QUESTIONS.c.workspace == workspace, OPEN)
        return await self._database.read(lambda connection: Waiting(*connection.execute(query).one()))

    async def answerers(self, workspace: str, question: str) -> dict[str, tuple[str, ...]]:
        """Return who may answer now, by the id of each undecided request; nobody named: everybody in the workspace."""
        here = QUESTIONS.c.workspace == workspace, QUESTIONS.c.id == question
        cases = await self._database.read(lambda connection: table.cases(connection, *here))
        return {
            request.id: may_answer(request.patience, case.timers[request.id].level) or ()
            for case in cases
            for request in undecided(case.question)
        }

    async def answer(self, workspace: str, question: str, answer: Any, *, by: str, digest: str = "") -> Question:
        """Take a person's answer and return the question as it stands; the same answer again changes nothing.

        Args:
            workspace: Whose question.
            question: Its id.
            answer: Decisions in any client's form (`domain.approvals.decode`) for all requests that are open, or
                `{"request": id, ...}` for one.
            by: The user.
            digest: Of what the person was shown; an answer to something else is refused.

        Raises:
            UnknownQuestion: The workspace has no such question.
            QuestionClosed: It is decided, expired or withdrawn; says by whom and when.
            NotAnApprover: Others are asked.
            StaleApproval: Something else is asked than the person was shown.
            InvalidDecision: The answer does not fit; the question stays open.
        """
        taken = await self._database.write(lambda c: self._answered(c, (workspace, question), answer, by, digest))
        await self._tell()
        if taken.refused is not None:
            raise taken.refused
        return taken.question

    async def settle(self, *, limit: int = 100) -> list[Question]:
        """Fire the timers that are due, each once, and return the questions that this changed.

        What an earlier process could not hand to the audit is handed over, too.

        Args:
            limit: Questions that are changed at most; when so many were, more may be due, and the audit hears of them
                when no more are.
        """
        due, now, changed = await self.next_due(), self._clock(), list[Question]()
        if due is not None and due <= now:
            changed = await self._database.write(lambda connection: self._settled(connection, limit))
        if len(changed) < limit:  # else more may be due, and the audit can wait for that
            await self._tell(float("inf") if changed or self._is_behind else now - _SWEPT_AFTER)
        self._is_behind = len(changed) == limit
        return changed

    async def settle_all(self) -> list[Question]:
        """Fire everything that is due now, and return the questions that this changed."""
        changed = list[Question]()
        while some := await self.settle():
            changed += some
        return changed

    async def ready(self, *, limit: int = 100) -> list[Question]:
        """Return the questions of all workspaces that are decided and not applied, the oldest decision first."""
        return await self._found(READY, limit=limit, order=(QUESTIONS.c.closed, QUESTIONS.c.id))

    async def applied(self, question: str) -> None:
        """Note that the run has gone on with a question's decisions; a second time changes nothing."""
        update = sa.update(QUESTIONS).where(QUESTIONS.c.id == question, READY).values(applied=True)
        await self._database.write(lambda connection: connection.execute(update))

    async def withdraw(self, workspace: str, thread: str, why: str) -> None:
        """Close the thread's question, open or decided and not applied, so that nothing follows from it.

        Args:
            workspace: Whose thread.
            thread: The conversation.
            why: In words, for whoever answers it all the same.
        """
        await self._database.write(lambda connection: self._withdrawn(connection, workspace, thread, why))
        await self._tell()

    async def forget(self, workspace: str, thread: str) -> None:
        """Delete the thread's questions for good; what the audit knows of them, it keeps."""
        await self._tell()
        await self._database.write(lambda connection: self._forgotten(connection, workspace, thread))
        await self._database.empty_log()

    async def next_due(self) -> float | None:
        """Return the unix time in seconds at which the next timer fires; None where none is set."""
        query = sa.select(sa.func.min(QUESTIONS.c.due)).where(OPEN)
        return await self._database.read(lambda connection: connection.execute(query).scalar_one())

    async def _found(self, *where: sa.ColumnElement[bool], limit: int = 1, order: Any = ()) -> list[Question]:
        return await self._database.read(lambda c: table.found(c, *where, limit=limit, order=order))

    async def _tell(self, until: float = float("inf")) -> None:
        async with self._telling_now:
            while await hand_over(self._database, self._audit, self._friction, until=until) == BATCH:
                continue

    def _telling(self, connection: sa.Connection, now: float) -> Telling:
        return Telling(connection, self._notify, self._command, now)

    def _opened(self, connection: sa.Connection, question: Question) -> Question:
        case = asked(question)
        while not (known := table.found(connection, QUESTIONS.c.id == question.id)):
            self._withdrawn(connection, question.workspace, question.thread, "another question took its place")
            if table.insert(connection, case):
                self._telling(connection, self._clock()).asked(case)
                return case.question
        return known[0]

    def _answered(
        self, connection: sa.Connection, name: tuple[str, str], answer: Any, by: str, digest: str
    ) -> _Answered:
        workspace, question = name
        cases = table.locked(connection, QUESTIONS.c.workspace == workspace, QUESTIONS.c.id == question)
        if not cases:
            raise _unknown(question)
        now = self._clock()
        case = self._fired(connection, cases[0], now)
        try:
            after = answered(case, answer, by=by, digest=digest, now=now)
        except UserError as error:
            if isinstance(error, _NOTED):
                self._telling(connection, now).refused(case.question, by, error, answer)
            return _Answered(case.question, error)
        if after is not case and table.store(connection, case, after):
            self._telling(connection, now).voted(case.question, after.question)
        return _Answered(after.question, None)

    def _settled(self, connection: sa.Connection, limit: int) -> list[Question]:
        now = self._clock()
        due = table.locked(connection, OPEN, QUESTIONS.c.due <= now, limit=limit, skip=True)
        return [self._fired(connection, case, now).question for case in due]

    def _fired(self, connection: sa.Connection, case: Case, now: float) -> Case:
        """Return the case after everything that is due by now, which is stored and told."""
        after, happened = elapsed(case, now)
        if not happened or not table.store(connection, case, after):
            return case
        self._telling(connection, now).elapsed(case, after, happened)
        return after

    def _withdrawn(self, connection: sa.Connection, workspace: str, thread: str, why: str) -> None:
        now = self._clock()
        live = sa.or_(OPEN, READY)
        closing = {"status": "withdrawn", "due": None, "closed": now, "why": why}
        for case in table.locked(connection, *_of_thread(workspace, thread), live, limit=100):
            update = sa.update(QUESTIONS).where(QUESTIONS.c.id == case.question.id, live).values(**closing)
            if connection.execute(update).rowcount:
                self._telling(connection, now).withdrawn(case.question, why)

    def _forgotten(self, connection: sa.Connection, workspace: str, thread: str) -> None:
        while ids := [q.id for q in table.found(connection, *_of_thread(workspace, thread), limit=100)]:
            table.delete(connection, ids)
            for question in ids:
                self._notify.forget(connection, question)


def _of_thread(workspace: str, thread: str) -> tuple[sa.ColumnElement[bool], ...]:
    return QUESTIONS.c.workspace == workspace, QUESTIONS.c.thread == thread


def _only(found: list[Question], name: str) -> Question:
    if not found:
        raise _unknown(name)
    if len(found) > 1:
        msg = f"more than one question's id begins with {name!r:.60}; give more of it"
        raise UnknownQuestion(msg)
    return found[0]


def _unknown(name: str) -> UnknownQuestion:
    return UnknownQuestion(f"there is no question {name!r:.60}; see: understudy inbox list")
