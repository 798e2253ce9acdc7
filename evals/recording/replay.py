"""Answers from a recording.

Strictly, a request that was never recorded is a miss; tolerantly, the recording of the same role at the same position
answers a prompt that has changed.
"""

import difflib
from collections import defaultdict, deque
from collections.abc import Sequence
from typing import Literal, NamedTuple

from langchain_core.messages import AIMessage

from agents.exchanges.calls import Asked, RecordedCall

Mode = Literal["strict", "tolerant"]
_DIFF_LINES = 60


class Drift(NamedTuple):
    """A request that differs from what was recorded."""

    role: str
    step: str
    position: int
    """Which call of its role and step it is, from 1."""
    diff: str
    """Unified, from the nearest recorded request to this one."""
    answered: bool
    """Whether the recording at its position answered it all the same."""


class ReplayMiss(AssertionError):
    """A request that the recording does not hold."""

    def __init__(self, drift: Drift) -> None:
        super().__init__(f"{_place(drift)} was never recorded like this:\n{drift.diff}")
        self.drift = drift


class RecordedFailure(Exception):
    """A call that failed when it was recorded, and fails again."""

    def __init__(self, call: RecordedCall) -> None:
        super().__init__(call.reason)
        self.code = call.failure


class Replay:
    """One replay of a recorded task: every recorded call answers once."""

    def __init__(self, calls: Sequence[RecordedCall], mode: Mode = "strict") -> None:
        self.mode = mode
        self.drifts: list[Drift] = []
        """What was asked and not recorded, in the order in which it was asked."""
        self.seconds = 0.0
        """That the calls which were answered took when they were recorded."""
        self._calls = list(calls)
        self._places = self._numbered(calls)
        self._by_digest: dict[str, deque[int]] = defaultdict(deque)
        for number, call in enumerate(calls):
            self._by_digest[call.asked.digest].append(number)
        self._used: set[int] = set()
        self._asked: dict[tuple[str, str], int] = defaultdict(int)

    @property
    def unused(self) -> list[RecordedCall]:
        """Recorded calls that nobody made."""
        return [call for number, call in enumerate(self._calls) if number not in self._used]

    def answer(self, role: str, step: str, asked: Asked) -> AIMessage:
        """Return what was recorded for a request.

        Raises:
            ReplayMiss: There is nothing.
            RecordedFailure: The recorded call failed.
        """
        self._asked[role, step] += 1
        position = self._asked[role, step]
        number = self._exact(role, step, asked)
        if number is None:
            number = self._drifted(role, step, position, asked)
        self._used.add(number)
        call = self._calls[number]
        self.seconds += call.seconds
        if call.answered is None:
            raise RecordedFailure(call)
        return call.answered.message()

    def _exact(self, role: str, step: str, asked: Asked) -> int | None:
        """Return the first unused recording of this very request; that of the same role and step goes first."""
        open_ones = [number for number in self._by_digest.get(asked.digest, ()) if number not in self._used]
        own = [n for n in open_ones if (self._calls[n].role, self._calls[n].step) == (role, step)]
        return next(iter([*own, *open_ones]), None)

    def _drifted(self, role: str, step: str, position: int, asked: Asked) -> int:
        number = self._places.get((role, step, position))
        usable = self.mode == "tolerant" and number is not None and number not in self._used
        nearest = self._calls[number].asked if usable and number is not None else self._nearest(role, asked)
        drift = Drift(role, step, position, _diff(nearest, asked), usable)
        self.drifts.append(drift)
        if not usable or number is None:
            raise ReplayMiss(drift)
        return number

    def _nearest(self, role: str, asked: Asked) -> Asked | None:
        """Return the recorded request that is most like this one, of the same role where there is one."""
        same = [call.asked for call in self._calls if call.role == role] or [call.asked for call in self._calls]
        words = set(asked.text.split())
        return max(same, key=lambda other: _overlap(words, set(other.text.split())), default=None)

    @staticmethod
    def _numbered(calls: Sequence[RecordedCall]) -> dict[tuple[str, str, int], int]:
        seen: dict[tuple[str, str], int] = defaultdict(int)
        places = {}
        for number, call in enumerate(calls):
            seen[call.role, call.step] += 1
            places[call.role, call.step, seen[call.role, call.step]] = number
        return places


def _overlap(one: set[str], other: set[str]) -> float:
    """Return the Jaccard index of two sets of words."""
    return len(one & other) / max(1, len(one | other))


def _diff(recorded: Asked | None, asked: Asked) -> str:
    if recorded is None:
        return "(nothing was recorded)"
    lines = difflib.unified_diff(
        recorded.text.split("\n"), asked.text.split("\n"), "recorded", "asked now", lineterm="", n=1
    )
    shown = list(lines)
    left = len(shown) - _DIFF_LINES
    return "\n".join([*shown[:_DIFF_LINES], *([f"... {left} more lines"] if left > 0 else [])])


def _place(drift: Drift) -> str:
    return f"call {drift.position} of {drift.role or 'nobody'}" + (f" for step {drift.step!r}" if drift.step else "")
