"""Lexical similarity of goals: TF-IDF over words and character n-grams, weighted by the workspace's own memory.

The vectorisers hash, so a goal is added without refitting anything: only the document frequencies grow. Goals are
compared as they are asked for, a few at a time; the terms of those compared last are kept, of the others nothing.
"""

import re
from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from cachetools import LRUCache

FUNCTION_WORDS = frozenset({
    "a", "an", "and", "any", "are", "as", "at", "be", "been", "but", "by", "can", "could", "did", "do", "does",
    "for", "from", "had", "has", "have", "how", "i", "if", "in", "into", "is", "it", "its", "may", "me", "might",
    "must", "my", "need", "of", "on", "or", "our", "out", "please", "shall", "should", "so", "some", "than",
    "that", "the", "their", "them", "then", "there", "these", "they", "this", "to", "us", "want", "was", "we",
    "were", "what", "when", "where", "which", "who", "whom", "whose", "why", "will", "with", "would", "you",
    "your",
})  # fmt: skip

_BUCKETS = 2**18
_BATCH = 1000
_KEPT = 1024
"""Goals whose bags are kept."""
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
    """How common the words of one workspace's goals are; of the goals themselves only those compared last are kept.

    Not safe for use from several threads at once.
    """

    def __init__(self) -> None:
        self._goals = 0
        self._frequencies = [np.zeros(_BUCKETS, np.float32) for _ in _vectorisers()]
        self._known: LRUCache[str, list[_Bag]] = LRUCache(_KEPT)

    def add(self, goals: Sequence[str], *, of: int | None = None) -> None:
        """Count goals; where they are a random sample `of` so many, they stand for all of these."""
        total = len(goals) if of is None else of
        self._count(goals, total / max(1, len(goals)))
        self._goals += total

    def remove(self, goals: Sequence[str]) -> None:
        """Take back goals that were counted."""
        self._count(goals, -1)
        self._goals -= len(goals)
        for goal in goals:
            self._known.pop(goal, None)

    def similarities(self, goal: str, others: Sequence[str]) -> list[float]:
        """Return the similarity of `goal` to each other goal, 0-1: the mean of the word and the n-gram cosine."""
        if not others:
            return []
        query, *bags = self._bags([goal, *others])
        words, grams = (self._cosines(part, query[part], [bag[part] for bag in bags]) for part in (0, 1))
        return [(w + g) / 2 for w, g in zip(words, grams, strict=True)]

    def _bags(self, goals: Sequence[str]) -> list[list[_Bag]]:
        """Return the bags of words and of n-grams of each goal; the same goals come again and again."""
        found = {goal: self._known[goal] for goal in goals if goal in self._known}
        if new := sorted(set(goals) - found.keys()):
            matrices = [vectoriser.transform(new) for vectoriser in _vectorisers()]
            fresh = {goal: [_bag(matrix, row) for matrix in matrices] for row, goal in enumerate(new)}
            self._known.update(fresh)
            found |= fresh
        return [found[goal] for goal in goals]

    def _count(self, goals: Sequence[str], by: float) -> None:
        for start in range(0, len(goals), _BATCH):
            matrices = [vectoriser.transform(goals[start : start + _BATCH]) for vectoriser in _vectorisers()]
            for frequency, matrix in zip(self._frequencies, matrices, strict=True):
                np.add.at(frequency, matrix.indices, np.float32(by))

    def _cosines(self, part: int, query: _Bag, bags: Sequence[_Bag]) -> list[float]:
        dense = np.zeros(_BUCKETS, np.float32)
        dense[query.buckets] = self._weights(part, query)
        norm = float(np.linalg.norm(dense[query.buckets]))
        return [self._cosine(part, bag, dense, norm) for bag in bags]

    def _cosine(self, part: int, bag: _Bag, query: FloatArray, query_norm: float) -> float:
        weights = self._weights(part, bag)
        scale = query_norm * float(np.linalg.norm(weights))
        return min(1.0, float(weights @ query[bag.buckets]) / scale) if scale else 0.0

    def _weights(self, part: int, bag: _Bag) -> FloatArray:
        # Smoothed IDF as in scikit-learn. A term never seen here weighs most, so it counts against a match. What a
        # removed goal of the sampled ones takes with it is right on the average only, and never below nothing.
        seen = np.maximum(self._frequencies[part][bag.buckets], 0)
        idf = np.log((1 + self._goals) / (1 + seen)) + 1
        return np.asarray(bag.counts * idf, np.float32)


@cache
def _vectorisers() -> tuple[Any, Any]:
    from sklearn.feature_extraction.text import HashingVectorizer  # type: ignore[import-untyped]  # ships no types

    shared = {"n_features": _BUCKETS, "norm": None, "alternate_sign": False, "dtype": np.float32}
    words = HashingVectorizer(token_pattern=r"[^\W_]+", stop_words=sorted(FUNCTION_WORDS), **shared)
    return words, HashingVectorizer(analyzer="char_wb", ngram_range=(3, 5), **shared)


def _bag(matrix: Any, row: int) -> _Bag:
    part = slice(matrix.indptr[row], matrix.indptr[row + 1])
    return _Bag(matrix.indices[part].copy(), 1 + np.log(matrix.data[part]))
