"""How sure a figure is that was measured on a handful of tasks: intervals for rates, verdicts on differences."""

from collections.abc import Hashable, Sequence
from math import comb, sqrt
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from memory import success

Array = npt.NDArray[Any]
Verdict = Literal["better", "worse", "same", "unclear"]
"""`same`: no task differs; `unclear`: the interval holds zero, or the tasks are too few to tell."""
CONFIDENCE = 0.95
DRAWS = 10_000
"""Resamples of a bootstrap."""
LEAST = 6
"""Groups below which nothing is told: an exact sign test finds nothing in five that all fall alike (p = 0.06)."""
_ROUNDING = 1e-12


class Interval(NamedTuple):
    """Where the true value lies, at the stated confidence."""

    low: float
    high: float


class Difference(NamedTuple):
    """How much a metric changes from one version to another."""

    mean: float
    """Of the second minus the first."""
    interval: Interval | None
    """None of too few groups."""
    verdict: Verdict
    tasks: int
    """Pairs that were compared."""
    p: float = 1.0
    """How often chance alone would show as much, two-sided; 1 where no task differs, or where there are too few."""


def wilson(successes: float, trials: float) -> Interval:
    """Return the score interval of a rate, or of the mean of values from 0 to 1; of no trials, nothing is known.

    Raises:
        ValueError: There are more successes than trials, or fewer than none.
    """
    if not 0 <= successes <= trials:
        msg = f"{successes} successes in {trials} trials are no rate"
        raise ValueError(msg)
    return Interval(*success.wilson(successes, trials))


def pass_hat_k(successes: int, trials: int, k: int) -> float:
    """Return the unbiased estimate of the chance that `k` fresh trials all succeed (Yao et al., 2024).

    Raises:
        ValueError: There are fewer trials than `k`.
    """
    if not 0 < k <= trials or not 0 <= successes <= trials:
        msg = f"{successes} of {trials} trials say nothing about {k} in a row"
        raise ValueError(msg)
    return comb(successes, k) / comb(trials, k)


def difference(
    before: Sequence[float],
    after: Sequence[float],
    *,
    groups: Sequence[Hashable] | None = None,
    higher_is_better: bool = True,
    seed: int = 0,
) -> Difference:
    """Return the mean paired difference with its bootstrap interval.

    It is the percentile interval (Efron, 1979), expanded to what Student's distribution asks of few groups
    (Hesterberg, 2015): of ten groups the plain one would hold the true difference in nine cases of ten only.

    Args:
        before: Values of the first version, shape [tasks].
        after: Values of the second one on the same tasks, shape [tasks].
        groups: What belongs together, shape [tasks]: epochs of one task, tasks of one session. Whole groups are drawn
            (Davison and Hinkley, 1997); None draws single tasks.
        higher_is_better: Whether more of the metric is better.
        seed: Of the draws; the same seed gives the same interval.

    Raises:
        ValueError: The shapes differ, nothing is compared, or a value is not a number.
    """
    change = np.asarray(after, dtype=float) - np.asarray(before, dtype=float)
    if len(before) != len(after) or not len(change) or not np.isfinite(change).all():
        msg = f"{len(before)} and {len(after)} values cannot be compared in pairs of numbers"
        raise ValueError(msg)
    sums, counts = _by_group(change, groups)
    if not change.any():
        return Difference(0.0, Interval(0.0, 0.0), "same", len(change))
    mean = float(change.mean())
    if len(sums) < LEAST:
        return Difference(mean, None, "unclear", len(change))
    means = _resampled(sums, counts, seed)
    interval = _central(means, len(sums))
    return Difference(mean, interval, _verdict(interval, higher_is_better), len(change), _p(means, len(sums)))


def holm(found: Sequence[Difference]) -> list[Difference]:
    """Return differences with verdicts that all hold together at the stated confidence (Holm, 1979).

    Those in which no task differs, and those of too few groups, could not have been told whatever the level, so they
    do not count (Tarone, 1990).
    """
    told = (place for place, one in enumerate(found) if one.verdict != "same" and one.interval)
    asked = sorted(told, key=lambda place: found[place].p)
    judged, level = list(found), 1 - CONFIDENCE
    for rank, place in enumerate(asked):
        if found[place].p > level / (len(asked) - rank):
            for unclear in asked[rank:]:
                judged[unclear] = judged[unclear]._replace(verdict="unclear")
            break
    return judged


def _resampled(sums: Array, counts: Array, seed: int) -> Array:
    """Return the means of resampled groups, shape [DRAWS]; groups that are alike are drawn at once."""
    kinds, often = np.unique(np.stack([sums, counts]), axis=1, return_counts=True)
    drawn = np.random.default_rng(seed).multinomial(len(sums), often / len(sums), size=DRAWS)
    means: Array = (drawn @ kinds[0]) / (drawn @ kinds[1])
    return means


def _central(means: Array, groups: int) -> Interval:
    from scipy import special  # type: ignore[import-untyped]  # ships no types; slow to load

    tail = special.ndtr(special.stdtrit(groups - 1, (1 - CONFIDENCE) / 2) * sqrt(groups / (groups - 1)))
    low, high = np.quantile(means, [tail, 1 - tail])
    return Interval(float(low), float(high))


def _p(means: Array, groups: int) -> float:
    """Return twice the smaller share of means on one side of zero, as that of Student's distribution; never nothing."""
    from scipy import special

    fewer = min((means <= _ROUNDING).sum(), (means >= -_ROUNDING).sum())
    share = special.ndtri(min(0.5, (1 + int(fewer)) / (1 + len(means))))
    return 2 * float(special.stdtr(groups - 1, share * sqrt((groups - 1) / groups)))


def _by_group(change: Array, groups: Sequence[Hashable] | None) -> tuple[Array, Array]:
    """Return the sum and the number of the changes of each group, shape [groups]."""
    if groups is None:
        return change, np.ones(len(change))
    if len(groups) != len(change):
        msg = f"{len(groups)} groups are named for {len(change)} tasks"
        raise ValueError(msg)
    places = {group: place for place, group in enumerate(dict.fromkeys(groups))}
    index = np.array([places[group] for group in groups])
    return np.bincount(index, weights=change), np.bincount(index).astype(float)


def _verdict(interval: Interval, higher_is_better: bool) -> Verdict:
    if interval.low <= _ROUNDING and interval.high >= -_ROUNDING:
        return "unclear"
    return "better" if (interval.low > 0) == higher_is_better else "worse"
