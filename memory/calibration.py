"""Calibration learnt inside a memory: how often the head's first choice is the route of the request.

Every remembered example is asked twice: once as a known request, left out alone, and once as a request for an unknown
task, left out with its whole route. A logistic model of eight signals of the head's answer is fitted to both.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from memory.heads import Array, Examples, Fit, Labels, Likeness

UNKNOWN_SHARE = 0.2
"""Requests that are assumed to be for tasks that are not remembered: more makes reuse rarer and surer."""
NOVEL_PERCENTILE = 1.0
"""A request that is less similar to every example than all but this many percent of the examples to each other is
novel."""
_VOTERS = 10
_VOTE_SHARPNESS = 4.0
_NEAREST = 3
_HIDDEN = -1.0
"""Cosine of an example that is left out."""

Signals = npt.NDArray[np.float64]
"""Shape [goals, 8]; see `signals_of`."""


class Choice(NamedTuple):
    """The head's first choice for each goal."""

    route: Labels
    """Shape [goals]."""
    signals: Signals
    similarity: Array
    """Highest cosine to any example, shape [goals]."""


def choose(scores: Array, like: Likeness, labels: Labels) -> Choice:
    """Return the first choice and its signals.

    The signals are: the route's score, its lead over the next, the logarithm of their ratio, the sum of all scores
    (low where nothing fits), the highest cosine and the highest cosine of terms to an example of the route, the
    route's share of the nearest examples, and the mean cosine to its nearest three.

    Args:
        scores: Of the routes, shape [goals, routes], two routes at least.
        like: To the examples.
        labels: The route of each example.
    """
    rows = np.arange(len(scores))
    best, second = np.argsort(-scores, axis=1)[:, :2].T
    first, next_ = scores[rows, best], scores[rows, second]
    of_route = labels[None, :] == best[:, None]
    nearest = -np.sort(-np.where(of_route, like.cosines, _HIDDEN), axis=1)[:, :_NEAREST]
    signals = [
        first,
        first - next_,
        np.log(np.maximum(first, 0.01) / np.maximum(next_, 0.01)),
        np.maximum(scores, 0).sum(axis=1),
        nearest[:, 0],
        np.where(of_route, like.terms, 0).max(axis=1),
        _votes(like.cosines, of_route),
        nearest.mean(axis=1),
    ]
    return Choice(best, np.stack(signals, axis=1).astype(np.float64), like.cosines.max(axis=1))


def _votes(cosines: Array, of_route: npt.NDArray[np.bool_]) -> Array:
    """Return the route's share of the nearest examples, the nearer the more."""
    nearest = np.argpartition(-cosines, min(_VOTERS, cosines.shape[1]) - 1, axis=1)[:, :_VOTERS]
    weights = np.exp(_VOTE_SHARPNESS * np.take_along_axis(cosines, nearest, axis=1))
    mine = weights * np.take_along_axis(of_route, nearest, axis=1)
    return np.asarray(mine.sum(axis=1) / weights.sum(axis=1), np.float32)


class MatchModel(NamedTuple):
    """A logistic model of standardised signals; every field but `intercept` has one number a signal."""

    mean: tuple[float, ...]
    scale: tuple[float, ...]
    weights: tuple[float, ...]
    intercept: float

    def probability(self, signals: Signals) -> npt.NDArray[np.float64]:
        """Return P(the head's first choice is right), shape [goals]."""
        logit = (signals - self.mean) / self.scale @ np.array(self.weights) + self.intercept
        return np.asarray(1 / (1 + np.exp(-logit)))


class Calibration(NamedTuple):
    """What a memory has learnt of its own certainty."""

    model: MatchModel
    novel_below: float
    """Similarity below which nothing is reused."""
    accuracy: float
    """Share of the examples whose route the head finds without having seen them, 0-1."""


def calibrate(examples: Examples, labels: Labels, fit: Fit) -> Calibration:
    """Learn from the examples' own left-out scores."""
    known = _choices(examples, labels, fit.without_example, hide_route=False)
    unknown = _choices(examples, labels, fit.without_route, hide_route=True)
    right = known.route == labels
    return Calibration(
        model=_fitted(known.signals, right, unknown.signals),
        novel_below=float(np.percentile(known.similarity, NOVEL_PERCENTILE)),
        accuracy=float(right.mean()),
    )


def _choices(examples: Examples, labels: Labels, scores: Array, *, hide_route: bool) -> Choice:
    parts = []
    for part in examples.blocks():
        like = examples.among_themselves(part)
        rows = np.arange(part.start, part.stop)
        hidden = labels[rows, None] == labels[None, :] if hide_route else rows[:, None] == np.arange(len(labels))
        seen = Likeness(np.where(hidden, np.float32(_HIDDEN), like.cosines), np.where(hidden, 0, like.terms))
        parts.append(choose(scores[part], seen, labels))
    return Choice(*(np.concatenate(fields) for fields in zip(*parts, strict=True)))


def _fitted(known: Signals, right: npt.NDArray[np.bool_], unknown: Signals) -> MatchModel:
    from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]  # ships no types

    signals = np.concatenate([known, unknown])
    mean, scale = signals.mean(axis=0), np.maximum(signals.std(axis=0), 1e-6)
    shares = np.repeat([1 - UNKNOWN_SHARE, UNKNOWN_SHARE], len(known))
    truth = np.concatenate([right, np.zeros(len(unknown), bool)])
    model = LogisticRegression(C=1.0, max_iter=500).fit((signals - mean) / scale, truth, sample_weight=shares)
    return MatchModel(
        tuple(mean.tolist()), tuple(scale.tolist()), tuple(model.coef_[0].tolist()), float(model.intercept_[0])
    )
