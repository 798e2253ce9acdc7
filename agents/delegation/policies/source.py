"""The weighted score of capability, success, speed and errors: the formula this project inherited, as written."""

import numpy as np

from agents.delegation.arms import Floats, Observations, Requests
from agents.delegation.tally import Tally

_FULL_AT = 100
_LARGEST_WEIGHT = 0.8


class Source:
    """score = c(1 - w) + w(0.4 success + 0.3(1 - latency) + 0.3(1 - error)), w = min(0.8, n/100).

    c is the declared capability, n how often the arm did this task kind, success its mean outcome, error the share
    that failed, latency its mean duration over the slowest arm's. It never explores and does not look at cost.
    """

    def __init__(self, tally: Tally, rng: np.random.Generator) -> None:
        self._tally = tally

    def learn(self, seen: Observations) -> None:
        """Do nothing: the tally holds all it needs."""

    def scores(self, requests: Requests, penalty: Floats) -> Floats:
        """Return the formula's scores; only a barred arm's penalty counts."""
        tally, n = self._tally, np.maximum(self._tally.count, 1e-9)
        seconds = tally.seconds
        latency = seconds / np.maximum(seconds.max(axis=1, keepdims=True), 1e-9)
        measured = 0.4 * tally.outcome / n + 0.3 * (1 - latency) + 0.3 * (1 - tally.failed / n)
        w = np.minimum(_LARGEST_WEIGHT, tally.count / _FULL_AT)
        score = tally.capability * (1 - w) + w * measured
        return np.where(np.isinf(penalty), -np.inf, score[requests.kinds])

    def quality(self, requests: Requests) -> Floats:
        """Return the mean outcome, weighed against the declared capability like the score."""
        n = np.maximum(self._tally.count, 1e-9)
        w = np.minimum(_LARGEST_WEIGHT, self._tally.count / _FULL_AT)
        quality = self._tally.capability * (1 - w) + w * self._tally.outcome / n
        return np.asarray(quality[requests.kinds])
