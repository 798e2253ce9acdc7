"""The head that tells the routes of one workspace apart: kernel ridge regression on embeddings and words.

The kernel of two goals is the mean of `exp(2 (cosine - 1))` of their embeddings and the cosine of their TF-IDF terms.
One inverse gives all that calibration needs in closed form: what the head would say of each example had it not seen
that example (Rifkin & Lippert, "Notes on Regularized Least-Squares", 2007), or none of its whole route.
"""

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from memory.encoders import Vectors

Array = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int64]

RIDGE = 0.3
SHARPNESS = 2.0
_BUCKETS = 2**18
_BLOCK = 512
"""Rows of the kernel that are worked on at a time."""


class Likeness(NamedTuple):
    """How like goals are to the examples; both of shape [goals, examples]."""

    cosines: Array
    terms: Array
    """Cosine of the TF-IDF terms, 0-1."""

    @property
    def kernel(self) -> Array:
        """Return the kernel, 0-1."""
        return np.asarray((np.exp(SHARPNESS * (self.cosines - 1)) + self.terms) / 2, np.float32)


class Terms:
    """TF-IDF over words, pairs of words and character n-grams; rows are unit vectors, half words and half n-grams."""

    def __init__(self, goals: Sequence[str]) -> None:
        counts = _counts(goals)
        # Smoothed IDF as in scikit-learn, from the examples alone.
        self._idf = [np.log((1 + len(goals)) / (1 + np.bincount(c.indices, minlength=_BUCKETS))) + 1 for c in counts]
        self.rows = self._weighted(counts)
        """Sparse, shape [examples, buckets]."""

    def likeness(self, goal: str) -> Array:
        """Return the cosine of a goal to each example, shape [examples]."""
        row = self._weighted(_counts([goal]))
        dense = np.zeros(self.rows.shape[1], np.float32)
        dense[row.indices] = row.data
        return np.asarray(self.rows @ dense, np.float32)

    def among_examples(self, part: slice) -> Array:
        """Return the cosine of some examples to all, shape [part, examples]."""
        return np.asarray((self.rows[part] @ self.rows.T).toarray(), np.float32)

    def kept(self, mask: npt.NDArray[np.bool_]) -> "Terms":
        """Return these without the examples that are False in `mask`; the weights stay."""
        terms = copy(self)
        terms.rows = self.rows[mask]
        return terms

    def _weighted(self, counts: Sequence[Any]) -> Any:
        from scipy import sparse  # type: ignore[import-untyped]  # ships no types
        from sklearn.preprocessing import normalize  # type: ignore[import-untyped]  # ships no types

        for count, idf in zip(counts, self._idf, strict=True):
            count.data = ((1 + np.log(count.data)) * idf[count.indices]).astype(np.float32)
        return sparse.hstack([normalize(count) * np.float32(np.sqrt(0.5)) for count in counts], format="csr")


@dataclass(frozen=True)
class Examples:
    """Goals with what is compared of them."""

    vectors: Vectors
    """Shape [examples, dimension]."""
    terms: Terms

    @classmethod
    def of(cls, goals: Sequence[str], vectors: Vectors) -> "Examples":
        """Take the goals' terms; `vectors` are theirs, shape [goals, dimension]."""
        return cls(vectors, Terms(goals))

    def likeness(self, goal: str, vector: Vectors) -> Likeness:
        """Return how like one new goal, with its vector of shape [dimension], is to the examples."""
        return Likeness((self.vectors @ vector)[None, :], self.terms.likeness(goal)[None, :])

    def kept(self, mask: npt.NDArray[np.bool_]) -> "Examples":
        """Return these without the examples that are False in `mask`."""
        return Examples(self.vectors[mask], self.terms.kept(mask))

    def blocks(self) -> "list[slice]":
        """Return slices that cover the examples in parts of bounded size."""
        size = len(self.vectors)
        return [slice(start, min(start + _BLOCK, size)) for start in range(0, size, _BLOCK)]

    def among_themselves(self, part: slice) -> Likeness:
        """Return how like some examples are to all."""
        return Likeness(self.vectors[part] @ self.vectors.T, self.terms.among_examples(part))


class Fit(NamedTuple):
    """A fitted head and what it would have said of its own examples; all of shape [examples, routes]."""

    alpha: Array
    """The head: `kernel @ alpha` are the routes' scores, about 1 for the right one and 0 for the others."""
    without_example: Array
    """Scores of each example by a head that was not shown it."""
    without_route: Array
    """Scores of each example by a head that was shown nothing of its route; that route scores -1."""


def fit(examples: Examples, labels: Labels) -> Fit:
    """Fit the head; takes about `examples`**3 operations in one thread: 1 s for 2,600, 10 s for 8,000.

    Args:
        examples: The goals.
        labels: The route of each, counted from 0.
    """
    targets = np.eye(labels.max() + 1, dtype=np.float32)[labels]
    inverse = inverse_of(examples)
    alpha = inverse @ targets
    without_route = np.empty_like(targets)
    for route in range(targets.shape[1]):
        mine = np.flatnonzero(labels == route)
        without_route[mine] = targets[mine] - np.linalg.solve(inverse[np.ix_(mine, mine)], alpha[mine])
        without_route[mine, route] = -1
    return Fit(alpha, targets - alpha / np.diag(inverse)[:, None], without_route)


def inverse_of(examples: Examples) -> Array:
    """Return the inverse of the kernel of the examples with the ridge on its diagonal, shape [examples, examples]."""
    return _inverse(_kernel(examples))


def _kernel(examples: Examples) -> Array:
    size = len(examples.vectors)
    kernel = np.empty((size, size), np.float32)
    for part in examples.blocks():
        kernel[part] = examples.among_themselves(part).kernel
    kernel[np.diag_indices(size)] += RIDGE
    return kernel


def _inverse(kernel: Array) -> Array:
    """Return the inverse of a positive definite matrix; three times as fast as one of any matrix."""
    from scipy.linalg import lapack  # type: ignore[import-untyped]  # ships no types

    factor, _ = lapack.spotrf(kernel, lower=1, overwrite_a=True)
    inverse, _ = lapack.spotri(factor, lower=1, overwrite_c=True)
    lower = np.tril(inverse)
    lower += np.tril(inverse, -1).T
    return np.asarray(lower, np.float32)


@cache
def _vectorisers() -> tuple[Any, Any]:
    from sklearn.feature_extraction.text import HashingVectorizer  # type: ignore[import-untyped]  # ships no types

    shared = {"n_features": _BUCKETS, "norm": None, "alternate_sign": False, "dtype": np.float32}
    words = HashingVectorizer(token_pattern=r"[^\W_]+", ngram_range=(1, 2), **shared)
    return words, HashingVectorizer(analyzer="char_wb", ngram_range=(3, 5), **shared)


def _counts(goals: Sequence[str]) -> list[Any]:
    return [vectoriser.transform(goals) for vectoriser in _vectorisers()]
