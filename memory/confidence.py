"""Confidence in a remembered sequence: P(it fits the goal) times the evidence that it succeeds when it fits.

The match probability is a logistic prior over a few similarity features, shipped per encoder and fitted for small
memories by `evals.benchmarks.prior`. The evidence is a Beta posterior over past outcomes that fades with age.
"""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

ASK_SHARE = 2 / 3
"""Share of the ask in the similarity, the rest is the whole goal's: "a blog" decides more than what it is about."""
LEXICAL_SHARE = 0.3
"""Share of the lexical similarity when two sequences compete."""
EXACT_MATCH = 0.98
"""P(match) of a goal that was done before word for word."""

PRIOR_RUNS = 5.0
PRIOR_SUCCESS_RATE = 0.96
"""What is believed before any outcome: a fitting sequence that once got through succeeds again in 96 of 100 runs."""
UNRATED_QUALITY = 0.8
LAST_FAILURE_FACTOR = 0.5
"""Applied at once when the nearest remembered task failed the last time."""
HALF_LIFE_DAYS = 90.0
"""Evidence moves half the way to `STALE_EVIDENCE` in this time: data, tools and models change."""
STALE_EVIDENCE = 0.5


class Closeness(NamedTuple):
    """How near one remembered task is to the goal."""

    whole: float
    """Cosine of the goals, -1 to 1."""
    ask: float
    """Cosine of the asks, without their topics."""
    lexical: float
    """TF-IDF similarity of the asks, 0-1."""
    exact: bool = False
    """Whether the goals are the same but for case and spaces."""

    @property
    def similarity(self) -> float:
        """The cosines in one number."""
        return ASK_SHARE * self.ask + (1 - ASK_SHARE) * self.whole

    @property
    def rank(self) -> float:
        """Order among competing tasks."""
        return self.similarity + LEXICAL_SHARE * self.lexical


class Features(NamedTuple):
    """What the match probability depends on; all about the best sequence."""

    similarity: float
    lexical: float
    margin: float
    """Lead in rank over the nearest task of another sequence; 0 without one."""
    votes: float
    """Its share of the neighbours' similarity; 0 without another sequence."""
    alone: float
    """1 when no other sequence is near, else 0."""


class MatchPrior(NamedTuple):
    """A logistic model over `Features`."""

    intercept: float
    weights: Features

    def probability(self, features: Features) -> float:
        """Return P(the sequence fits)."""
        logit = self.intercept + sum(w * f for w, f in zip(self.weights, features, strict=True))
        return 1 / (1 + math.exp(-logit))


class Outcomes(NamedTuple):
    """What happened when one remembered task was run."""

    successes: int
    failures: int
    quality: float | None
    """Mean of the successful runs, 0-1."""
    last_success: bool
    age_days: float
    weight: float = 1.0
    """How much it says about the goal, 0-1."""


def features(groups: Mapping[str, Sequence[Closeness]], best: str) -> Features:
    """Return the features of the group `best` among `groups`, which are non-empty and keyed by sequence."""
    near = groups[best]
    similarity = max(c.similarity for c in near)
    lexical = max(c.lexical for c in near)
    others = [c for name, group in groups.items() if name != best for c in group]
    if not others:
        return Features(similarity, lexical, 0.0, 0.0, 1.0)
    margin = max(c.rank for c in near) - max(c.rank for c in others)
    mine, theirs = (sum(max(c.similarity, 0.0) for c in group) for group in (near, others))
    return Features(similarity, lexical, margin, mine / (mine + theirs) if mine else 0.0, 0.0)


def match_probability(encoder: str, groups: Mapping[str, Sequence[Closeness]], best: str) -> float:
    """Return P(the sequence `best` fits the goal)."""
    fitted = PRIORS.get(encoder, CAUTIOUS_PRIOR).probability(features(groups, best))
    return max(fitted, EXACT_MATCH) if any(c.exact for c in groups[best]) else fitted


def evidence(outcomes: Sequence[Outcomes]) -> float:
    """Return P(success | fits) from the outcomes of one sequence, nearest task first.

    The mean of a Beta posterior with `PRIOR_RUNS` imagined runs; a success counts less the worse its quality. It fades
    with the age of the freshest outcome.
    """
    good = PRIOR_RUNS * PRIOR_SUCCESS_RATE + sum(o.weight * o.successes * _credit(o.quality) for o in outcomes)
    runs = PRIOR_RUNS + sum(o.weight * (o.successes + o.failures) for o in outcomes)
    freshness = math.pow(0.5, min(o.age_days for o in outcomes) / HALF_LIFE_DAYS)
    believed = STALE_EVIDENCE + (good / runs - STALE_EVIDENCE) * freshness
    return believed if outcomes[0].last_success else believed * LAST_FAILURE_FACTOR


def _credit(quality: float | None) -> float:
    return (1 + (UNRATED_QUALITY if quality is None else quality)) / 2


CAUTIOUS_PRIOR = MatchPrior(-5.0, Features(similarity=6.0, lexical=1.5, margin=1.0, votes=1.5, alone=1.5))
"""For encoders without a fitted prior: a lone task must be nearly a paraphrase (similarity > 0.75) to be reused."""

# Fitted by `python -m evals.benchmarks.prior` on NLU Evaluation Data (Liu et al., "Benchmarking Natural Language
# Understanding Services for building Conversational Agents", IWSDS 2019; CC BY 4.0): 52 routes of everyday requests in
# 250 memories of 1-20 routes with 1-5 examples each, half of the requests unknown. A fit that saw 31 routes reached
# 88-94 % precision above 0.8 on the other 21, at 18 / 29 / 44 % coverage with 1 / 2 / 5 examples a route, reused 2-6 %
# of unknown requests, and was calibrated within 0.04. The held-out routes were looked at while features were chosen, so
# these figures flatter a little. In a memory of a thousand tasks this prior is over-eager: it reused 18 % of unknown
# requests.
PRIORS = {
    "wordllama": MatchPrior(-3.71, Features(similarity=4.84, lexical=1.41, margin=1.22, votes=2.07, alone=1.98)),
}
