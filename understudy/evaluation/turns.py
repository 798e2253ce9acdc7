"""What people did in a conversation, read off its events: what they said, how they answered, when time passed."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from domain.approvals import Decision
from domain.errors import UserError
from domain.events import (
    ApprovalDecided,
    ApprovalRequested,
    EffectUndone,
    RunFinished,
    RunStarted,
    RunStopped,
    Stamped,
)
from domain.questions import CLOCK
from evals.recording.task import Turn


class NotRecordable(UserError):
    """A conversation cannot become a recorded task; the message says why."""

    code = "not_recordable"


class Part(NamedTuple):
    """A turn, and what came of it."""

    turn: Turn
    events: list[Stamped]
    """Up to where the run ended or asked; what was told again later is left out."""

    @property
    def is_over(self) -> bool:
        """Whether the run ended or asked."""
        return bool(self.events) and isinstance(self.events[-1].event, RunFinished | ApprovalRequested)


def parts_of(events: Sequence[Stamped]) -> list[Part]:
    """Return the turns of a conversation that is over, or waits for an answer that nobody has begun to give.

    What was undone after the last turn is left out: a replay undoes nothing.

    Raises:
        NotRecordable: A run goes on or was left where it was, its question was answered in part, or something was
            undone between turns.
    """
    if not events or not isinstance(events[-1].event, RunFinished | ApprovalRequested):
        why = "was stopped" if events and isinstance(events[-1].event, RunStopped) else "has not come to an end"
        msg = f"the conversation {why}; resume it first"
        raise NotRecordable(msg)
    parts = _Reader().read(events)
    if left := next((number for number, part in enumerate(parts, 1) if not part.is_over), 0):
        msg = f"turn {left} was interrupted and never carried on, so nobody knows how it would have ended"
        raise NotRecordable(msg)
    return parts


class _Reader:
    """Reads a conversation from its beginning."""

    def __init__(self) -> None:
        self._parts: list[Part] = []
        self._asked: ApprovalRequested | None = None
        self._asked_at = 0.0
        self._decided: dict[str, Decision] = {}
        self._is_undone = False

    def read(self, events: Iterable[Stamped]) -> list[Part]:
        """Return the turns."""
        for stamped in events:
            is_new = self._take(stamped)
            if self._parts and (is_new or not self._parts[-1].is_over):
                self._parts[-1].events.append(stamped)
            elif isinstance(stamped.event, EffectUndone):
                self._is_undone = True
        return self._parts

    def _take(self, stamped: Stamped) -> bool:
        """Take what a person may have done; return whether a turn begins with it."""
        match stamped.event:
            case RunStarted(goal=goal) if not self._is_repeated(stamped):
                self._asked = None
                return self._begin({"say": goal})
            case ApprovalRequested() as question if self._asked is None or question.interrupt != self._asked.interrupt:
                self._asked, self._asked_at, self._decided = question, stamped.time, {}
            case ApprovalDecided(request=request, decision=decision) if _is_asked(self._asked, request):
                self._decided[request] = decision
                return self._is_answered(stamped.time)
            case _:
                pass
        return False

    def _is_answered(self, time: float) -> bool:
        """Return whether a turn begins, since the last request of the question is decided."""
        if self._asked is None or len(self._decided) < len(self._asked.requests):
            return False
        given, self._asked = _answer(self._asked, self._decided, time - self._asked_at), None
        return self._begin(given)

    def _is_repeated(self, stamped: Stamped) -> bool:
        """Return whether a run begins once more that had been interrupted at its beginning."""
        last = self._parts[-1] if self._parts else None
        return last is not None and not last.is_over and last.events[-1].run == stamped.run

    def _begin(self, turn: dict[str, Any]) -> bool:
        if self._is_undone:
            msg = "something was undone before its last turn, which a replay would not do"
            raise NotRecordable(msg)
        self._parts.append(Part(Turn.model_validate(turn), []))
        return True


def _is_asked(question: ApprovalRequested | None, request: str) -> bool:
    return question is not None and any(each.id == request for each in question.requests)


def _answer(asked: ApprovalRequested, decided: dict[str, Decision], seconds: float) -> dict[str, Any]:
    """Return an answer as a turn; one that the clock gave is time that passed."""
    decisions = [decided[request.id] for request in asked.requests]
    if all(decision.by == CLOCK for decision in decisions):
        return {"wait": max(1.0, seconds)}
    return {"decide": [d.model_dump(mode="json", exclude={"by"}, exclude_defaults=True) for d in decisions]}
