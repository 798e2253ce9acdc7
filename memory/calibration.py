"""Calibration learnt inside a memory: how often the head's first choice is the route of the request.

Every remembered example is asked twice: once as a known request, left out alone, and once as a request for an unknown
task, left out with its whole route. A logistic model of five signals of the head's answer is fitted to both.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from memory.heads import Array, Examples, Fit, Labels, Likeness
from memory.vocabulary import vocabulary_of

UNKNOWN_SHARE = 0.25
"""Requests that are assumed to be for tasks that are not remembered: more makes reuse rarer and surer. A fifth gave
three points of coverage above 0.8 for one and a half of precision, and a wrong reuse costs more than a plan."""
NOVEL_PERCENTILE = 1.0
"""A request that is less similar to every example than all but this many percent of the examples to each other is
novel."""
NEVER_NOVEL = 0.9
"""Similarity from which no request is novel: a memory of nearly the same words over and over is no narrower world."""
_SURE = 700.0
"""Log-odds beyond which nothing changes but the risk of an overflow."""
_HIDDEN = -1.0
"""Cosine of an example that is left out."""

SIGNALS = 5
Signals = npt.NDArray[np.float64]
"""Shape [goals, SIGNALS]; see `choose`."""
Covered = Callable[[int, int], float]
"""The share of the words of a goal, by its row, that the examples of a route have."""


class Choice(NamedTuple):
    """The head's first choice for each goal."""

    route: Labels
    """Shape [goals]."""
    signals: Signals
    similarity: Array
    """Highest cosine to any example, shape [goals]."""


def choose(scores: Array, like: Likeness, labels: Labels, covered: Covered) -> Choice:
    """Return the first choice and its signals.

    The signals are: the route's score, the root of its lead over the next, the sum of all scores (low where nothing
    fits), the highest cosine of terms to an example of the route, and the share of the goal's words that its examples
    have: "lower the volume" is near to all that turns it up, but "lower" is none of their words.

    Args:
        scores: Of the routes, shape [goals, routes], two routes at least.
        like: To the examples.
        labels: The route of each example.
        covered: See `memory.vocabulary`.
    """
    rows = np.arange(len(scores))
    best, second = np.argsort(-scores, axis=1)[:, :2].T
    first = scores[rows, best]
    signals = [
        first,
        np.sqrt(first - scores[rows, second]),
        np.maximum(scores, 0).sum(axis=1),
        np.where(labels[None, :] == best[:, None], like.terms, 0).max(axis=1),
        np.array([covered(row, int(route)) for row, route in enumerate(best)]),
    ]
    return Choice(best, np.stack(signals, axis=1).astype(np.float64), like.cosines.max(axis=1))


class MatchModel(NamedTuple):
    """A logistic model of standardised signals; every field but `intercept` has one number a signal."""

    mean: tuple[float, ...]
    scale: tuple[float, ...]
    weights: tuple[float, ...]
    intercept: float

    def probability(self, signals: Signals) -> npt.NDArray[np.float64]:
        """Return P(the head's first choice is right), shape [goals]."""
        logit = (signals - self.mean) / self.scale @ np.array(self.weights) + self.intercept
        return np.asarray(1 / (1 + np.exp(-np.clip(logit, -_SURE, _SURE))))


class Calibration(NamedTuple):
    """What a memory has learnt of its own certainty."""

    model: MatchModel
    novel_below: float
    """Similarity below which nothing is reused."""
    accuracy: float
    """Share of the examples whose route the head finds without having seen them, 0-1."""


def calibrate(goals: Sequence[str], examples: Examples, labels: Labels, fit: Fit) -> Calibration:
    """Learn from the left-out scores of the examples, whose goals are given."""
    known = _choices(goals, examples, labels, fit.without_example, hide_route=False)
    unknown = _choices(goals, examples, labels, fit.without_route, hide_route=True)
    right = known.route == labels
    return Calibration(
        model=_fitted(known.signals, right, unknown.signals),
        novel_below=novel_below(known.similarity),
        accuracy=float(right.mean()),
    )


def novel_below(similarity: npt.NDArray[np.floating[Any]]) -> float:
    """Return the similarity below which a request is novel, from that of each example to its nearest other one."""
    return min(float(np.percentile(similarity, NOVEL_PERCENTILE)), NEVER_NOVEL)


def _choices(goals: Sequence[str], examples: Examples, labels: Labels, scores: Array, *, hide_route: bool) -> Choice:
    vocabulary = vocabulary_of(goals, labels)
    parts = []
    for part in examples.blocks():
        like = examples.among_themselves(part)
        rows = np.arange(part.start, part.stop)
        hidden = labels[rows, None] == labels[None, :] if hide_route else rows[:, None] == np.arange(len(labels))
        seen = Likeness(np.where(hidden, np.float32(_HIDDEN), like.cosines), np.where(hidden, 0, like.terms))

        def covered(row: int, route: int, first: int = part.start) -> float:
            row += first
            return vocabulary.share(goals[row], route, own=labels[row] == route)

        parts.append(choose(scores[part], seen, labels, covered))
    return Choice(*(np.concatenate(fields) for fields in zip(*parts, strict=True)))


def _fitted(known: Signals, right: npt.NDArray[np.bool_], unknown: Signals) -> MatchModel:
    from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]  # ships no types

    if not right.any():  # nothing to fit: what finds no route of its own examples is hardly believed
        zeros, ones = (0.0,) * known.shape[1], (1.0,) * known.shape[1]
        return MatchModel(zeros, ones, zeros, -math.log(2 * len(known) + 1))
    signals = np.concatenate([known, unknown])
    mean, scale = signals.mean(axis=0), np.maximum(signals.std(axis=0), 1e-6)
    shares = np.repeat([1 - UNKNOWN_SHARE, UNKNOWN_SHARE], len(known))
    truth = np.concatenate([right, np.zeros(len(unknown), bool)])
    model = LogisticRegression(C=1.0, max_iter=500).fit((signals - mean) / scale, truth, sample_weight=shares)
    return MatchModel(
        tuple(mean.tolist()), tuple(scale.tolist()), tuple(model.coef_[0].tolist()), float(model.intercept_[0])
    )
