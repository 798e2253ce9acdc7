"""Questions on a server that wait for people."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from domain.approvals import ActionRequest, Decision, decode
from domain.cases import current, undecided
from domain.errors import InvalidDecision
from domain.questions import Question
from understudy.client.calls import Calls
from understudy.client.reading import read

MOST = 500
"""Questions that a server lists at once."""


class Shown(NamedTuple):
    """A question with who may answer it now."""

    question: Question
    answerers: dict[str, tuple[str, ...]]
    """By the id of each undecided request; nobody named: everybody in the workspace who may decide."""


class Questions:
    """What a client does with the questions of its workspace."""

    _calls: Calls

    async def inbox(self, *, closed: bool = False, limit: int = 100) -> list[Question]:
        """Return the open questions as they stand now, the next due first, or the closed ones, the latest first.

        Args:
            closed: Whether the closed ones are wanted.
            limit: How many at most; a server lists no more than `MOST`.
        """
        return read(list[Question], await self._calls.get("approvals", closed=closed, limit=min(limit, MOST)))

    async def question(self, name: str) -> Question:
        """Return a question by its id, the beginning of it, or its thread.

        Raises:
            UnknownQuestion: There is none, or more than one.
        """
        return (await self.shown(name)).question

    async def shown(self, name: str) -> Shown:
        """Return a question by its id, the beginning of it, or its thread, with who may answer it now.

        Raises:
            UnknownQuestion: There is none, or more than one.
        """
        return read(Shown, await self._calls.get("approvals", name))

    async def answer(self, question: str, answer: Any, *, digest: str = "") -> Question:
        """Take an answer of whom the key belongs to, and return how the question stands; decided, its run goes on.

        Args:
            question: Its id.
            answer: Decisions in any client's form for all requests that are open, or `{"request": id, ...}` for one.
            digest: Of what the person was shown; an answer to something else is refused.

        Raises:
            UnknownQuestion: The workspace has no such question.
            QuestionClosed: It is decided, expired or withdrawn; says by whom and when.
            NotAnApprover: Others are asked.
            StaleApproval: Something else is asked than the person was shown.
            InvalidDecision: The answer does not fit; the question stays open.
        """
        asked = await self.question(question)
        body = _body(asked, answer) | {"digest": digest}
        return read(Shown, await self._calls.post("approvals", asked.id, body=body)).question


def _body(question: Question, answer: Any) -> dict[str, Any]:
    """Return an answer in the one form that the server takes."""
    requests, named = current(question), {}
    if isinstance(answer, Mapping) and "request" in answer:
        named = {"request": answer["request"]}
        requests = [request for request in requests if request.id == answer["request"]]
        if not requests:
            known = ", ".join(request.id for request in question.requests)
            raise InvalidDecision(f"the question has no request {answer['request']!r:.60}; it has {known}")
        answer = {name: value for name, value in answer.items() if name != "request"}
    return named | {"decisions": list(map(_decision, _decoded(question, answer, requests)))}


def _decoded(question: Question, answer: Any, requests: Sequence[ActionRequest]) -> list[Decision]:
    """Return the decisions on what is open; an answer that comes again may name again what is decided."""
    open_ones = {request.id for request in undecided(question)}
    left = [request for request in requests if request.id in open_ones]
    try:
        return decode(answer, left or requests)
    except InvalidDecision:
        if not left or len(left) == len(requests):
            raise
    return decode(answer, requests)


def _decision(decision: Decision) -> dict[str, Any]:
    # One level deeper than needed: arguments may be called `args` themselves.
    args = None if decision.args is None else {"args": decision.args}
    return {"type": decision.type, "args": args, "message": decision.message}
