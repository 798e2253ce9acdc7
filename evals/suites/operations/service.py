"""A call-handling service by the hour: what its parameters cost, how long callers wait, how well they are served.

    {"hour": 9, "calls_per_hour": 240, "patience_seconds": 180, "seed": 3, "noise": 0.01,
     "parameters": {"agents": 24, "handle_seconds": 300, "callback_after_seconds": 0, "automation_share": 0.1},
     "limits": {"agents": [10, 40]}, "guards": {"service_level": [0.8, 1]}, "drift": {"calls": 1.3},
     "faults": {"read_status": 1}, "last_report": {"hour": 8, "metrics": {...}}, "log": []}

What the parameters give is reckoned in `queueing`. Measured metrics have noise; a forecast has none and knows nothing
of a `drift` that the world may hold. Whatever is set must be within the limits, within the cost that was allowed, and
may not be foreseen to break a guard.
"""

import math
import random
from collections.abc import Mapping, Sequence
from typing import Any

from domain.errors import ToolError
from evals.suites.operations.queueing import Metrics, metrics
from evals.suites.state_file import changing, seen, world_path

PARAMETERS: Mapping[str, tuple[float, float]] = {
    "agents": (5, 60),
    "handle_seconds": (180, 600),
    "callback_after_seconds": (0, 600),
    "automation_share": (0.0, 0.6),
}
"""What can be set, from the lowest to the highest value; a world may allow less."""
GUARDS: Mapping[str, tuple[float, float]] = {"service_level": (0.8, 1.0), "abandoned": (0.0, 0.1)}
"""Metrics that must stay within bounds; a world may have others."""
_CENT = 0.005


class Refused(ToolError):
    """What is asked is not allowed; nothing was changed."""


class Broken(ToolError):
    """A metric is not within its guard."""


class SourceAway(ToolError):
    """The source of the metrics does not answer."""


def status() -> dict[str, Any]:
    """Return the parameters, their limits, the guards, the load, and the metrics as they are measured now.

    Raises:
        SourceAway: The world says that the source is away, this time.
    """
    world = seen(world_path())
    _answer_or_fail("read_status", world)
    shown = measured(world)
    return {
        "hour": world["hour"],
        "calls_per_hour": world["calls_per_hour"],
        "parameters": world["parameters"],
        "limits": limits(world),
        "guards": guards(world),
        "metrics": shown,
        "broken": broken(shown, world),
    }


def last_report() -> dict[str, Any]:
    """Return the metrics as they were reported last, an hour or more ago.

    Raises:
        SourceAway: Nothing was ever reported.
    """
    report: dict[str, Any] | None = seen(world_path()).get("last_report")
    if report is None:
        msg = "there is no report"
        raise SourceAway(msg)
    return report


def forecast(candidates: Sequence[Mapping[str, float]], calls_per_hour: float | None = None) -> dict[str, Any]:
    """Return the metrics that each candidate would give, with the guards that it would break.

    Args:
        candidates: Parameters; those that are left out stay as they are.
        calls_per_hour: The load to reckon with; None: that of now.

    Raises:
        Refused: A parameter does not exist or is outside of its limits, or there is no candidate.
    """
    world = seen(world_path())
    calls = world["calls_per_hour"] if calls_per_hour is None else calls_per_hour
    if not candidates or not (math.isfinite(calls) and calls >= 0):
        msg = "name at least one candidate" if not candidates else f"no load is {calls!r} calls an hour"
        raise Refused(msg)
    world = world | {"calls_per_hour": calls}
    found = []
    for candidate in candidates:
        parameters = world["parameters"] | (_allowed(world, candidate) if candidate else {})
        foreseen = _rounded(metrics(parameters, world))
        found.append(
            {
                "changes": dict(candidate),
                "parameters": parameters,
                "metrics": foreseen,
                "broken": broken(foreseen, world),
            }
        )
    return {"calls_per_hour": calls, "candidates": found}


def set_parameters(parameters: Mapping[str, float], cost: float = 0.0) -> dict[str, Any]:
    """Set parameters and return what was there before, what is there now, and the metrics measured next.

    Args:
        parameters: By name; those that are left out stay as they are.
        cost: Dollars an hour that it may cost more than now.

    Raises:
        Refused: A parameter does not exist or is outside of its limits, it would cost more, or a guard that holds now
            is foreseen to break; nothing is changed.
    """
    with changing(world_path()) as world:
        wanted = _allowed(world, parameters)
        now, then = (_rounded(metrics(world["parameters"] | more, world)) for more in ({}, wanted))
        if (more := then["cost_per_hour"] - now["cost_per_hour"]) > cost + _CENT:
            msg = f"it would cost {more:.2f} dollars an hour more, and {cost:.2f} are allowed"
            raise Refused(msg)
        if worse := [name for name in _outside(then, world) if name not in _outside(now, world)]:
            msg = f"it is foreseen to break a guard: {'; '.join(_in_words(name, then, world) for name in worse)}"
            raise Refused(msg)
        before = {name: world["parameters"][name] for name in wanted}
        world["parameters"] |= wanted
        world.setdefault("log", []).append({"before": before, "after": wanted})
        return {"before": before, "after": wanted, "metrics": measured(world)}


def check_guards() -> dict[str, Any]:
    """Return the last change, the parameters and the metrics as they are measured now, where every guard holds.

    Raises:
        Broken: One does not.
    """
    world = seen(world_path())
    shown = measured(world)
    if found := broken(shown, world):
        msg = f"a guard does not hold: {'; '.join(found)}"
        raise Broken(msg)
    return {
        "hour": world["hour"],
        "last_change": world["log"][-1] if world.get("log") else None,
        "parameters": world["parameters"],
        "metrics": shown,
        "guards": guards(world),
    }


def was_set(parameters: Mapping[str, float], cost: float = 0.0) -> bool:  # a call's own arguments
    """Return whether a call of `set_parameters` had its effect."""
    return any(entry["after"] == dict(parameters) for entry in seen(world_path()).get("log", []))


def put_back(parameters: Mapping[str, float], cost: float = 0.0) -> str:  # a call's own arguments
    """Take the latest call of `set_parameters` back, where it is this one.

    Raises:
        Refused: Others have been set since, or it was never made.
    """
    with changing(world_path()) as world:
        log = world.get("log", [])
        if not log or log[-1]["after"] != dict(parameters):
            msg = "the parameters were set otherwise since; they are left as they are"
            raise Refused(msg)
        before = log.pop()["before"]
        world["parameters"] |= before
        return f"back to {', '.join(f'{name} {value:g}' for name, value in before.items())}"


def limits(world: Mapping[str, Any]) -> dict[str, tuple[float, float]]:
    """Return the lowest and highest value of each parameter."""
    own = world.get("limits", {})
    return {name: tuple(own.get(name, bounds)) for name, bounds in PARAMETERS.items()}


def guards(world: Mapping[str, Any]) -> dict[str, tuple[float, float]]:
    """Return the lowest and highest value of each guarded metric."""
    return {name: (low, high) for name, (low, high) in world.get("guards", GUARDS).items()}


def broken(shown: Mapping[str, float], world: Mapping[str, Any]) -> list[str]:
    """Return in words each guard that metrics do not keep."""
    return [_in_words(name, shown, world) for name in _outside(shown, world)]


def _outside(shown: Mapping[str, float], world: Mapping[str, Any]) -> list[str]:
    return [name for name, (low, high) in guards(world).items() if not low <= shown[name] <= high]


def _in_words(name: str, shown: Mapping[str, float], world: Mapping[str, Any]) -> str:
    low, high = guards(world)[name]
    return f"{name} {shown[name]:.4g} is not within {low:g} and {high:g}"


def _answer_or_fail(source: str, world: Mapping[str, Any]) -> None:
    """Raise `SourceAway` as often as the world says that this source fails."""
    if not world.get("faults", {}).get(source):
        return
    with changing(world_path()) as kept:
        kept["faults"][source] -= 1
    msg = "the metrics source does not answer"
    raise SourceAway(msg)


def measured(world: Mapping[str, Any]) -> dict[str, float]:
    """Return the metrics as they show: with the world's drift, and noise that depends on hour and parameters alone."""
    drift, noise = world.get("drift", {}), float(world.get("noise", 0.0))
    true = metrics(world["parameters"], {**world, "calls_per_hour": world["calls_per_hour"] * drift.get("calls", 1.0)})
    lots = random.Random(f"{world.get('seed', 0)}:{world['hour']}:{sorted(world['parameters'].items())}")
    shown = {}
    for name, value in _rounded(true).items():
        noisy = value * (1 + lots.gauss(0, noise)) if name != "cost_per_hour" else value
        shown[name] = round(min(1.0, noisy) if name in _SHARES else noisy, 4)
    return shown


_SHARES = frozenset({"service_level", "abandoned", "occupancy", "resolved", "satisfaction"})


def _allowed(world: Mapping[str, Any], parameters: Mapping[str, float]) -> dict[str, float]:
    bounds = limits(world)
    if not parameters or (unknown := sorted(set(parameters) - set(bounds))):
        msg = f"there is no parameter {', '.join(unknown)}" if parameters else "no parameter is named"
        raise Refused(f"{msg}; there are {', '.join(bounds)}")
    for name, value in parameters.items():
        low, high = bounds[name]
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not (is_number and low <= value <= high and (name != "agents" or value == int(value))):
            msg = f"{name} takes {'whole numbers from ' if name == 'agents' else ''}{low:g} to {high:g}, not {value!r}"
            raise Refused(msg)
    return dict(parameters)


def _rounded(found: Metrics) -> dict[str, float]:
    return {name: round(value, 4) for name, value in found._asdict().items()}
