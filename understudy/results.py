"""What a caller gets back from a run."""

from dataclasses import dataclass, field

from domain.events import ApprovalRequested, RunFinished, Stamped
from domain.outcomes import Outcome
from understudy.threads import Pending


@dataclass(frozen=True)
class RunResult:
    """How far a run came."""

    thread: str
    outcome: Outcome | None
    """None while the run waits for a person or was stopped."""
    pending: Pending | None
    events: list[Stamped] = field(repr=False)

    @classmethod
    def of(cls, events: list[Stamped]) -> "RunResult":
        """Return how far a run came that told these events."""
        last = events[-1]
        outcome = last.event.outcome if isinstance(last.event, RunFinished) else None
        asked = last.event if isinstance(last.event, ApprovalRequested) else None
        pending = Pending(interrupt=asked.interrupt, requests=asked.requests) if asked else None
        return cls(thread=last.thread, outcome=outcome, pending=pending, events=events)
