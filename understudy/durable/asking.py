"""What a run asks the desk: its interrupts become questions, and questions become what the graph is resumed with."""

import hashlib
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from langgraph.types import Command

from domain.approvals import DESK, ActionRequest, Decision, shown_digest
from domain.errors import UnknownQuestion
from domain.questions import Question
from domain.voting import standing
from understudy.durable.desk import Desk
from understudy.threads import Pending, ThreadEntry


class Asking:
    """Asks at the desk on behalf of runs."""

    def __init__(self, desk: Desk, clock: Callable[[], float]) -> None:
        self.desk = desk
        self._clock = clock

    async def ask(self, entry: ThreadEntry, pending: Pending) -> Question:
        """Return the open question of an interrupt; it is opened where there is none, also when its time was over."""
        asked = await self._asked(entry, pending)
        if asked and (asked[-1].status == "open" or is_ready(asked[-1])):
            return asked[-1]
        return await self.desk.open(self._question(entry, pending, len(asked)))

    async def latest(self, entry: ThreadEntry, pending: Pending) -> Question:
        """Return the question of an interrupt as it stands, open or over; one that was never asked is asked now."""
        asked = await self._asked(entry, pending)
        return asked[-1] if asked else await self.desk.open(self._question(entry, pending, 0))

    async def _asked(self, entry: ThreadEntry, pending: Pending) -> list[Question]:
        """Return the questions that were asked about an interrupt so far, in their order."""
        asked = list[Question]()
        with suppress(UnknownQuestion):
            while True:
                asked.append(await self.desk.get(entry.workspace, _id_of(entry, pending, len(asked))))
        return asked

    def _question(self, entry: ThreadEntry, pending: Pending, number: int) -> Question:
        return Question(
            id=_id_of(entry, pending, number),
            workspace=entry.workspace,
            thread=entry.thread,
            run=entry.run,
            interrupt=pending.interrupt,
            team=entry.context["team"],
            goal=entry.goal,
            user=entry.context["user"],
            requests=pending.requests,
            digest=shown_digest(pending.requests),
            opened=self._clock(),
        )


def is_ready(question: Question | None) -> bool:
    """Return whether a question was decided, and its run has not gone on yet."""
    return question is not None and question.status == "decided" and not question.applied


def resumption(question: Question) -> Command[Any]:
    """Return what resumes the graph with a question's decisions."""
    decided = [_carried(each) for each in question.decisions]
    return Command(resume={question.interrupt: {DESK: question.id, "decisions": decided}})


def _carried(decision: Decision) -> dict[str, Any]:
    """Return a decision as the gates read it; arguments may have any names, `args` included."""
    carried = decision.model_dump(mode="json", exclude={"args"})
    return carried if decision.args is None else carried | {"edited_action": {"args": decision.args}}


def _id_of(entry: ThreadEntry, pending: Pending, number: int) -> str:
    """Return the id under which an interrupt is asked for the first, second ... time; it is the same after a crash."""
    named = ":".join((entry.key, entry.run, pending.interrupt, shown_digest(pending.requests)))
    head = hashlib.sha256(named.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    return f"{head}-{number + 1}" if number else head


def still_wanted(question: Question) -> str:
    """Return in words what an open question still waits for."""
    stands = [(request, standing(request, question.votes)) for request in question.requests]
    return ", ".join(_wanted(request, len(each.approvals)) for request, each in stands if each.decision is None)


def _wanted(request: ActionRequest, approvals: int) -> str:
    return f"{request.name} ({request.patience.quorum - approvals} more to approve {request.id!r})"
