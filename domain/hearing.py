"""What several checkpoints at one place say together: the strictest wins, and every reason is told. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from domain.checkpoints import Checkpoint
from domain.verdicts import CheckpointStatus, CheckpointVerdict
from domain.voting import may_answer
from domain.waiting import Level, OnTimeout, Patience

_STRICTEST: tuple[OnTimeout, ...] = ("reject", "halt", "escalate", "approve")
"""What may follow when the time is over, the strictest first."""


@dataclass(frozen=True)
class Said:
    """One checkpoint with its verdict."""

    checkpoint: Checkpoint
    verdict: CheckpointVerdict


@dataclass(frozen=True)
class Heard:
    """What the checkpoints at one place say."""

    said: tuple[Said, ...] = ()

    @property
    def verdicts(self) -> tuple[CheckpointVerdict, ...]:
        """Every verdict, also of checkpoints that let the run pass."""
        return tuple(each.verdict for each in self.said)

    @property
    def asking(self) -> tuple[Said, ...]:
        """The checkpoints that want a person, those that escalate first."""
        asking = [each for each in self.said if each.verdict.asks]
        return tuple(sorted(asking, key=lambda each: each.verdict.status != "escalated"))

    @property
    def notifying(self) -> tuple[Said, ...]:
        """The checkpoints that want people to be told."""
        return self._of("notified")

    @property
    def blocked(self) -> str:
        """Why nothing passes, in words; empty where nothing blocks."""
        reasons = [_reason(each) for each in self._of("blocked")]
        if not reasons and self.asking and self.patience() is None:
            names = " and ".join(repr(each.checkpoint.name) for each in self.asking)
            reasons = [f"nobody may answer for {names} together"]
        return "; ".join(reasons)

    @property
    def reasons(self) -> list[str]:
        """Why a person is asked, of every checkpoint that asks."""
        return [_reason(each) for each in self.asking]

    @property
    def name(self) -> str:
        """The checkpoint that the question is named after: the strictest that asks."""
        return self.asking[0].checkpoint.name if self.asking else ""

    def patience(self, *, undoable: bool = False) -> Patience | None:
        """Return how the question waits; None where nobody may answer for all checkpoints that ask.

        The shortest time, the strictest end, the largest quorum, and those who may answer for each of them.

        Args:
            undoable: Whether what is asked about can be taken back; only then may the clock approve.
        """
        waits = [each.checkpoint.patience for each in self.asking]
        if not waits:
            return Patience(undoable=undoable)
        escalated = any(each.verdict.status == "escalated" for each in self.asking)
        approvers = _common([wait.approvers for wait in waits if wait.approvers])
        chain = next((wait.escalation for wait in waits if wait.escalation), ())
        levels = tuple(narrowed for level in chain if (narrowed := _for_all(level, waits)))
        if escalated and chain and not levels:
            return None
        quorum = max(wait.quorum for wait in waits)
        opens_at = levels[0].to if escalated and levels else approvers
        if opens_at is not None and quorum > len(set(opens_at)):
            return None
        end = min((wait.on_timeout for wait in waits), key=_STRICTEST.index)
        return Patience(
            timeout_seconds=min(wait.timeout_seconds for wait in waits),
            on_timeout="halt" if end == "approve" and not undoable else end,
            approvers=approvers or (),
            quorum=quorum,
            escalation=levels,
            escalated=escalated and bool(levels),
            undoable=undoable,
        )

    def _of(self, status: CheckpointStatus) -> tuple[Said, ...]:
        return tuple(each for each in self.said if each.verdict.status == status)


def _for_all(level: Level, waits: Sequence[Patience]) -> Level | None:
    """Return a level with those of its people who may answer for every checkpoint, or None where nobody may."""
    able = [may_answer(wait, len(wait.escalation)) for wait in waits]
    to = tuple(user for user in level.to if all(users is None or user in users for users in able))
    return level.model_copy(update={"to": to}) if to else None


def _common(groups: Sequence[tuple[str, ...]]) -> tuple[str, ...] | None:
    """Return who is in every group, in the order of the first; None where there are no groups."""
    if not groups:
        return None
    return tuple(user for user in groups[0] if all(user in group for group in groups))


def _reason(said: Said) -> str:
    checkpoint = said.checkpoint
    purpose = f" — {checkpoint.description.rstrip(' .')}" if checkpoint.description else ""
    return f"checkpoint {checkpoint.name!r}{purpose} ({said.verdict.reason})"
