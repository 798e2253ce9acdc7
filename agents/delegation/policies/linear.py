"""Linear Thompson sampling: one Bayesian linear model an arm over task kind, text surface and embedding."""

import numpy as np

from agents.delegation.arms import Floats, Observations, Requests
from agents.delegation.features import WIDTH
from agents.delegation.tally import Tally

_NOISE = 0.2
"""Variance of an outcome around its mean."""
_SD = 0.2
"""Prior standard deviation of every weight."""


class Linear:
    """Quality of arm a is z . w_a with w_a ~ N(0, _SD^2) around the declared capability; every request draws its own w.

    Source: Agrawal and Goyal, Thompson Sampling for Contextual Bandits with Linear Payoffs, ICML 2013.
    """

    def __init__(self, tally: Tally, rng: np.random.Generator) -> None:
        self._tally, self._rng = tally, rng
        self._kinds, arms = tally.count.shape
        size = 1 + self._kinds + WIDTH
        self._gram: Floats = np.zeros((arms, size, size))
        self._moment: Floats = np.zeros((arms, size))

    def learn(self, seen: Observations) -> None:
        """Add observations."""
        z, rest = self._design(seen.requests), seen.outcomes - self._tally.capability[seen.arms]
        for arm in np.unique(seen.arms):
            mine = seen.arms == arm
            self._gram[arm] += z[mine].T @ z[mine]
            self._moment[arm] += z[mine].T @ rest[mine]

    def scores(self, requests: Requests, penalty: Floats) -> Floats:
        """Return sampled utilities."""
        z, (mean, spread) = self._design(requests), self._posterior()
        deviation = np.sqrt(np.maximum(((z @ spread) * z).sum(2).T, 0))
        drawn = z @ mean.T + deviation * self._rng.standard_normal(deviation.shape)
        return np.asarray(self._tally.capability + drawn - penalty)

    def quality(self, requests: Requests) -> Floats:
        """Return posterior means."""
        mean, _ = self._posterior()
        return np.clip(self._tally.capability + self._design(requests) @ mean.T, 0, 1)

    def _design(self, requests: Requests) -> Floats:
        return np.hstack([np.ones((len(requests), 1)), np.eye(self._kinds)[requests.kinds], requests.vectors])

    def _posterior(self) -> tuple[Floats, Floats]:
        """Return the weights' means, [arms, features], and covariances, [arms, features, features]."""
        precision = self._gram / _NOISE + np.eye(self._gram.shape[1]) / _SD**2
        spread = np.asarray(np.linalg.inv(precision), np.float64)
        return (spread @ self._moment[:, :, None])[:, :, 0] / _NOISE, spread
