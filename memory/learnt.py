"""What the memory of one team in one workspace has learnt from its own tasks: a head and its calibration."""

import base64
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np

from memory.calibration import Calibration, MatchModel, calibrate, choose
from memory.encoders import Vectors
from memory.heads import Array, Examples, Labels, fit
from memory.index import Hit
from memory.records import Value

FORMAT = 1
"""Version of the stored form; another one is learnt anew."""
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

    def judgement(self, goal: str, vector: Vectors) -> Judgement:
        """Judge a goal whose vector, shape [dimension], is given."""
        like = self.examples.likeness(goal, vector)
        choice = choose(like.kernel @ self.alpha, like, self.labels)
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
            labels=labels,
            examples=self.examples.kept(kept),
            alpha=self.alpha[kept],
        )

    def stored(self) -> Value:
        """Return this as a record; the examples are in it by their ids alone, without their words."""
        return {
            "format": FORMAT,
            "encoder": self.encoder,
            "size": self.size,
            "tasks": list(self.tasks),
            "routes": list(self.routes),
            "labels": self.labels.tolist(),
            "alpha": base64.b64encode(zlib.compress(self.alpha.astype(np.float16).tobytes(), 1)).decode(),
            "model": self.calibration.model._asdict(),
            "novel_below": self.calibration.novel_below,
            "accuracy": self.calibration.accuracy,
        }


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
        known = Examples.of([e.goal for e in picked], vectors)
        fitted = fit(known, labels)
        calibration = calibrate(known, labels, fitted)
    return Learnt(encoder, [e.task for e in picked], routes, labels, known, fitted.alpha, calibration, size)


def restored(value: Value, goals: Mapping[str, str], vectors: Mapping[str, Vectors], encoder: str) -> Learnt | None:
    """Return what was stored, with the goals and vectors of its tasks by id; None where it was stored otherwise.

    Tasks without a goal are gone and left out. Blocking: their words are taken anew.
    """
    if (value["format"], value["encoder"]) != (FORMAT, encoder):
        return None
    tasks, labels = value["tasks"], np.array(value["labels"], np.int64)
    alpha = np.frombuffer(zlib.decompress(base64.b64decode(value["alpha"])), np.float16).astype(np.float32)
    living = [i for i, task in enumerate(tasks) if task in goals]
    if len(set(labels[living].tolist())) < 2:
        return None
    kept = [tasks[i] for i in living]
    return Learnt(
        encoder=encoder,
        tasks=kept,
        routes=value["routes"],
        labels=labels[living],
        examples=Examples.of([goals[task] for task in kept], np.stack([vectors[task] for task in kept])),
        alpha=alpha.reshape(len(tasks), -1)[living],
        calibration=Calibration(_model(value["model"]), value["novel_below"], value["accuracy"]),
        size=value["size"],
    )


def _ramp(count: int, none: int, full: int) -> float:
    return min(1.0, max(0.0, (count - none) / (full - none)))


def _model(value: Value) -> MatchModel:
    return MatchModel(tuple(value["mean"]), tuple(value["scale"]), tuple(value["weights"]), value["intercept"])


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
