"""Linear Thompson sampling in which the arms share what makes a request hard: the default policy."""

from typing import NamedTuple

import numpy as np

from agents.delegation.arms import Floats, Observations, Requests
from agents.delegation.features import HEAD, SURFACE
from agents.delegation.tally import Tally, kept

EXPLORATION = 0.3
"""Scale of a draw for the one request at hand; what it teaches helps few others."""
LEVEL_EXPLORATION = 0.5
"""Scale of a draw for an arm's quality over all requests; what it teaches helps every one to come."""
EXPECTED_QUALITY = 0.7
"""Prior mean quality of the dearest arm."""
QUALITY_PER_COST = 0.05
"""Prior mean quality falls by this for each e-fold that an arm is cheaper: price lists carry information."""
_CHEAPEST = -3.5
"""Log of cost/dearest below which an arm does not count as still worse."""
_SHARED_SD = (0.3, 0.15, 0.05, 0.1)
"""Prior standard deviations of the shared weights: level, task kind, surface, embedding."""
_OWN_SD = (0.1, 0.07, 0.05, 0.05)
"""Those of an arm's own weights: arms differ less than requests do."""
_NOISE = 0.2
"""Prior variance of an outcome around its mean."""
_LEAST_NOISE = 0.005
_PRIOR_WEIGHT = 10.0
"""How many weights (or outcomes) a prior variance counts as against the data's."""
_FIRST_TUNED_AT = 32
_TUNED_EVERY = 1.3
"""Variances are estimated anew whenever there are this many times the outcomes."""
_EM_STEPS = 5


class Posterior(NamedTuple):
    """What is believed of the weights; A arms, D features."""

    shared: Floats
    """Mean of the shared weights, [D]."""
    shared_variance: Floats
    """Their variances, [D]."""
    own: Floats
    """Means of the arms' own weights, [A, D]."""
    own_variance: Floats
    """Their variances, [A, D]."""
    spread: Floats
    """Covariances of the sums of shared and own weights, by arm, [A, D, D]."""


class SharedLinear:
    """Thompson sampling over a hierarchical Bayesian linear model with empirical-Bayes variances.

    Quality of arm a on request z is `offset_a + z . (w + w_a) + noise`, with z = (1, one-hot task kind, surface,
    embedding), w shared by all arms and w_a the arm's own, all normal with mean 0. Whatever is common to the arms,
    above all how hard a request is, is learnt from every observation, so that only the small differences between the
    arms have to be explored. For each arm the Gram matrix G_a = sum z z' and b_a = sum z y (over the noise variance)
    are enough: given w, w_a ~ N(C_a (b_a - G_a w), C_a) with C_a = (G_a + P)^-1, and w ~ N(S sum(b_a - G_a C_a b_a), S)
    with S^-1 = P_0 + sum(G_a - G_a C_a G_a). The variances of the eight groups of weights and of the noise are
    estimated by EM as the data grow, drawn to their priors.

    A score is the expected utility plus two draws a request and arm, of the deviation of the arm's quality there and
    of its quality over all requests, both scaled down: a full draw pays for knowledge of rare requests more than it
    is worth before the traffic ends.

    Sources: Agrawal and Goyal, Thompson Sampling for Contextual Bandits with Linear Payoffs, ICML 2013; Hong et al.,
    Hierarchical Bayesian Bandits, AISTATS 2022; Chapelle and Li, An Empirical Evaluation of Thompson Sampling, NIPS
    2011, for the scaling; Dempster, Laird and Rubin, 1977, for EM.
    """

    def __init__(self, tally: Tally, rng: np.random.Generator) -> None:
        self._rng = rng
        self._kinds, arms = tally.count.shape
        self._groups = np.repeat(np.arange(4), (1, self._kinds, SURFACE, HEAD))
        size = len(self._groups)
        self._offset = _expected_quality(np.array([candidate.cost for candidate in tally.candidates]))
        self._gram: Floats = np.zeros((arms, size, size))
        self._moment: Floats = np.zeros((arms, size))
        self._squares = self._count = 0.0
        self._shared_variance, self._own_variance = np.square(_SHARED_SD), np.square(_OWN_SD)
        self._noise = _NOISE
        self._tune_at = float(_FIRST_TUNED_AT)
        self._posterior: Posterior | None = None

    def learn(self, seen: Observations) -> None:
        """Add observations."""
        z, rest, kept_weight = self._design(seen.requests), seen.outcomes - self._offset[seen.arms], kept(len(seen))
        self._gram *= kept_weight
        self._moment *= kept_weight
        for arm in np.unique(seen.arms):
            mine = seen.arms == arm
            self._gram[arm] += z[mine].T @ z[mine]
            self._moment[arm] += z[mine].T @ rest[mine]
        self._squares = self._squares * kept_weight + float(rest @ rest)
        self._count = self._count * kept_weight + len(seen)
        self._posterior = None

    def scores(self, requests: Requests, penalty: Floats) -> Floats:
        """Return utilities with a draw for each request and arm, shape [requests, arms]."""
        z, p = self._design(requests), self._fitted()
        traffic = self._gram[:, :1].sum(0)
        ordinary = traffic / max(traffic[0, 0], 1e-9)
        here, overall = self._rng.standard_normal((2, *penalty.shape))
        draws = EXPLORATION * _deviation(z, p) * here + LEVEL_EXPLORATION * _deviation(ordinary, p) * overall
        return np.asarray(self._values(z) + draws - penalty)

    def quality(self, requests: Requests) -> Floats:
        """Return expected quality, shape [requests, arms]."""
        return np.clip(self._values(self._design(requests)), 0, 1)

    def _values(self, z: Floats) -> Floats:
        p = self._fitted()
        return np.asarray(self._offset + z @ (p.shared + p.own).T)

    def _design(self, requests: Requests) -> Floats:
        kinds = np.eye(self._kinds)[requests.kinds]
        return np.hstack([np.ones((len(requests), 1)), kinds, requests.vectors])

    def _fitted(self) -> Posterior:
        if self._posterior is None:
            if self._count >= self._tune_at:
                self._tune_at = _TUNED_EVERY * self._count
                for _ in range(_EM_STEPS):
                    self._tune(self._solved())
            self._posterior = self._solved()
        return self._posterior

    def _solved(self) -> Posterior:
        gram, moment = self._gram / self._noise, self._moment / self._noise
        given_shared = np.linalg.inv(gram + np.diag(1 / self._own_variance[self._groups]))
        pull = given_shared @ gram
        base = (given_shared @ moment[:, :, None])[:, :, 0]
        precision = np.diag(1 / self._shared_variance[self._groups]) + (gram - gram @ pull).sum(0)
        spread: Floats = np.linalg.inv((precision + precision.T) / 2)
        shared = spread @ (moment - (gram @ base[:, :, None])[:, :, 0]).sum(0)
        rest = np.eye(len(spread)) - pull
        return Posterior(
            shared=shared,
            shared_variance=np.diagonal(spread),
            own=base - pull @ shared,
            own_variance=np.diagonal(given_shared, axis1=1, axis2=2) + ((pull @ spread) * pull).sum(2),
            spread=given_shared + rest @ spread @ rest.transpose(0, 2, 1),
        )

    def _tune(self, p: Posterior) -> None:
        """Take one EM step on the variances."""
        used = (1 - p.shared_variance / self._shared_variance[self._groups]).sum()
        used += (1 - p.own_variance / self._own_variance[self._groups]).sum()
        whole = p.shared + p.own
        errors = self._squares - 2 * float((whole * self._moment).sum())
        errors += float((whole * (self._gram @ whole[:, :, None])[:, :, 0]).sum())
        freedom = max(self._count - float(used), 1.0)
        self._noise = max((_PRIOR_WEIGHT * _NOISE + errors) / (_PRIOR_WEIGHT + freedom), _LEAST_NOISE)
        self._shared_variance = self._pooled(np.square(_SHARED_SD), (p.shared**2 + p.shared_variance)[None])
        self._own_variance = self._pooled(np.square(_OWN_SD), p.own**2 + p.own_variance)

    def _pooled(self, prior: Floats, squares: Floats) -> Floats:
        """Return each group's mean square, drawn to its prior."""
        sums = np.bincount(self._groups, squares.sum(0), minlength=4)
        counts = np.bincount(self._groups, minlength=4) * len(squares)
        return np.asarray((_PRIOR_WEIGHT * prior + sums) / (_PRIOR_WEIGHT + counts))


def _expected_quality(cost: Floats) -> Floats:
    relative = np.log(np.maximum(cost / max(cost.max(), 1e-12), 1e-9))
    return np.asarray(EXPECTED_QUALITY + QUALITY_PER_COST * np.maximum(relative, _CHEAPEST))


def _deviation(z: Floats, p: Posterior) -> Floats:
    """Return the standard deviation of each arm's expected quality on each row of features, [rows, arms]."""
    return np.asarray(np.sqrt(np.maximum(((z @ p.spread) * z).sum(2).T, 0)))
