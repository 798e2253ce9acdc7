"""What the service's controls answer, in sentences that can stand in an answer as they are."""

from collections.abc import Iterable, Mapping
from typing import Any

from evals.suites.operations.queueing import Metrics
from evals.suites.operations.service import PARAMETERS

_SHARES = {"service_level", "abandoned", "occupancy", "resolved"}


def of_status(status: Mapping[str, Any]) -> str:
    """Return how the service does now."""
    state = "All guards hold." if not status["broken"] else f"Broken: {'; '.join(status['broken'])}."
    return (
        f"Hour {status['hour']}, {status['calls_per_hour']:g} calls an hour, with {_set(status['parameters'])}: "
        f"{_metrics(status['metrics'])}. {state} Guards: {_bounds(status['guards'])}. "
        f"Limits: {_bounds(status['limits'])}. [read_status]"
    )


def of_report(report: Mapping[str, Any]) -> str:
    """Return how the service did when it was reported last."""
    return (
        f"Last report, of hour {report['hour']} (not measured now): {report['calls_per_hour']:g} calls an hour, with "
        f"{_set(report['parameters'])}: {_metrics(report['metrics'])}. [read_last_report]"
    )


def of_forecast(found: Mapping[str, Any]) -> str:
    """Return what each candidate would give, as a list."""
    lines = [
        f"- {_set(each['changes']) or 'as now'}: {_metrics(each['metrics'])}; "
        + (f"breaks {'; '.join(each['broken'])}" if each["broken"] else "keeps every guard")
        for each in found["candidates"]
    ]
    return "\n".join([f"Forecast at {found['calls_per_hour']:g} calls an hour [forecast]:", *lines, *_cheapest(found)])


def _cheapest(found: Mapping[str, Any]) -> list[str]:
    sound = [each for each in found["candidates"] if not each["broken"]]
    if not sound or len(found["candidates"]) == 1:
        return []
    best = min(sound, key=lambda each: each["metrics"]["cost_per_hour"])
    cost = best["metrics"]["cost_per_hour"]
    return [f"Of these the cheapest that keeps every guard: {_set(best['changes']) or 'as now'}, {cost:.2f} an hour."]


def of_change(done: Mapping[str, Any]) -> str:
    """Return what was set."""
    return f"Set {_set(done['after'])} (before: {_set(done['before'])}). Measured next: {_metrics(done['metrics'])}."


def of_guards(found: Mapping[str, Any]) -> str:
    """Return that all guards hold."""
    changed = found["last_change"]
    told = f"Set {_set(changed['after'])} (before: {_set(changed['before'])}). " if changed else ""
    return (
        f"{told}Hour {found['hour']}, running with {_set(found['parameters'])}: {_metrics(found['metrics'])}. "
        f"Every guard holds ({_bounds(found['guards'])}). [check_guards]"
    )


def _set(parameters: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {parameters[name]:g}" for name in _known(PARAMETERS, parameters))


def _metrics(metrics: Mapping[str, float]) -> str:
    return ", ".join(
        f"{name.replace('_', ' ')} {metrics[name]:{'.1%' if name in _SHARES else '.2f'}}"
        for name in _known(Metrics._fields, metrics)
    )


def _bounds(bounds: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {low:g} to {high:g}" for name, (low, high) in bounds.items())


def _known(names: Iterable[str], found: Mapping[str, Any]) -> list[str]:
    """Return the names that are there, in the order in which they are always told."""
    return [name for name in names if name in found]
