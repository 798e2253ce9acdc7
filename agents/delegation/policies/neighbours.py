"""Ask the remembered requests that resemble this one how each arm did on them."""

import numpy as np

from agents.delegation.arms import Floats, Observations, Requests
from agents.delegation.features import SURFACE
from agents.delegation.tally import Tally

WINDOW = 4096
"""Outcomes that are remembered; the oldest go first."""
_SHARPNESS = 8.0
"""Neighbours count exp(_SHARPNESS * (cosine - 1)), and _OTHER_KIND of it where they are of another kind."""
_OTHER_KIND = 0.2
_PRIOR_WEIGHT = 5.0
"""How many neighbours an arm's overall mean counts as."""


class Neighbours:
    """Nearest-neighbour Thompson sampling: kernel-weighted mean outcome of each arm, drawn to the arm's mean.

    The draw's variance is that of a mean over the kernel's mass (Nadaraya, 1964; Watson, 1964, with the weights of a
    von Mises-Fisher kernel on unit vectors).
    """

    def __init__(self, tally: Tally, rng: np.random.Generator) -> None:
        self._tally, self._rng = tally, rng
        self._seen: Observations | None = None

    def learn(self, seen: Observations) -> None:
        """Remember observations, at most `WINDOW`."""
        self._seen = seen if self._seen is None else _joined(self._seen, seen)

    def scores(self, requests: Requests, penalty: Floats) -> Floats:
        """Return sampled utilities."""
        mean, mass = self._estimates(requests)
        spread = np.sqrt(0.2 / (mass + _PRIOR_WEIGHT * np.minimum(self._tally.count.sum(0), 1) + 1))
        return np.asarray(mean + spread * self._rng.standard_normal(mean.shape) - penalty)

    def quality(self, requests: Requests) -> Floats:
        """Return the weighted means."""
        return np.clip(self._estimates(requests)[0], 0, 1)

    def _estimates(self, requests: Requests) -> tuple[Floats, Floats]:
        """Return the mean outcome and the kernel mass behind it, each of shape [requests, arms]."""
        tally = self._tally
        overall = (tally.outcome.sum(0) + tally.capability) / (tally.count.sum(0) + 1)
        if self._seen is None:
            mean = np.broadcast_to(overall, (len(requests), len(overall)))
            return mean, np.zeros(mean.shape)
        near = self._kernel(requests, self._seen.requests)
        arms = np.eye(len(overall))[self._seen.arms]
        mass = near @ arms
        mean = (near @ (arms * self._seen.outcomes[:, None]) + _PRIOR_WEIGHT * overall) / (mass + _PRIOR_WEIGHT)
        return mean, mass

    def _kernel(self, requests: Requests, known: Requests) -> Floats:
        cosine = requests.vectors[:, SURFACE:] @ known.vectors[:, SURFACE:].T
        same = requests.kinds[:, None] == known.kinds
        return np.asarray(np.exp(_SHARPNESS * (cosine - 1)) * np.where(same, 1.0, _OTHER_KIND))


def _joined(old: Observations, new: Observations) -> Observations:
    kinds = np.concatenate([old.requests.kinds, new.requests.kinds])[-WINDOW:]
    vectors = np.concatenate([old.requests.vectors, new.requests.vectors])[-WINDOW:]
    arms = np.concatenate([old.arms, new.arms])[-WINDOW:]
    pairs = ((old.outcomes, new.outcomes), (old.costs, new.costs), (old.seconds, new.seconds))
    outcomes, costs, seconds = (np.concatenate(pair)[-WINDOW:] for pair in pairs)
    return Observations(Requests(kinds, vectors), arms, outcomes, costs, seconds)
