"""One run among faults: how it ended, what went wrong in it, and whether each failure names its cause."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from domain import errors
from domain.events import Event, ModelCalled, RecoveryChosen, RoleDegraded, StepFinished, ToolReturned
from domain.outcomes import Failure, Outcome
from domain.plans import Plan
from domain.reactions import REACTIONS

Grade = Literal["clean", "degraded", "partial", "failed"]
"""`clean`: the goal was reached as planned; `degraded`: it was reached, with rule-based twins; `partial`: a budget ran
out, and what was found until then is shown; `failed`: anything else."""
USABLE: tuple[Grade, ...] = ("clean", "degraded", "partial")


@dataclass(frozen=True)
class Ran:
    """One finished run."""

    what: str
    """Team, kind and number, for a person."""
    outcome: Outcome | None
    """None where an exception came out, or it waits for a person for ever."""
    error: str
    """The exception, or why there is no outcome."""
    events: Sequence[Event] = field(repr=False)
    delivered: bool
    """Whether every file that its plan writes is there."""
    seconds: float
    tool_calls: int
    """Calls of tools, those of the rule-based twins included."""
    tool_faults: int
    """Those of them that were made to fail."""

    @property
    def grade(self) -> Grade:
        """How good the end is."""
        outcome = self.outcome
        if outcome is None or not outcome.answer.strip():
            return "failed"
        if outcome.status == "budget_exceeded":
            return "partial" if self._found() else "failed"
        if not outcome.success or (outcome.status == "done" and not (self._found() and self.delivered)):
            return "failed"
        return "degraded" if outcome.degraded else "clean"

    @property
    def recoveries(self) -> Counter[str]:
        """What was done about failures, by rung."""
        return Counter(event.rung for event in self.events if isinstance(event, RecoveryChosen))

    def failures(self) -> list[tuple[str, bool]]:
        """Return every failure in words, with whether it names its cause: a known code, and where it happened."""
        told = [_told(event) for event in self.events]
        return [each for each in (*told, self._ending()) if each is not None]

    def _ending(self) -> tuple[str, bool] | None:
        """Return the failure of the run as a whole."""
        if self.outcome is None:
            return f"run: {self.error}", False
        failure = self.outcome.failure
        if self.outcome.success and failure is None:
            return None
        if failure is None:
            return f"run: {self.outcome.status} without a failure", False
        return f"run: {failure.code}: {failure.message}", _known(failure) and self._places(failure.message)

    def _places(self, message: str) -> bool:
        """Return whether a message says which step it was."""
        steps = self.outcome.plan.steps if self.outcome and self.outcome.plan else []
        return any(repr(step.id) in message for step in steps)

    def _found(self) -> bool:
        """Return whether a step gave something."""
        results = [event.result for event in self.events if isinstance(event, StepFinished)]
        return any(result.status == "done" and result.text.strip() and not result.empty for result in results)


def is_delivered(plan: Plan | None, folder: Path) -> bool:
    """Return whether every file that a plan writes is in the folder."""
    paths = [step.args.get("path") for step in plan.steps if step.tool == "write_file"] if plan else []
    return all((folder / str(path)).is_file() for path in paths)


def _told(event: Event) -> tuple[str, bool] | None:
    """Return the failure that an event tells of."""
    match event:
        case StepFinished(result=result) if result.failure is not None:
            return f"step {result.step}: {result.failure.code}: {result.failure.message}", _known(result.failure)
        case ToolReturned(failure=Failure() as failure):
            return f"tool {event.tool}: {failure.code}: {failure.message}", _known(failure)
        case ModelCalled(failure=Failure() as failure):
            return f"model {event.model}: {failure.code}: {failure.message}", _known(failure)
        case RoleDegraded():
            return f"role {event.role}: {event.reason}", event.reason.partition(":")[0] in known_codes()
        case RecoveryChosen():
            return f"recovery: {event.why}", any(code in event.why for code in known_codes())
        case _:
            return None


def _known(failure: Failure) -> bool:
    return failure.code in known_codes() and bool(failure.message.strip())


def known_codes() -> set[str]:
    """Return the codes that say what went wrong; the bases of the tree do not."""
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    own = {kind.code for kind in kinds if issubclass(kind, errors.UnderstudyError)}
    return (own | REACTIONS.keys()) - {errors.UnderstudyError.code}
