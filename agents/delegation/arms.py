"""What is chosen among, what is asked, what was seen, and what counts: the plain values of selection."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from domain.errors import UserError

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Candidate:
    """An agent or model that could do the task, with what is known of it beforehand."""

    name: str
    capability: float = 0.5
    """How well it should do, 0..1, before anything was measured."""
    cost: float = 1.0
    """Expected cost of one task, in any one unit."""
    seconds: float = 0.0
    """Expected duration of one task; 0 where it is not known."""

    def __post_init__(self) -> None:
        if not 0 <= self.capability <= 1 or not 0 <= self.cost < np.inf or not 0 <= self.seconds < np.inf:
            msg = f"candidate {self.name!r}: capability lies in 0..1, cost and seconds are finite and not negative"
            raise UserError(msg)


@dataclass(frozen=True)
class Objective:
    """What cost and time are worth: utility = quality - price * cost/dearest - latency_price * seconds/slowest.

    `dearest` and `slowest` are the highest expected cost and duration among all arms.
    """

    price: float = 0.1
    latency_price: float = 0.0
    budget: float | None = None
    """Highest expected cost of one task; dearer arms are chosen only when no arm is within it."""

    def __post_init__(self) -> None:
        if self.price < 0 or self.latency_price < 0 or (self.budget is not None and self.budget < 0):
            msg = "prices and budgets of a selection are not negative"
            raise UserError(msg)

    def penalty(self, cost: Floats, seconds: Floats) -> Floats:
        """Return what each arm's expected cost and duration take from its utility, shape as given.

        Args:
            cost: Expected cost, shape [requests, arms].
            seconds: Expected duration, same shape.
        """
        relative_cost, relative_time = cost / max(cost.max(), 1e-12), seconds / max(seconds.max(), 1e-12)
        penalty: Floats = self.price * relative_cost + self.latency_price * relative_time
        if self.budget is None:
            return penalty
        barred = (cost > self.budget) & (cost > cost.min(axis=1, keepdims=True))
        return np.asarray(np.where(barred, np.inf, penalty))


@dataclass(frozen=True)
class Requests:
    """Tasks to be given to somebody."""

    kinds: Indices
    """Number of each request's task kind, shape [n]."""
    vectors: Floats
    """What is known of each request's text, as `agents.delegation.features` describes it, shape [n, width]."""

    def __len__(self) -> int:
        return len(self.kinds)


@dataclass(frozen=True)
class Observations:
    """What came of requests that were given to somebody; every array has one entry a request."""

    requests: Requests
    arms: Indices
    outcomes: Floats
    """0..1."""
    costs: Floats
    seconds: Floats

    def __len__(self) -> int:
        return len(self.arms)


def indices(values: Sequence[int]) -> Indices:
    """Return whole numbers as an array."""
    return np.asarray(values, np.int64)
