"""Try every arm a few times, then keep to the one that did best: the baseline without context."""

import numpy as np

from agents.delegation.arms import Floats, Observations, Requests
from agents.delegation.tally import Tally

TRIES = 10
"""Outcomes of an arm before it is judged (explore-then-commit; Robbins, 1952)."""


class Greedy:
    """Follow the arm with the best mean utility over all task kinds, once each was tried `TRIES` times."""

    def __init__(self, tally: Tally, rng: np.random.Generator) -> None:
        self._tally = tally

    def learn(self, seen: Observations) -> None:
        """Do nothing: the tally holds all it needs."""

    def scores(self, requests: Requests, penalty: Floats) -> Floats:
        """Return mean utilities; an arm that lacks tries stands above all that do not."""
        untried = np.maximum(TRIES - self._tally.count.sum(0), 0)
        return np.asarray(self.quality(requests) + untried - penalty)

    def quality(self, requests: Requests) -> Floats:
        """Return the arms' mean outcomes, one of which is taken as known beforehand: the declared capability."""
        mean = (self._tally.outcome.sum(0) + self._tally.capability) / (self._tally.count.sum(0) + 1)
        return np.broadcast_to(mean, (len(requests), len(mean)))
