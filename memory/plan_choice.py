"""The model that chooses among plans: a conditional logit with an outside option, and how sure its choice is.

Of the plans that could serve a goal, one is exactly right or none is; each has a utility that is linear in its
features, and so has "none of them" (McFadden, "Conditional logit analysis of qualitative choice behavior", 1974). The
plan is taken whose expected agreement with the right one is the highest, which counts steps, edges and being exactly
right alike: without the last, a mixture of two likely plans would win that is never right itself. The probability that
the plan is exactly right is then calibrated on examples that the model was not shown.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from memory.calibration import MatchModel
from memory.plan_features import agreements
from memory.plan_forms import Floats, Form, Mask

FOLDS = 5
_RIDGE = 1.0
"""Strength of the pull of the weights to 0, against one example."""
NONE_FEATURES = 3
_UNLIKELY = 1e-4
_LEAST_SCALE = 0.05
"""Of a feature that hardly varied: what little it did says nothing of goals where it is elsewhere."""


class Rival(NamedTuple):
    """One goal with the plans that could serve it."""

    forms: Sequence[Form]
    features: Floats
    """Shape [plans, features]."""
    context: Floats
    """What speaks for none of them, shape [3]; see `context_of`."""
    right: int | None = None
    """Place of the plan that is exactly right, where that is known."""


class Weights(NamedTuple):
    """A conditional logit; features are standardised first."""

    mean: Floats
    scale: Floats
    plan: Floats
    """Shape [features]."""
    none: Floats
    """Shape [3]."""


class Choice(NamedTuple):
    """What was chosen of the plans."""

    order: Sequence[int]
    """Places of the plans, best first."""
    probabilities: Floats
    """P(exactly right) of each plan, before calibration, shape [plans]."""
    expected: Floats
    """Expected agreement of each with the right one, 0-1, shape [plans]."""
    signals: Floats
    """What the calibration looks at, shape [plans, 2]: the log-odds before calibration, and the expected agreement."""


def context_of(likeness: Floats, features: Floats) -> Floats:
    """Return what speaks for a goal that no plan serves: a constant, how far all tasks are, how badly all plans fit."""
    return np.array([1.0, 1 - max(float(likeness.max(initial=0.0)), 0.0), float(features[:, 4].min())])


def chosen(rival: Rival, weights: Weights, nodes: int) -> Choice:
    """Return the plans in the order of their expected agreement; there is one at least."""
    everything = _probabilities(rival, weights)
    probabilities = everything[:-1]
    step_f1, edge_f1 = agreements(rival.forms, rival.forms, nodes)
    expected = (step_f1 + edge_f1 + np.eye(len(probabilities))) / 3 @ probabilities
    order = [int(i) for i in np.argsort(-expected, kind="stable")]
    inside = np.clip(probabilities, _UNLIKELY, 1 - _UNLIKELY)
    return Choice(order, probabilities, expected, np.stack([np.log(inside / (1 - inside)), expected], axis=1))


def fit(rivals: Sequence[Rival]) -> Weights:
    """Fit the weights by penalised maximum likelihood."""
    from scipy.optimize import minimize  # type: ignore[import-untyped]  # ships no types

    rows = np.concatenate([rival.features for rival in rivals])
    mean, scale = rows.mean(axis=0), np.maximum(rows.std(axis=0), _LEAST_SCALE)
    stacked, valid, target = _stacked(rivals, mean, scale)

    def loss(weights: Floats) -> tuple[float, Floats]:
        utility = np.where(valid, stacked @ weights, -np.inf)
        utility -= utility.max(axis=1, keepdims=True)
        probabilities = np.exp(utility)
        probabilities /= probabilities.sum(axis=1, keepdims=True)
        likely = probabilities[np.arange(len(target)), target]
        wrong = probabilities.copy()
        wrong[np.arange(len(target)), target] -= 1
        gradient = np.einsum("ij,ijk->k", wrong, stacked) + _RIDGE * weights
        return float(-np.log(np.maximum(likely, 1e-12)).sum() + _RIDGE / 2 * weights @ weights), gradient

    start = np.zeros(stacked.shape[2])
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 300}).x
    return Weights(mean, scale, found[: len(mean)], found[len(mean) :])


def calibrated(rivals: Sequence[Rival], nodes: int) -> MatchModel:
    """Fit P(the choice is exactly right) to choices among rivals that the choosing weights were not fitted to."""
    signals, right = [], []
    for fold in range(FOLDS):
        weights = fit([rival for i, rival in enumerate(rivals) if i % FOLDS != fold])
        for rival in rivals[fold::FOLDS]:
            choice = chosen(rival, weights, nodes)
            signals.append(choice.signals[choice.order[0]])
            right.append(choice.order[0] == rival.right)
    return _logistic(np.stack(signals), np.array(right))


def _logistic(signals: Floats, right: Mask) -> MatchModel:
    from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]  # ships no types

    mean, scale = signals.mean(axis=0), np.maximum(signals.std(axis=0), _LEAST_SCALE)
    weights, intercept = np.zeros(signals.shape[1]), float(np.log((right.sum() + 1) / ((~right).sum() + 1)))
    if 0 < right.sum() < len(right):
        model = LogisticRegression(C=1.0, max_iter=500).fit((signals - mean) / scale, right)
        weights, intercept = model.coef_[0], float(model.intercept_[0])
    return MatchModel(tuple(mean.tolist()), tuple(scale.tolist()), tuple(weights.tolist()), intercept)


def _probabilities(rival: Rival, weights: Weights) -> Floats:
    """Return P(right) of each plan and, last, of none; shape [plans + 1]."""
    utility = np.append((rival.features - weights.mean) / weights.scale @ weights.plan, rival.context @ weights.none)
    likely = np.exp(utility - utility.max())
    return np.asarray(likely / likely.sum())


def _stacked(rivals: Sequence[Rival], mean: Floats, scale: Floats) -> tuple[Floats, Mask, Floats]:
    """Return all rows in one array, shape [rivals, plans + 1, weights], which of them are there, and the right ones."""
    most, width = max(len(r.forms) for r in rivals) + 1, len(mean)
    rows = np.zeros((len(rivals), most, width + NONE_FEATURES))
    valid = np.zeros((len(rivals), most), bool)
    for i, rival in enumerate(rivals):
        count = len(rival.forms)
        rows[i, :count, :width] = (rival.features - mean) / scale
        rows[i, -1, width:] = rival.context
        valid[i, :count] = valid[i, -1] = True
    return rows, valid, np.array([most - 1 if r.right is None else r.right for r in rivals])
