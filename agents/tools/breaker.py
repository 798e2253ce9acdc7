"""A circuit breaker: what breaks down time after time is left alone for a while, then tried once. Pure.

After M. Nygard, Release It! (2007): closed while it works, open while it rests, half-open for one trial call.
"""

from typing import Literal

BreakerState = Literal["closed", "open", "half_open"]

BROKEN_AFTER = 3
"""Breakdowns in a row that open it."""
REST_SECONDS = 30.0
"""How long it rests at first; twice as long after each trial that fails."""
MAX_REST_SECONDS = 600.0


def rest(breakdowns: int) -> float:
    """Return the seconds of rest after so many breakdowns in a row."""
    if breakdowns < BROKEN_AFTER:
        return 0.0
    return float(min(MAX_REST_SECONDS, REST_SECONDS * 2 ** min(breakdowns - BROKEN_AFTER, 16)))


def state_of(breakdowns: int, since: float, now: float) -> BreakerState:
    """Return the state after so many breakdowns in a row, the latest at `since`; times in seconds of one clock."""
    if breakdowns < BROKEN_AFTER:
        return "closed"
    return "open" if 0 <= now - since < rest(breakdowns) else "half_open"
