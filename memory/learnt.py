"""What the memory of one team in one workspace has learnt from its own tasks: a head and its calibration."""

from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np

from memory.calibration import Calibration, calibrate, choose
from memory.encoders import Vectors
from memory.heads import Array, Examples, Labels, fit
from memory.index import Hit
from memory.vocabulary import Vocabulary, vocabulary_of

MAX_EXAMPLES = 8000
"""A larger memory learns from as many of its tasks, evenly over its routes: time grows with the cube of this."""
MIN_INFORMED = 20
FULL_TRUST = 200
"""With fewer examples of routes that have two, the shipped prior has a part in the judgement, from `MIN_INFORMED` on
ever less."""
FEW_EXAMPLES = 3
MANY_EXAMPLES = 7
"""So has it for a route with fewer examples: leaving one out of so few makes the head look worse than it is. Up to
`FEW_EXAMPLES` the prior alone judges."""
_SUPPORT = 3
"""Nearest examples that speak for the head's choice."""


class Example(NamedTuple):
    """A task that succeeded."""

    task: str
    goal: str
    route: str


class Judgement(NamedTuple):
    """What was learnt says about one goal."""

    route: str
    """The head's first choice."""
    probability: float
    """P(it is right)."""
    trusts: Mapping[str, float]
    """Weight of what was learnt against the shipped prior, 0-1, for each route that the head knows."""
    similarity: float
    """Highest cosine to any example."""
    novel_below: float
    support: list[Hit]
    """The nearest examples of the route, nearest first."""
    examples: int

    @property
    def novel(self) -> bool:
        """Whether the goal is farther from the memory than nearly all of it is from itself."""
        return self.similarity < self.novel_below

    def trust(self, route: str) -> float:
        """Return the weight of what was learnt about a route, 0-1; 0 for one that the head does not know."""
        return self.trusts.get(route, 0.0)

    @property
    def left(self) -> float:
        """What the first choice leaves to all other routes, known or not, as far as it is to be trusted."""
        return 1 - self.trust(self.route) * self.probability

    def about(self, route: str) -> float:
        """Return P(the route is right); another than the first choice gets half of what it may have at most."""
        return self.probability if route == self.route else min(self.probability, 1 - self.probability) / 2


@dataclass(frozen=True)
class Learnt:
    """A head over examples, and how far to believe it."""

    encoder: str
    tasks: Sequence[str]
    """Ids of the examples."""
    goals: Sequence[str]
    routes: Sequence[str]
    labels: Labels
    examples: Examples
    alpha: Array
    """Shape [examples, routes]; see `memory.heads`."""
    calibration: Calibration
    size: int
    """Tasks of the team when this was learnt."""

    @cached_property
    def trusts(self) -> dict[str, float]:
        """The weight of what was learnt against the shipped prior, 0-1, by route."""
        counts = np.bincount(self.labels, minlength=len(self.routes))
        whole = _ramp(int(counts[counts > 1].sum()), MIN_INFORMED, FULL_TRUST)
        return {
            route: whole * _ramp(int(count), FEW_EXAMPLES, MANY_EXAMPLES)
            for route, count in zip(self.routes, counts, strict=True)
            if count
        }

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """The words of the examples of each route."""
        return vocabulary_of(self.goals, self.labels)

    def judgement(self, goal: str, vector: Vectors) -> Judgement:
        """Judge a goal whose vector, shape [dimension], is given."""
        like = self.examples.likeness(goal, vector)
        scores = like.kernel @ self.alpha
        choice = choose(scores, like, self.labels, lambda _, route: self.vocabulary.share(goal, route))
        route = int(choice.route[0])
        return Judgement(
            route=self.routes[route],
            probability=float(self.calibration.model.probability(choice.signals)[0]),
            trusts=self.trusts,
            similarity=float(choice.similarity[0]),
            novel_below=self.calibration.novel_below,
            support=self._nearest(like.cosines[0], route),
            examples=len(self.tasks),
        )

    def _nearest(self, cosines: Array, route: int) -> list[Hit]:
        mine = np.flatnonzero(self.labels == route)
        nearest = mine[np.argsort(-cosines[mine])][:_SUPPORT]
        return [Hit(self.tasks[i], float(cosines[i])) for i in nearest]

    def without(self, tasks: Set[str]) -> "Learnt | None":
        """Return this without some examples; None where fewer than two routes keep one."""
        if not tasks:
            return self
        kept = np.array([task not in tasks for task in self.tasks])
        labels = self.labels[kept]
        if len(set(labels.tolist())) < 2:
            return None
        return replace(
            self,
            tasks=[task for task, keep in zip(self.tasks, kept, strict=True) if keep],
            goals=[goal for goal, keep in zip(self.goals, kept, strict=True) if keep],
            labels=labels,
            examples=self.examples.kept(kept),
            alpha=self.alpha[kept],
        )


def chosen_of(examples: Sequence[Example]) -> list[Example]:
    """Return those of the examples, the least recent first, that are learnt from: at most `MAX_EXAMPLES`."""
    return [examples[i] for i in _evenly([e.route for e in examples])]


def learnable(examples: Sequence[Example]) -> bool:
    """Return whether there are enough examples of enough routes to learn from."""
    sizes = Counter(e.route for e in examples)
    return len(sizes) >= 2 and sum(n for n in sizes.values() if n > 1) >= MIN_INFORMED


def learn(examples: Sequence[Example], vectors: Vectors, *, encoder: str, size: int) -> Learnt:
    """Learn from learnable tasks whose goals' vectors, shape [examples, dimension], are given.

    Blocking, in one thread: 2 s for 2,600 examples.
    """
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # ships no types

    chosen = _evenly([e.route for e in examples])
    picked, vectors = [examples[i] for i in chosen], vectors[chosen]
    routes = sorted({e.route for e in picked})
    numbers = {route: i for i, route in enumerate(routes)}
    labels = np.array([numbers[e.route] for e in picked], np.int64)
    with threadpool_limits(limits=1):  # requests need the other cores
        goals = [e.goal for e in picked]
        known = Examples.of(goals, vectors)
        fitted = fit(known, labels)
        calibration = calibrate(goals, known, labels, fitted)
    return Learnt(encoder, [e.task for e in picked], goals, routes, labels, known, fitted.alpha, calibration, size)


def _ramp(count: int, none: int, full: int) -> float:
    return min(1.0, max(0.0, (count - none) / (full - none)))


def _evenly(routes: Sequence[str]) -> list[int]:
    """Return which examples to learn from: the last ones of each route, no route more than fits for all."""
    sizes = Counter(routes)
    share = max(sizes.values(), default=0)
    while share > 1 and sum(min(n, share) for n in sizes.values()) > MAX_EXAMPLES:
        share -= max(1, share // 50)
    taken: Counter[str] = Counter()
    chosen = []
    for i in range(len(routes) - 1, -1, -1):
        taken[routes[i]] += 1
        if taken[routes[i]] <= share:
            chosen.append(i)
    return chosen[::-1][-MAX_EXAMPLES:]
