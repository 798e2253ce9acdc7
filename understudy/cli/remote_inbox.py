"""The inbox on a server."""

import time
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from domain.events import Stamped
    from domain.questions import Question
    from understudy.cli.opened import Assistant
    from understudy.client import Client


class Answered(NamedTuple):
    """A question after an answer."""

    question: "Question"
    after: int | None
    """Number of its thread's last event before the answer; None where no server took it."""


async def listed(client: "Client", closed: bool, limit: int) -> "tuple[list[Question], int, float]":
    """Return questions, how many are open, and the time."""
    questions = await client.inbox(closed=closed, limit=limit)
    is_all = closed or len(questions) < limit
    waiting = len(questions) if is_all else (await client.status()).questions
    return questions, waiting or len(questions), time.time()


async def shown(client: "Client", name: str) -> "tuple[Question, dict[str, tuple[str, ...]], float]":
    """Return a question, who may answer it, and the time."""
    question, answerers = await client.shown(name)
    return question, answerers, time.time()


async def answered(client: "Client", name: str, given: "Callable[[Question], Any]", digest: str | None) -> Answered:
    """Answer what is asked now, and note how far its thread had come."""
    question = await client.question(name)
    events = await client.events(question.thread)
    after = events[-1].seq if events else 0
    return Answered(await client.answer(question.id, given(question), digest=digest or question.digest), after)


def watched(assistant: "Assistant", thread: str, after: int) -> "AsyncIterator[Stamped]":
    """Return the events of a run that goes on on a server, to its next stop."""
    from understudy.client import Client

    assert isinstance(assistant, Client)
    return assistant.watch(thread, after=after)
