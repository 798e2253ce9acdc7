"""Lexical similarity of goals: TF-IDF over words and character n-grams, weighted by the workspace's own memory.

The vectorisers hash, so a goal is added without refitting anything: only the document frequencies grow.
"""

import re
from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

FUNCTION_WORDS = frozenset({
    "a", "an", "and", "any", "are", "as", "at", "be", "been", "but", "by", "can", "could", "did", "do", "does",
    "for", "from", "had", "has", "have", "how", "i", "if", "in", "into", "is", "it", "its", "may", "me", "might",
    "must", "my", "need", "of", "on", "or", "our", "out", "please", "shall", "should", "so", "some", "than",
    "that", "the", "their", "them", "then", "there", "these", "they", "this", "to", "us", "want", "was", "we",
    "were", "what", "when", "where", "which", "who", "whom", "whose", "why", "will", "with", "would", "you",
    "your",
})  # fmt: skip

_BUCKETS = 2**18
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
_INDEFINITE_ASK = re.compile(
    r"(?P<ask>(?:please\s+)?(?P<verb>[a-z]+)\s+(?:(?:me|us)\s+)?(?:an?|some)(?:\s+[\w-]+){1,3}?)"
    r"(?:[.!]?$|\s+(?:about|on|regarding|concerning|covering)\s+\S)",
    re.IGNORECASE,
)

FloatArray = npt.NDArray[np.float32]


def ask_of(goal: str) -> str:
    """Return what is asked for without its topic: "Write a blog about bees" asks to "Write a blog".

    The route follows the ask more than the topic. Only the order of an indefinite thing ("a brief on ...") has an ask
    of its own, so that "turn the light on" and "what is known about bees?" stay whole.
    """
    for sentence in _SENTENCE_END.split(goal.strip()):
        match = _INDEFINITE_ASK.match(sentence)
        if match and match["verb"].lower() not in FUNCTION_WORDS:
            return match["ask"]
    return goal


class _Bag(NamedTuple):
    """The distinct terms of a text, as sorted buckets, and their damped counts; both of shape [terms]."""

    buckets: npt.NDArray[np.int32]
    counts: FloatArray


class Lexicon:
    """The words of one workspace's goals. Not safe for use from several threads at once."""

    def __init__(self) -> None:
        self._bags: dict[str, list[_Bag]] = {}
        self._frequencies = [np.zeros(_BUCKETS, np.float32) for _ in _vectorisers()]

    def __contains__(self, key: str) -> bool:
        return key in self._bags

    def add(self, keys: Sequence[str], goals: Sequence[str]) -> None:
        """Add goals; a key that is there already keeps its words."""
        new = {key: goal for key, goal in zip(keys, goals, strict=True) if key not in self._bags}
        for key, bags in zip(new, _bags(list(new.values())), strict=True):
            self._bags[key] = bags
            self._count(key, 1)

    def remove(self, key: str) -> None:
        """Remove a goal; an unknown key changes nothing."""
        if key in self._bags:
            self._count(key, -1)
            del self._bags[key]

    def similarities(self, goal: str, keys: Sequence[str]) -> list[float]:
        """Return the similarity of `goal` to each known key, 0-1: the mean of the word and the n-gram cosine."""
        words, grams = (self._cosines(i, bag, keys) for i, bag in enumerate(_bags([goal])[0]))
        return [(w + g) / 2 for w, g in zip(words, grams, strict=True)]

    def _count(self, key: str, by: int) -> None:
        for frequency, bag in zip(self._frequencies, self._bags[key], strict=True):
            frequency[bag.buckets] += by

    def _cosines(self, part: int, query: _Bag, keys: Sequence[str]) -> list[float]:
        dense = np.zeros(_BUCKETS, np.float32)
        dense[query.buckets] = self._weights(part, query)
        norm = float(np.linalg.norm(dense[query.buckets]))
        return [self._cosine(part, self._bags[key][part], dense, norm) for key in keys]

    def _cosine(self, part: int, bag: _Bag, query: FloatArray, query_norm: float) -> float:
        weights = self._weights(part, bag)
        scale = query_norm * float(np.linalg.norm(weights))
        return min(1.0, float(weights @ query[bag.buckets]) / scale) if scale else 0.0

    def _weights(self, part: int, bag: _Bag) -> FloatArray:
        # Smoothed IDF as in scikit-learn. A term never seen here weighs most, so it counts against a match.
        idf = np.log((1 + len(self._bags)) / (1 + self._frequencies[part][bag.buckets])) + 1
        return np.asarray(bag.counts * idf, np.float32)


@cache
def _vectorisers() -> tuple[Any, Any]:
    from sklearn.feature_extraction.text import HashingVectorizer  # type: ignore[import-untyped]  # ships no types

    shared = {"n_features": _BUCKETS, "norm": None, "alternate_sign": False, "dtype": np.float32}
    words = HashingVectorizer(token_pattern=r"[^\W_]+", stop_words=sorted(FUNCTION_WORDS), **shared)
    return words, HashingVectorizer(analyzer="char_wb", ngram_range=(3, 5), **shared)


def _bags(goals: Sequence[str]) -> list[list[_Bag]]:
    """Return the bags of words and of n-grams of each goal."""
    if not goals:
        return []
    matrices = [vectoriser.transform(goals) for vectoriser in _vectorisers()]
    return [[_bag(matrix, row) for matrix in matrices] for row in range(len(goals))]


def _bag(matrix: Any, row: int) -> _Bag:
    part = slice(matrix.indptr[row], matrix.indptr[row + 1])
    return _Bag(matrix.indices[part].copy(), 1 + np.log(matrix.data[part]))
