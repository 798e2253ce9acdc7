"""One policy at work among fixed arms: from requests to ranked arms, from outcomes to a better ranking."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from agents.delegation.arms import Candidate, Floats, Indices, Objective, Observations, Requests
from agents.delegation.policies.greedy import Greedy
from agents.delegation.policies.linear import Linear
from agents.delegation.policies.neighbours import Neighbours
from agents.delegation.policies.shared_linear import SharedLinear
from agents.delegation.policies.source import Source
from agents.delegation.policies.thompson import Thompson
from agents.delegation.policy import Policy
from agents.delegation.tally import Tally
from domain.errors import InvalidSettings

POLICIES: Mapping[str, Callable[[Tally, np.random.Generator], Policy]] = MappingProxyType(
    {
        "shared-linear": SharedLinear,
        "thompson": Thompson,
        "linear": Linear,
        "neighbours": Neighbours,
        "greedy": Greedy,
        "source": Source,
    }
)
DEFAULT_POLICY = "shared-linear"
_LEARNS_EVERY = 32
_AT_MOST = 64
_ODDS_DRAWS = 199
"""Draws from which the odds of a choice are told."""


def batch_size(seen: int) -> int:
    """Return how many further outcomes are awaited before a policy that has seen `seen` learns from them.

    Growing batches cost next to no regret (Perchet et al., Batched bandit problems, Annals of Statistics 2016) and
    spare a refit for each outcome.
    """
    return max(1, min(_AT_MOST, seen // _LEARNS_EVERY))


class Ranking(NamedTuple):
    """Arms for each request, each array of shape [requests, arms]."""

    order: Indices
    """Arm numbers, the choice first, then whom to fall back on."""
    quality: Floats
    """Expected outcome of each arm, by arm number."""
    cost: Floats
    seconds: Floats


class Selector:
    """A policy with its tally and objective."""

    def __init__(
        self,
        candidates: Sequence[Candidate],
        *,
        kinds: int,
        fallback: int,
        policy: str = DEFAULT_POLICY,
        objective: Objective | None = None,
        rng: np.random.Generator,
    ) -> None:
        """Start without any outcome.

        Args:
            candidates: The arms.
            kinds: How many task kinds there may be; requests name theirs by number.
            fallback: The arm that is chosen while nothing is known.
            policy: Name in `POLICIES`.
            objective: What cost and time are worth.
            rng: Where the policy's draws come from.

        Raises:
            InvalidSettings: There is no such policy.
        """
        self.seen = 0
        self._objective = objective or Objective()
        self._fallback = fallback
        self._rng = rng
        self._tally = Tally(candidates, kinds)
        self._policy = checked_policy(policy)(self._tally, rng)

    def choose(self, requests: Requests) -> Indices:
        """Return each request's best arm, shape [requests]."""
        return np.asarray(self._scores(requests).argmax(axis=1), np.int64)

    def rank(self, requests: Requests) -> Ranking:
        """Return the arms for each request, best first, with what is expected of them."""
        order = np.argsort(-self._scores(requests), axis=1, kind="stable").astype(np.int64)
        cost, seconds = self._tally.cost[requests.kinds], self._tally.seconds[requests.kinds]
        return Ranking(order, self._policy.quality(requests), cost, seconds)

    def chances(self, request: Requests, chosen: int) -> Floats:
        """Return how probable each arm was to be chosen for one request, shape [arms], from draws like the one made.

        Args:
            request: The one.
            chosen: The arm that was drawn, which counts among the draws: what happened is never impossible.
        """
        state = self._rng.bit_generator.state  # telling the odds must not change what is drawn next
        again = Requests(np.repeat(request.kinds, _ODDS_DRAWS), np.repeat(request.vectors, _ODDS_DRAWS, axis=0))
        drawn = np.append(self.choose(again), chosen)
        self._rng.bit_generator.state = state
        return np.bincount(drawn, minlength=len(self._tally.candidates)) / len(drawn)

    def learn(self, seen: Observations) -> None:
        """Take in outcomes."""
        if len(seen):
            self._tally.learn(seen)
            self._policy.learn(seen)
            self.seen += len(seen)

    def _scores(self, requests: Requests) -> Floats:
        penalty = self._objective.penalty(self._tally.cost[requests.kinds], self._tally.seconds[requests.kinds])
        if self.seen:
            return self._policy.scores(requests, penalty)
        first = np.arange(penalty.shape[1]) == self._fallback
        return np.where(first & np.isfinite(penalty), np.inf, self._policy.quality(requests) - penalty)


def checked_policy(name: str) -> Callable[[Tally, np.random.Generator], Policy]:
    """Return the maker of a policy, or raise `InvalidSettings`."""
    if name not in POLICIES:
        msg = f"there is no selection policy {name!r}; choose one of {', '.join(POLICIES)}"
        raise InvalidSettings(msg)
    return POLICIES[name]
