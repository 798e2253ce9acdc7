"""Counts and sums of what was seen, by task kind and arm, and the costs and durations expected from them."""

from collections.abc import Sequence

import numpy as np

from agents.delegation.arms import Candidate, Floats, Observations

HALF_LIFE = 20_000
"""Observations after which one counts half: agents and tasks change, slowly."""
_DECLARED_WEIGHT = 3.0
"""A declared cost or duration counts as this many observations; so does an arm's mean for one of its kinds."""


def kept(count: int) -> float:
    """Return the weight that everything older keeps when `count` new observations arrive."""
    return float(0.5 ** (count / HALF_LIFE))


class Tally:
    """Sums over observations, each of shape [kinds, arms]; older ones fade with `HALF_LIFE`."""

    def __init__(self, candidates: Sequence[Candidate], kinds: int) -> None:
        self.candidates = tuple(candidates)
        shape = (kinds, len(candidates))
        self.count: Floats = np.zeros(shape)
        self.outcome: Floats = np.zeros(shape)
        self.failed: Floats = np.zeros(shape)
        self._cost: Floats = np.zeros(shape)
        self._seconds: Floats = np.zeros(shape)

    def learn(self, seen: Observations) -> None:
        """Add observations; an outcome below one half counts as failed."""
        at = (seen.requests.kinds, seen.arms)
        added = {
            "count": np.ones(len(seen)),
            "outcome": seen.outcomes,
            "failed": (seen.outcomes < 0.5).astype(float),
            "_cost": seen.costs,
            "_seconds": seen.seconds,
        }
        for name, values in added.items():
            sums: Floats = getattr(self, name)
            sums *= kept(len(seen))
            np.add.at(sums, at, values)

    @property
    def capability(self) -> Floats:
        """Declared capability, shape [arms]."""
        return np.array([c.capability for c in self.candidates])

    @property
    def cost(self) -> Floats:
        """Expected cost by kind and arm: the kind's mean, drawn to the arm's, drawn to the declared one."""
        return self._expected(self._cost, np.array([c.cost for c in self.candidates]))

    @property
    def seconds(self) -> Floats:
        """Expected duration by kind and arm, in seconds."""
        return self._expected(self._seconds, np.array([c.seconds for c in self.candidates]))

    def _expected(self, sums: Floats, declared: Floats) -> Floats:
        arm = (sums.sum(0) + _DECLARED_WEIGHT * declared) / (self.count.sum(0) + _DECLARED_WEIGHT)
        return np.asarray((sums + _DECLARED_WEIGHT * arm) / (self.count + _DECLARED_WEIGHT))
