"""Confidence in a remembered sequence: P(it fits the goal) times the evidence that it succeeds when it fits.

The match probability is a logistic prior over a few similarity features, shipped per encoder and fitted for small
memories by `evals.benchmarks.prior`; `memory.calibration` takes its place as the memory grows. The evidence is the mean
of a Beta posterior over past outcomes that fades with age: a bound below it would make the product no probability.
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

PRIOR_RUNS = 10.0
PRIOR_SUCCESS_RATE = 0.97
"""What is believed before any outcome: a fitting sequence that once got through succeeds again in 97 of 100 runs."""
UNRATED_QUALITY = 0.8
FAR_WEIGHT = 0.5
"""What a run of the sequence for a goal that is not near says, against one for the same goal."""
LAST_FAILURE_FACTOR = 0.5
"""Applied at once when the nearest remembered task failed the last time."""
FAILED_ROUTE_FACTOR = 0.75
"""Applied at once when the sequence failed the last time, whatever the goal was: it is a hint until it succeeds."""
CHANGE_FACTOR = 0.6
"""Share of the way from `STALE_EVIDENCE` that is left for each version (of team, prompts, ...) that has changed."""
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
    changes: int = 0
    """Versions that are others now than in its latest run."""


class History(NamedTuple):
    """How all runs of one sequence ended, whatever the goals."""

    successes: int = 0
    failures: int = 0
    latest: float = 0.0
    """Unix time of the latest run."""
    last_success: bool = True

    def changed(self, successes: int, failures: int, latest: float, last_success: bool) -> "History":
        """Return this with so many runs more, which ended at `latest`."""
        newer = latest >= self.latest
        return History(
            self.successes + successes,
            self.failures + failures,
            latest if newer else self.latest,
            last_success if newer else self.last_success,
        )

    def reduced(self, successes: int, failures: int) -> "History":
        """Return this without so many runs."""
        return self._replace(successes=self.successes - successes, failures=self.failures - failures)


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
    return max(fitted, EXACT_MATCH) if exact_match(groups[best]) else fitted


def exact_match(group: Sequence[Closeness]) -> bool:
    """Return whether the very same goal is among the group."""
    return any(c.exact for c in group)


def blended(prior: float, learnt: float, trust: float) -> float:
    """Return the probability between the two, on the scale of log-odds; `trust` is the weight of `learnt`, 0-1."""
    logit = (1 - trust) * _logit(prior) + trust * _logit(learnt)
    return 1 / (1 + math.exp(-logit))


def _logit(probability: float) -> float:
    inside = min(max(probability, 1e-6), 1 - 1e-6)
    return math.log(inside / (1 - inside))


def evidence(outcomes: Sequence[Outcomes], history: History | None = None) -> float:
    """Return P(success | fits) from the outcomes of one sequence, nearest task first.

    It is the mean of a Beta posterior with `PRIOR_RUNS` imagined runs. A success counts less the worse its quality. It
    fades with the age of the freshest outcome and with changed versions.

    Args:
        outcomes: Of the tasks near the goal.
        history: Of the sequence, these tasks among it.
    """
    history = history or History()
    credit = sum(o.successes * _credit(o.quality) for o in outcomes) / max(1, sum(o.successes for o in outcomes))
    far_good = FAR_WEIGHT * max(0, history.successes - sum(o.successes for o in outcomes))
    far_bad = FAR_WEIGHT * max(0, history.failures - sum(o.failures for o in outcomes))
    good = PRIOR_RUNS * PRIOR_SUCCESS_RATE + far_good * credit
    good += sum(o.weight * o.successes * _credit(o.quality) for o in outcomes)
    runs = PRIOR_RUNS + far_good + far_bad + sum(o.weight * (o.successes + o.failures) for o in outcomes)
    freshness = math.pow(0.5, min(o.age_days for o in outcomes) / HALF_LIFE_DAYS)
    freshness *= math.pow(CHANGE_FACTOR, min(o.changes for o in outcomes))
    return (STALE_EVIDENCE + (good / runs - STALE_EVIDENCE) * freshness) * _demotion(outcomes[0], history)


def _demotion(nearest: Outcomes, history: History) -> float:
    if not nearest.last_success:
        return LAST_FAILURE_FACTOR
    return 1.0 if history.last_success else FAILED_ROUTE_FACTOR


def _credit(quality: float | None) -> float:
    return (1 + (UNRATED_QUALITY if quality is None else quality)) / 2


CAUTIOUS_PRIOR = MatchPrior(-5.0, Features(similarity=6.0, lexical=1.5, margin=1.0, votes=1.5, alone=1.5))
"""For encoders without a fitted prior: a lone task must be nearly a paraphrase (similarity > 0.75) to be reused.

Measured as below with two stand-ins, the first 64 dimensions of wordllama and hashed character n-grams: 94-98 %
precision above 0.8, at 3-13 / 7-20 / 16-39 % coverage with 1 / 2 / 5 examples a route, at most 2 % of unknown requests
reused. Its calibration error is 0.12-0.21, all of it too low; on the 64 dimensions the prior that was fitted for
wordllama would reuse up to 8 % of unknown requests.
"""

# Fitted by `python -m evals.benchmarks.prior` on NLU Evaluation Data (Liu et al., "Benchmarking Natural Language
# Understanding Services for building Conversational Agents", IWSDS 2019; CC BY 4.0): 52 routes of everyday requests in
# 250 memories of 1-20 routes with 1-5 examples each, half of the requests unknown: a small memory is mostly asked for
# what it does not know. With half of the remembered rows asked, a fit that saw 31 routes reached 90-93 % precision
# above 0.8 on the other 21, at 26 / 36 / 58 % coverage with 1 / 2 / 5 examples a route, reused 2-6 % of unknown
# requests, and was calibrated within 0.04. Features were chosen on these routes, so these figures flatter a little. It
# is not made for large memories: with 840 tasks of 42 routes it alone would reuse 18 % of unknown requests.
PRIORS = {
    "wordllama": MatchPrior(-3.71, Features(similarity=4.84, lexical=1.41, margin=1.22, votes=2.07, alone=1.98)),
}
