"""How a call service does by its parameters and its load.

Waiting follows Erlang's delay formula (Erlang, 1917); callers whose patience ends leave, which thins the load (a fixed
point in place of the exact Erlang-A model).
"""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

WAGE = 28.0
"""Dollars that an agent costs an hour."""
AUTOMATED = 0.12
"""Dollars that an automated call costs."""
_ANSWER_WITHIN = 20.0
"""Seconds of the service level."""
_ROUNDS = 60


class Metrics(NamedTuple):
    """How the service does."""

    cost_per_hour: float
    """Dollars."""
    mean_wait_seconds: float
    service_level: float
    """Share of calls answered within 20 s."""
    abandoned: float
    """Share of calls that were given up."""
    occupancy: float
    """Share of the agents' time that is spent on calls."""
    resolved: float
    """Share of calls that end with the matter settled."""
    satisfaction: float
    """0-1."""


def metrics(parameters: Mapping[str, float], world: Mapping[str, Any]) -> Metrics:
    """Return the metrics of parameters under a load."""
    agents, handle = int(parameters["agents"]), float(parameters["handle_seconds"])
    calls, automated = float(world["calls_per_hour"]), float(parameters["automation_share"])
    patience = float(world.get("patience_seconds", 180))
    callback = float(parameters["callback_after_seconds"])
    spoken = calls * (1 - automated)
    abandoned, wait, delayed, load = _queue(spoken, handle, agents, patience, callback)
    answered_late = delayed * math.exp(-max(0.0, agents - load) * _ANSWER_WITHIN / handle)
    by_person = min(0.97, 0.55 + 0.4 * (1 - math.exp(-handle / 240)))
    resolved = (1 - automated) * (1 - abandoned) * by_person + automated * max(0.2, 0.75 - 0.5 * automated)
    return Metrics(
        cost_per_hour=agents * WAGE + calls * automated * AUTOMATED,
        mean_wait_seconds=wait,
        service_level=1 - answered_late,
        abandoned=abandoned,
        occupancy=min(1.0, load / agents),
        resolved=resolved,
        satisfaction=max(0.0, resolved * (1 - 0.5 * min(1.0, wait / 300))),
    )


def _queue(
    calls: float, handle: float, agents: int, patience: float, callback: float
) -> tuple[float, float, float, float]:
    """Return share abandoned, mean wait in seconds, share delayed, and load in Erlangs of an hour of calls.

    The more callers leave, the less those who stay wait, and the fewer leave: the one share that agrees with itself is
    found by bisection.
    """

    def waiting(abandoned: float) -> tuple[float, float, float]:
        load = min(calls * (1 - abandoned) * handle / 3600, agents * 0.9999)
        delayed = _delayed(load, agents)
        wait = delayed * handle / (agents - load)
        # Whoever would wait longer is called back and keeps no line.
        return min(wait, callback) if callback else wait, delayed, load

    low, high = 0.0, 1.0
    for _ in range(_ROUNDS):
        middle = (low + high) / 2
        leaves = 1 - math.exp(-waiting(middle)[0] / patience)
        low, high = (middle, high) if leaves > middle else (low, middle)
    return high, *waiting(high)


def _delayed(load: float, agents: int) -> float:
    """Return Erlang's probability of delay, by the recursion over Erlang's loss formula, which does not overflow."""
    loss = 1.0
    for n in range(1, agents + 1):
        loss = load * loss / (n + load * loss)
    return loss / (1 - load / agents * (1 - loss))
