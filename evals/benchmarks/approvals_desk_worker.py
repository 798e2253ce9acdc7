"""What the processes of the approvals benchmark do at the desk alone: ask, answer, settle, look."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, NamedTuple, Protocol

from domain.approvals import ActionRequest, shown_digest
from domain.audit import Noted
from domain.audit_chain import Checked
from domain.errors import QuestionClosed
from domain.questions import Question
from domain.waiting import Patience

WORKSPACE = "bench"
PERSON = "ann"
_AT_ONCE = 4
"""Things that one process does at a time."""
_LOOK_SECONDS = 0.02
_LONGEST_LEAD = 2.0
_SHORTEST = 0.001
"""Seconds that a question waits at least."""


class Place(NamedTuple):
    """Where an installation keeps what it keeps."""

    home: str
    database_url: str
    redis_url: str


class Desk(Protocol):
    """The product's desk, with the audit beside it."""

    def clock(self) -> float:
        """Return unix time in seconds."""

    async def open(self, question: Question) -> Question:
        """Keep a question."""

    async def answer(self, workspace: str, question: str, answer: Any, *, by: str) -> Question:
        """Take an answer."""

    async def settle(self) -> list[Question]:
        """Fire what is due."""

    async def next_due(self) -> float | None:
        """Return when the next timer fires."""

    async def get(self, workspace: str, question: str) -> Question:
        """Return a question."""

    async def noted(self, workspace: str) -> list[Noted]:
        """Return the audit's entries."""

    async def verified(self, workspace: str) -> Checked:
        """Check the audit."""


class Asked(NamedTuple):
    """Questions that one process handles, by number."""

    prefix: str
    numbers: list[int]

    def names(self) -> list[str]:
        """Return the questions' ids."""
        return [f"{self.prefix}{number}" for number in self.numbers]


def question(name: str, now: float, seconds: float) -> Question:
    """Return a question that is rejected when nobody has answered in time."""
    patience = Patience(timeout_seconds=seconds, on_timeout="reject")
    request = ActionRequest(
        id="send", name="send", args={"to": f"{name}@example.org"}, description="Send it.", patience=patience
    )
    return Question(
        id=name, workspace=WORKSPACE, thread=f"t-{name}", run=f"r-{name}", interrupt=f"i-{name}", team="bench",
        goal="Send it", user=PERSON, requests=[request], digest=shown_digest([request]), opened=now,
    )  # fmt: skip


async def ask(desk: Desk, asked: Asked, *, first_due: float, spacing: float) -> dict[str, Any]:
    """Open questions; number n is due `spacing` × n seconds after `first_due`, a unix time."""
    now = desk.clock()

    async def one(number: int) -> None:
        due = first_due + number * spacing
        await desk.open(question(f"{asked.prefix}{number}", now, max(_SHORTEST, due - now)))

    await _each(one, asked.numbers)
    return {}


async def deliver(desk: Desk, asked: Asked, *, start: float) -> dict[str, Any]:
    """Approve every question, beginning at a wall time so that others deliver the same at the same moment."""
    await asyncio.sleep(max(0.0, start - time.time()))
    seconds: list[float] = []

    async def one(number: int) -> None:
        began = time.perf_counter()
        await desk.answer(WORKSPACE, f"{asked.prefix}{number}", {"type": "approve"}, by=PERSON)
        seconds.append(time.perf_counter() - began)

    await _each(one, asked.numbers)
    return {"seconds": seconds}


async def race(desk: Desk, asked: Asked, *, first_due: float, spacing: float) -> dict[str, Any]:
    """Approve every question at its deadline, and tell which answers were refused.

    How long before it an answer must leave to arrive at that moment is learnt on the way: earlier after one that came
    too late, later after one that came in time.
    """
    refused: list[str] = []
    lead = 0.03

    async def one(number: int) -> None:
        nonlocal lead
        due = first_due + number * spacing
        await asyncio.sleep(max(0.0, due - _LONGEST_LEAD - desk.clock()))
        await asyncio.sleep(max(0.0, due - lead - desk.clock()))
        try:
            await desk.answer(WORKSPACE, f"{asked.prefix}{number}", {"type": "approve"}, by=PERSON)
            lead *= 0.9
        except QuestionClosed:
            refused.append(f"{asked.prefix}{number}")
            lead = min(lead * 1.2, _LONGEST_LEAD)

    await asyncio.gather(*(one(number) for number in asked.numbers))
    return {"refused": refused}


async def settle(desk: Desk, asked: Asked, *, until: float) -> dict[str, Any]:
    """Fire what is due until nothing is open, or a unix time is reached; tell when each fired here, and how often."""
    fired: dict[str, float] = {}
    times: Counter[str] = Counter()
    waiting = set(asked.names())
    while waiting and desk.clock() < until:
        changed = await desk.settle()
        for each in changed:
            fired.setdefault(each.id, time.time())
            times[each.id] += 1
        waiting -= {each.id for each in changed}
        if not changed and await desk.next_due() is None:
            return {"fired": fired, "times": times}
        if not changed:
            await asyncio.sleep(_LOOK_SECONDS)
    while await desk.settle():  # the audit hears of a full batch when no more are due
        continue
    return {"fired": fired, "times": times}


async def look(desk: Desk, asked: Asked) -> dict[str, Any]:
    """Tell how the questions ended, and what the audit says of each."""
    ended: dict[str, dict[str, Any]] = {}

    async def one(number: int) -> None:
        found = await desk.get(WORKSPACE, f"{asked.prefix}{number}")
        by = [vote.by for vote in found.votes]
        decided = [decision.type for decision in found.decisions]
        ended[found.id] = {"status": found.status, "by": by, "decisions": decided, "closed": found.closed}

    await _each(one, asked.numbers)
    told: dict[str, list[str]] = {name: [] for name in ended}
    for noted in await desk.noted(WORKSPACE):
        name = noted.entry.data.get("question", "")
        if name in told:
            refused = noted.entry.data.get("refused")
            told[name].append(f"{noted.entry.kind}{':refused' if refused else ''}")
    checked = await desk.verified(WORKSPACE)
    return {"ended": ended, "told": told, "problems": list(checked.problems)}


async def _each(one: Callable[[int], Awaitable[None]], numbers: Iterable[int]) -> None:
    """Do a thing for every number in their order, some at a time."""
    left = iter(numbers)

    async def hand() -> None:
        for number in left:
            await one(number)

    await asyncio.gather(*(hand() for _ in range(_AT_ONCE)))
