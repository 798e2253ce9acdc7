"""The clock of a played task: it stands at the task's time, and moves where the task says so."""

_TICK = 1e-6
"""Seconds between two readings, so that what was written later also is later."""


class TaskClock:
    """Unix time in seconds, the same in every play. Call it to read it."""

    def __init__(self) -> None:
        self._now = 0.0

    def __call__(self) -> float:
        """Return the time."""
        self._now += _TICK
        return self._now

    def set(self, time: float) -> None:
        """Stand at a time, in unix seconds."""
        self._now = time

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._now += seconds
