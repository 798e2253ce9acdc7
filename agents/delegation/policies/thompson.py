"""Hierarchical Thompson sampling over task kinds: each kind borrows from the arm's other kinds."""

import numpy as np

from agents.delegation.arms import Floats, Observations, Requests
from agents.delegation.tally import Tally

_LEVEL_VARIANCE = 0.3**2
"""Prior variance of an arm's overall quality around its declared capability."""
_BETWEEN = 0.1**2
"""Prior guess of the variance between the kinds of one arm, and what it weighs in outcomes."""
_BETWEEN_WEIGHT = 100.0


class Thompson:
    """Two-level normal model: an arm's overall quality m_a, its quality on a kind N(m_a, t), outcomes around that.

    The variance t between kinds is estimated by moments (DerSimonian and Laird, 1986), so it is an empirical-Bayes
    prior: where kinds hardly differ, they pool. A request draws m_a, then the kind's quality given m_a (Hong et al.,
    Hierarchical Bayesian Bandits, AISTATS 2022; Thompson, 1933).
    """

    def __init__(self, tally: Tally, rng: np.random.Generator) -> None:
        self._tally = tally
        self._rng = rng

    def learn(self, seen: Observations) -> None:
        """Do nothing: the tally holds all it needs."""

    def scores(self, requests: Requests, penalty: Floats) -> Floats:
        """Return sampled utilities."""
        return self._drawn(requests, self._rng.standard_normal((2, *penalty.shape))) - penalty

    def quality(self, requests: Requests) -> Floats:
        """Return posterior means."""
        shape = (2, len(requests), len(self._tally.candidates))
        return np.clip(self._drawn(requests, np.zeros(shape)), 0, 1)

    def _drawn(self, requests: Requests, noise: Floats) -> Floats:
        n = self._tally.count
        means = self._tally.outcome / np.maximum(n, 1e-9)
        within, between = self._variances(n, means)
        weights = n / (n * between + within)
        precision = 1 / _LEVEL_VARIANCE + weights.sum(0)
        level = (self._tally.capability / _LEVEL_VARIANCE + (weights * means).sum(0)) / precision
        drawn = level + noise[0] / np.sqrt(precision)
        kind_precision = (n / within + 1 / between)[requests.kinds]
        mean = ((n * means / within)[requests.kinds] + drawn / between) / kind_precision
        return np.asarray(mean + noise[1] / np.sqrt(kind_precision))

    def _variances(self, n: Floats, means: Floats) -> tuple[float, float]:
        """Return the variance of outcomes within a kind and of qualities between kinds."""
        overall = (self._tally.outcome.sum() + 0.5) / (n.sum() + 1)
        within = max(overall * (1 - overall), 0.01)
        arms = np.maximum(n.sum(0), 1e-9)
        spread = (n * (means - (n * means).sum(0) / arms) ** 2).sum()
        freedom = np.maximum((n > 0).sum(0) - 1, 0).sum()
        size = (n.sum(0) - (n**2).sum(0) / arms).sum()
        surplus = max(float(spread - within * freedom), 0.0)
        return within, (_BETWEEN_WEIGHT * _BETWEEN + surplus) / (_BETWEEN_WEIGHT + size)
