"""What a step of a question's life tells: entries for the audit, and notices to people, in its own transaction."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import sqlalchemy as sa

from domain.audit import AuditEntry, AuditKind
from domain.cases import UNANSWERED, Case, Happened, people
from domain.errors import UserError
from domain.notices import Notice, NoticeKind
from domain.questions import CLOCK, Question, Vote
from domain.waiting import Patience
from understudy.durable.questions import QUESTIONS
from understudy.durable.telling import tell
from understudy.notices.rendering import question_notice


class Notices(Protocol):
    """Keeps notices as a part of a transaction (`understudy.notices.outbox.Outbox`)."""

    def put(self, connection: sa.Connection, notice: Notice) -> None:
        """Keep a notice."""

    def withdraw(self, connection: sa.Connection, about: str) -> None:
        """Let what waits about a question not be sent any more."""

    def forget(self, connection: sa.Connection, about: str) -> None:
        """Delete what is kept about a question."""


@dataclass(frozen=True)
class Telling:
    """Tells of questions within one transaction."""

    connection: sa.Connection
    notices: Notices
    command: str
    now: float

    def asked(self, case: Case) -> None:
        """Tell that a question was opened, and those who are asked."""
        question = case.question
        kind: NoticeKind = "escalated" if question.level else "asked"
        data = {"question": question.id, "requests": [request.id for request in question.requests], "due": question.due}
        # Those who are not named are many; the one for whom the run works is among them.
        data |= {"to": list(people(case) or (question.user,)), "again": _was_asked(self.connection, question)}
        self._note("question", question.user, "a person is asked", question, once="opened", data=data)
        self._send(question, kind, to=people(case))

    def voted(self, before: Question, after: Question) -> None:
        """Tell what a person has answered."""
        for number, vote in list(enumerate(after.votes))[len(before.votes) :]:
            data = _vote_data(after, vote) | {"closed": after.status == "decided"}
            why = f"{vote.decision.type} by a person"
            self._note("decision", vote.by, why, after, step=vote.request, once=f"vote:{number}", data=data)
        if after.status == "decided":
            self._closed(after)

    def elapsed(self, before: Case, after: Case, happened: Sequence[Happened]) -> None:
        """Tell what the time has led to; who is asked next hears of it only while there is something to answer."""
        question = after.question
        for each in happened:
            kind: AuditKind = "escalation" if each.what == "escalated" else "timeout"
            data = {"question": question.id, "what": each.what, "level": each.level}
            if each.what == "escalated":
                data["to"] = list(_patience(question, each.request).escalation[each.level - 1].to)
            once = f"{each.what}:{each.request}:{each.level}"
            self._note(kind, CLOCK, UNANSWERED, question, step=each.request, once=once, data=data)
        if question.status == "open":
            self._escalated(question, [each for each in happened if each.what == "escalated"])
        elif question.status == "decided":
            self._closed(question)
        else:
            self.notices.withdraw(self.connection, question.id)
            self._send(question, "expired", to=tuple(dict.fromkeys((*people(before), question.user))))

    def refused(self, question: Question, by: str, error: UserError, answer: Any) -> None:
        """Tell of an answer that came too late, or from somebody who is not asked."""
        given = json.dumps([by, answer], sort_keys=True, default=str)
        mark = hashlib.sha256(given.encode("utf-8", "surrogatepass")).hexdigest()[:16]
        data = {"question": question.id, "refused": error.code, "status": question.status}
        once = f"refused:{error.code}:{mark}"
        self._note("decision", by or "nobody", f"refused: {error.code}", question, once=once, data=data)

    def withdrawn(self, question: Question, why: str) -> None:
        """Tell that a question was taken back."""
        data = {"question": question.id, "status": "withdrawn"}
        self._note("question", question.user, why, question, once="withdrawn", data=data)
        self.notices.withdraw(self.connection, question.id)

    def _closed(self, question: Question) -> None:
        self.notices.withdraw(self.connection, question.id)
        if question.closed_by != question.user:  # who decided alone for themselves need not hear of it
            what = ", ".join(dict.fromkeys(decision.type for decision in question.decisions))
            self._send(question, "decided", to=(question.user,), note=f"Decided by {question.closed_by}: {what}")

    def _escalated(self, question: Question, happened: Sequence[Happened]) -> None:
        """Tell each group of people once, whatever the number of requests that have come to them."""
        groups: dict[tuple[str, ...], list[Happened]] = {}
        patience = {request.id: request.patience for request in question.requests}
        for each in happened:
            groups.setdefault(patience[each.request].escalation[each.level - 1].to, []).append(each)
        for to, each_of in groups.items():
            mark = "+".join(f"{each.request}.{each.level}" for each in each_of)
            self._send(question, "escalated", to=to, mark=mark)

    def _send(
        self, question: Question, kind: NoticeKind, *, to: tuple[str, ...], mark: str = "", note: str = ""
    ) -> None:
        notice = question_notice(question, kind, to=to, command=self.command, note=note)
        if mark:
            notice = notice.model_copy(update={"id": f"{question.id}:{kind}:{mark}"})
        self.notices.put(self.connection, notice)

    def _note(
        self, kind: AuditKind, who: str, why: str, question: Question, *, once: str, data: dict[str, Any],
        step: str = "",
    ) -> None:  # fmt: skip
        entry = AuditEntry(
            kind=kind, who=who, why=why, run=question.run, thread=question.thread, step=step, shown=question.digest,
            data=data,
        )  # fmt: skip
        tell(self.connection, question.workspace, entry, once=f"question:{question.id}:{once}", now=self.now)


def _vote_data(question: Question, vote: Vote) -> dict[str, Any]:
    """Return what the audit may know of a vote: names and numbers, and no words of anybody."""
    request = next(each for each in question.requests if each.id == vote.request)
    args = vote.decision.args or request.args
    changed = sorted(name for name in args if args[name] != request.args.get(name))
    seconds = round(vote.time - question.opened, 3)
    told = {"question": question.id, "type": vote.decision.type, "changed": changed, "seconds": seconds}
    return told | {"quorum": request.patience.quorum}


def _was_asked(connection: sa.Connection, question: Question) -> bool:
    """Return whether the thread was asked the same before."""
    table, same = QUESTIONS.c, ("workspace", "thread", "digest")
    where = [table[name] == getattr(question, name) for name in same]
    return connection.execute(sa.select(table.id).where(*where, table.id != question.id).limit(1)).first() is not None


def _patience(question: Question, request: str) -> Patience:
    return next(each.patience for each in question.requests if each.id == request)
