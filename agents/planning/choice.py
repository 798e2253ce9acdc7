"""The choice between plans that can all run: the Pareto front, then the weights of who asks. Pure.

A plan that another one matches or beats in everything (quality, seconds, cost, exposure of data) is never chosen. Of
the rest the one with the highest utility is: weighted quality, less the weighted duration and cost, each as a share of
the highest among them, less the weighted exposure. Hard constraints and budgets have been held against the plans
before: they are not traded.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import moocore  # type: ignore[import-untyped]
import numpy as np
import numpy.typing as npt

from agents.planning.estimates import Estimate
from agents.planning.preferences import Preference
from agents.team import Weights

Floats = npt.NDArray[np.float64]


class Choice(NamedTuple):
    """Which plan, and how the others compare."""

    best: int
    """Index of the plan to take."""
    front: list[int]
    """Indices of the plans that no other one beats, in the order given."""
    utilities: list[float]


def choose(estimates: Sequence[Estimate], weights: Weights) -> Choice:
    """Return which of the plans is best; of equals the first."""
    costs = np.array([objectives(each) for each in estimates], float)
    front = [int(i) for i in np.flatnonzero(moocore.is_nondominated(costs, keep_weakly=True))]
    worth = [float(value) for value in utilities(costs, weights)]
    best = max(front, key=lambda i: (round(worth[i], 9), -i))
    return Choice(best, front, worth)


def objectives(estimate: Estimate) -> tuple[float, float, float, float]:
    """Return what is to be made small: less quality, seconds, cost in dollars or else in calls, exposure of data."""
    cost = estimate.calls if estimate.dollars is None else estimate.dollars
    return -estimate.quality, estimate.seconds, cost, estimate.privacy


def utilities(costs: Floats, weights: Weights) -> Floats:
    """Return the utility of each row of `objectives`, shape [plans]."""
    quality, seconds, cost, exposed = costs.T
    paid = weights.latency * _share(seconds) + weights.cost * _share(cost) + weights.privacy * exposed
    return np.asarray(weights.quality * -quality - paid)


def _share(values: Floats) -> Floats:
    return values / max(float(values.max()), 1e-12)


def rationale(why: str, estimates: Sequence[Estimate], choice: Choice, preference: Preference) -> str:
    """Return one paragraph: the planner's reason, what is expected, and what was traded against the other plans."""
    chosen = estimates[choice.best]
    parts = [why.strip(), f"It is expected to reach {_described(chosen)} ({chosen.basis})."]
    others = [i for i in choice.front if i != choice.best and estimates[i] != chosen]
    if others:
        rival = max(others, key=lambda i: choice.utilities[i])
        gains, losses = traded(chosen, estimates[rival])
        parts.append(_trade(gains, losses, preference))
    beaten = len(estimates) - len(choice.front)
    if beaten:
        parts.append(f"{_plans(beaten)} left out, being no better in anything.")
    return " ".join(part if part.endswith((".", "!", "?")) else f"{part}." for part in parts if part)


def traded(chosen: Estimate, other: Estimate) -> tuple[list[str], list[str]]:
    """Return in which points the chosen plan is better than another one, and in which worse, in words."""
    gains, losses = list[str](), list[str]()
    for text, more, less, difference, least in _points(chosen, other):
        if abs(difference) >= least:
            # Quality is the one point of which more is better.
            is_better = (difference > 0) is (text == "{:.2f} {} quality")
            (gains if is_better else losses).append(text.format(abs(difference), more if difference > 0 else less))
    return gains, losses


def _points(chosen: Estimate, other: Estimate) -> Iterable[tuple[str, str, str, float, float]]:
    """Yield each point as its text, its words for more and less, the difference, and the least one worth a word."""
    yield "{:.2f} {} quality", "more", "less", chosen.quality - other.quality, 0.005
    yield "{:.0f} s {} time", "more", "less", chosen.seconds - other.seconds, 0.5
    if chosen.dollars is not None and other.dollars is not None:
        yield "${:.3f} {}", "more", "less", chosen.dollars - other.dollars, 0.0005
    else:
        yield "{:.0f} {} model calls", "more", "fewer", chosen.calls - other.calls, 0.5
    yield "{:.2f} {} exposure of data", "more", "less", chosen.privacy - other.privacy, 0.005


def _trade(gains: Sequence[str], losses: Sequence[str], preference: Preference) -> str:
    if not gains or not losses:
        return "The next best plan hardly differs."
    weights = ", ".join(f"{name} {weight:g}" for name, weight in preference.weights.model_dump().items())
    return (
        f"Against the next best plan it trades {_listed(losses)} for {_listed(gains)}, "
        f"by {preference.source} ({weights})."
    )


def _described(estimate: Estimate) -> str:
    price = f" for ${estimate.dollars:.3f}" if estimate.dollars else ""
    calls = f" with {estimate.calls:.0f} model calls" if estimate.calls else ""
    return f"a quality of {estimate.quality:.2f} in {estimate.seconds:.0f} s{calls}{price}"


def _listed(parts: Sequence[str]) -> str:
    return " and ".join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else parts[0]


def _plans(number: int) -> str:
    return "One other plan was" if number == 1 else f"{number} other plans were"
