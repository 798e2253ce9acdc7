"""The words that the examples of each route have: a request with words that its route never had is less surely its."""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from memory.heads import Labels

_WORD = re.compile(r"[^\W_]+")


class Vocabulary(NamedTuple):
    """How many examples of each route have a word; see `vocabulary_of`."""

    routes: Mapping[int, Counter[str]]
    """By the number of the route; one without examples is missing."""

    def share(self, goal: str, route: int, *, own: bool = False) -> float:
        """Return the share of a goal's distinct words that examples of a route have, 0-1; 0 without a word.

        Args:
            goal: The goal.
            route: Counted from 0.
            own: Whether the goal is itself an example of the route; then the others count.
        """
        words, known = _words(goal), self.routes.get(route, Counter[str]())
        return sum(known[word] > own for word in words) / max(1, len(words))


def vocabulary_of(goals: Sequence[str], labels: Labels) -> Vocabulary:
    """Return the vocabulary of examples with their routes, counted from 0."""
    routes: defaultdict[int, Counter[str]] = defaultdict(Counter)
    for goal, label in zip(goals, labels.tolist(), strict=True):
        routes[label].update(_words(goal))
    return Vocabulary(routes)


def _words(goal: str) -> set[str]:
    return set(_WORD.findall(goal.lower()))
