"""What another policy would have earned on decisions that were made by an earlier one, where the log can tell.

A logged decision speaks for another policy only where that policy might have taken the same action. Decisions of a
policy that never tries anything else say nothing about others: such rows are counted and reported, not guessed.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from evals.statistics import DRAWS, Array, Interval, wilson

MAX_WEIGHT = 20.0
"""Larger weights are cut: a few rare rows would else decide everything."""
_ENOUGH = 10.0
"""Effective decisions below which an estimate is not given."""


class Logged(NamedTuple):
    """One decision of the past, seen by the policy that is asked about."""

    reward: float
    """What came of the action that was taken, 0-1."""
    propensity: float
    """Probability with which it was taken; 1 of a policy that draws no lots."""
    target: float
    """Probability with which the other policy takes the same action here."""
    expected: float | None = None
    """What a model expects of the action that was taken."""
    expected_target: float | None = None
    """What the model expects of the other policy here, over all its actions."""
    reachable: float = 1.0
    """Probability that the other policy takes an action which the logging policy might have taken here."""


class Estimate(NamedTuple):
    """What a policy is worth per decision."""

    value: float | None
    """None where the log does not allow an estimate."""
    interval: Interval | None
    method: str
    effective: float
    """Decisions that the log is worth for this policy (Kish, 1965)."""
    unsupported: float
    """Mean probability of actions that the log can say nothing about, 0-1."""
    note: str = ""


def inverse_propensity(rows: Sequence[Logged], *, seed: int = 0) -> Estimate:
    """Return the self-normalised inverse-propensity estimate (Swaminathan and Joachims, 2015)."""
    weights, rewards = _weights(rows), np.array([row.reward for row in rows])
    effective, unsupported = _effective(weights), _unsupported(rows)
    if effective < _ENOUGH:
        return Estimate(None, None, "inverse propensity", effective, unsupported, _too_little(effective, len(rows)))
    picks = _resamples(len(rows), seed)
    totals = weights[picks].sum(axis=1)
    drawn = (weights * rewards)[picks].sum(axis=1)[totals > 0] / totals[totals > 0]
    value = float((weights * rewards).sum() / weights.sum())
    interval = _interval(drawn, value, effective)
    return Estimate(value, interval, "inverse propensity", effective, unsupported, _warning(unsupported))


def doubly_robust(rows: Sequence[Logged], *, seed: int = 0) -> Estimate:
    """Return the doubly robust estimate (Dudik et al., 2011): right where the model is, or where the propensities are.

    Raises:
        ValueError: A row has no expectations of a model.
    """
    if any(row.expected is None or row.expected_target is None for row in rows):
        msg = "a doubly robust estimate needs what a model expects of every decision"
        raise ValueError(msg)
    weights = _weights(rows)
    effective, unsupported = _effective(weights), _unsupported(rows)
    if effective < _ENOUGH:
        return Estimate(None, None, "doubly robust", effective, unsupported, _too_little(effective, len(rows)))
    surprise = np.array([row.reward - (row.expected or 0.0) for row in rows])
    scores = np.array([row.expected_target or 0.0 for row in rows]) + weights * surprise
    drawn = scores[_resamples(len(rows), seed)].mean(axis=1)
    value = float(scores.mean())
    interval = _interval(drawn, value, effective)
    return Estimate(value, interval, "doubly robust", effective, unsupported, _warning(unsupported))


def _weights(rows: Sequence[Logged]) -> Array:
    for row in rows:
        if not (0 < row.propensity <= 1 and 0 <= row.target <= 1 and 0 <= row.reachable <= 1):
            msg = f"probabilities lie between 0 and 1, and what was done was possible; got {row}"
            raise ValueError(msg)
    weights: Array = np.array([min(row.target / row.propensity, MAX_WEIGHT) for row in rows], dtype=float)
    return weights


def _effective(weights: Array) -> float:
    squares = float((weights**2).sum())
    return float(weights.sum()) ** 2 / squares if squares else 0.0


def _unsupported(rows: Sequence[Logged]) -> float:
    return float(np.mean([1.0 - row.reachable for row in rows])) if rows else 1.0


def _resamples(rows: int, seed: int) -> Array:
    """Return the rows of each resample, shape [draws, rows]."""
    draws = max(1, min(DRAWS, 4_000_000 // rows))
    picks: Array = np.random.default_rng(seed).integers(rows, size=(draws, rows))
    return picks


def _interval(drawn: Array, value: float, effective: float) -> Interval:
    """Return the percentile interval, no narrower than what so few decisions can tell of a share.

    Where nearly all rewards are alike, resamples are, too, and know nothing of those that were not seen.
    """
    low, high = np.quantile(drawn, [0.025, 0.975])
    least = wilson(min(max(value, 0.0), 1.0) * effective, effective)
    return Interval(min(float(low), least.low), max(float(high), least.high))


def _too_little(effective: float, rows: int) -> str:
    return f"the log's {rows} decisions are worth {effective:.1f} for this policy: too few to tell"


def _warning(unsupported: float) -> str:
    return f"{unsupported:.0%} of what it would do was never tried and is left out" if unsupported > 0 else ""
