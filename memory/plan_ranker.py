"""Which whole plan fits a goal, learnt from the tasks of one team in one workspace.

A route says who works; a plan also says with which tools, and what flows from whom to whom. Kernel ridge regression
(`memory.heads`) tells of each kind of step how surely a goal needs it; plans of near tasks, and new ones made of their
parts (`memory.plan_candidates`), are weighed by a small model of their features (`memory.plan_choice`).

What was learnt is kept as numbers in JSON and checked when it is read: a record that somebody else wrote can make the
ranking bad, but it can run nothing, and what it ranks are shapes that must be found again in remembered plans.
"""

from collections.abc import Sequence, Set
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from memory.calibration import MatchModel, novel_below
from memory.encoders import Vectors
from memory.heads import Array, Examples, inverse_of
from memory.index import Hit
from memory.plan_candidates import Question, candidates, donors, question
from memory.plan_choice import Rival, Weights, calibrated, chosen, context_of, fit
from memory.plan_features import features
from memory.plan_forms import Floats, Form, Forms, Mask
from memory.plan_shapes import Node, Shape

MAX_PLANS = 2000
"""A larger memory learns from the latest of its plans."""
MAX_NODES = 500
"""Kinds of steps that it learns of; older plans that would bring more are left out, since time and memory grow with
the square of this. A step that a plan has many times is as many kinds."""
MIN_PLANS = 30
FULL_TRUST = 100
"""With fewer plans the judgement of the route has a part in that of the plan, from `MIN_PLANS` on ever less."""
_ASKED = 500
"""Examples that the model of the features is fitted to, evenly over all; the steps are learnt from all."""
_FOLDS = 10
"""Parts of the examples; each is asked of a memory of all the others."""
_PROPOSALS = 3


class Example(NamedTuple):
    """A task that succeeded, with its plan."""

    task: str
    goal: str
    shape: Shape


class Proposal(NamedTuple):
    """A plan for a goal."""

    shape: Shape
    tasks: Sequence[str]
    """The remembered task that did it, or those that it is to be put together from, the main one first."""
    composed: bool
    probability: float
    """P(it is exactly right), calibrated."""
    expected: float
    """Expected agreement with the right plan, 0-1: the mean of the F1 of steps, that of edges, and P(exactly right)."""


class Ranking(NamedTuple):
    """What the memory says about plans for one goal."""

    proposals: Sequence[Proposal]
    """Best first; empty where nothing is near."""
    trust: float
    """Weight against what is believed of the route, 0-1."""
    examples: int
    novel: bool
    """Whether the goal is farther from the memory than nearly all of it is from itself."""
    hits: Sequence[Hit]
    """The tasks behind the proposals."""


@dataclass(frozen=True)
class PlanRanker:
    """What the plans of one team's memory have taught."""

    encoder: str
    tasks: Sequence[str]
    """Ids of the examples."""
    forms: Forms
    examples: Examples
    alpha: Array
    """The head: `kernel @ alpha + mean` scores each node and, in the last column, counts the steps."""
    mean: Array
    weights: Weights
    model: MatchModel
    """P(the chosen plan is exactly right)."""
    novel_below: float
    size: int
    """Tasks of the team when this was learnt."""

    @property
    def trust(self) -> float:
        """Weight against what is believed of the route, 0-1."""
        return min(1.0, max(0.0, (len(self.tasks) - MIN_PLANS) / (FULL_TRUST - MIN_PLANS)))

    def ranking(self, goal: str, vector: Vectors) -> Ranking:
        """Rank plans for a goal whose vector, shape [dimension], is given."""
        like = self.examples.likeness(goal, vector)
        scores = like.kernel[0] @ self.alpha + self.mean
        asked = question(self.forms, like.kernel[0].astype(float), scores[:-1].astype(float), float(scores[-1]))
        proposals, cosine = self._proposals(asked), dict(zip(self.tasks, like.cosines[0].tolist(), strict=True))
        behind = dict.fromkeys(task for proposal in proposals for task in proposal.tasks)
        novel = max(cosine.values()) < self.novel_below
        return Ranking(proposals, self.trust, len(self.tasks), novel, [Hit(task, cosine[task]) for task in behind])

    def _proposals(self, asked: Question) -> list[Proposal]:
        plans = candidates(self.forms, asked)
        table = features(self.forms, asked, plans)
        rival = Rival([plan.form for plan in plans], table, context_of(asked.likeness, table))
        choice = chosen(rival, self.weights, len(self.forms.nodes))
        sure = self.model.probability(choice.signals)
        found = []
        for place in choice.order:
            plan = plans[place]
            parts = [plan.example] if plan.example is not None else donors(self.forms, asked, plan.form)
            if parts:
                tasks = [self.tasks[i] for i in parts]
                composed = plan.example is None
                expected = float(choice.expected[place])
                shape = self.forms.shape(plan.form)
                found.append(Proposal(shape, tasks, composed, float(sure[place]), expected))
            if len(found) == _PROPOSALS:
                break
        return found

    def without(self, tasks: Set[str]) -> "PlanRanker | None":
        """Return this without some examples; None where too few stay to rank anything."""
        if not tasks & set(self.tasks):
            return self
        kept = np.array([task not in tasks for task in self.tasks])
        if kept.sum() < 2:
            return None
        return replace(
            self,
            tasks=[task for task, keep in zip(self.tasks, kept, strict=True) if keep],
            forms=self.forms.kept(kept),
            examples=self.examples.kept(kept),
            alpha=self.alpha[kept],
        )


def bounded(known: Sequence[Example]) -> list[Example]:
    """Return the examples, the least recent first, without those that bring more kinds of steps than fit."""
    nodes: set[Node] = set()
    kept = []
    for example in reversed(known):
        if len(nodes | example.shape.nodes) <= MAX_NODES:
            nodes |= example.shape.nodes
            kept.append(example)
    return kept[::-1]


def rankable(shapes: Sequence[Shape]) -> bool:
    """Return whether there are enough plans, and more than one, to learn from."""
    return len(shapes) >= MIN_PLANS and len(set(shapes)) > 1


def learn(known: Sequence[Example], vectors: Vectors, *, encoder: str, size: int) -> PlanRanker:
    """Learn from rankable tasks whose goals' vectors, shape [examples, dimension], are given.

    Blocking, in one thread: 5 s for 1,000 examples.
    """
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # ships no types

    with threadpool_limits(limits=1):  # requests need the other cores
        examples = Examples.of([e.goal for e in known], vectors)
        forms = Forms.of([e.shape for e in known])
        folds = np.random.default_rng(0).permutation(len(known)) % _FOLDS
        alpha, mean, unseen = _head(examples, forms, folds)
        rivals = [rival for fold in range(_FOLDS) for rival in _rivals(examples, forms, unseen, folds == fold)]
        nodes = len(forms.nodes)
        weights, model = fit(rivals), calibrated(rivals, nodes)
    novel = novel_below(np.array([np.partition(examples.vectors @ v, -2)[-2] for v in vectors]))
    return PlanRanker(encoder, [e.task for e in known], forms, examples, alpha, mean, weights, model, novel, size)


def _head(examples: Examples, forms: Forms, folds: npt.NDArray[np.int64]) -> tuple[Array, Array, Floats]:
    """Return alpha, mean, and the scores of each example by a head that was shown nothing of its fold.

    See `memory.heads.fit`. Leaving out each example alone would not do: of two plans that are equally frequent, the one
    left out is always the rarer one, and the model would learn to bet on the rarer.
    """
    counts = forms.matrix.sum(axis=1, keepdims=True)
    targets = np.concatenate([forms.matrix, counts], axis=1).astype(np.float32)
    mean = targets.mean(axis=0)
    inverse = inverse_of(examples)
    alpha = inverse @ (targets - mean)
    unseen = np.empty_like(targets)
    for fold in range(_FOLDS):
        mine = np.flatnonzero(folds == fold)
        unseen[mine] = targets[mine] - np.linalg.solve(inverse[np.ix_(mine, mine)], alpha[mine])
    return alpha, mean, unseen.astype(float)


def _rivals(examples: Examples, forms: Forms, unseen: Floats, hidden: Mask) -> list[Rival]:
    """Return some of the hidden examples as goals, with the plans that a memory of the others has for them."""
    others, places = forms.kept(~hidden), np.flatnonzero(hidden)
    some = places[:: max(1, len(places) * _FOLDS // _ASKED)].tolist()
    return [_rival(others, examples, unseen[i], i, ~hidden, forms.forms[i]) for i in some]


def _rival(forms: Forms, examples: Examples, scores: Floats, place: int, seen: Mask, true: Form) -> Rival:
    likeness = examples.among_themselves(slice(place, place + 1)).kernel[0][seen].astype(float)
    asked = question(forms, likeness, scores[:-1], float(scores[-1]))
    plans = candidates(forms, asked)
    table = features(forms, asked, plans)
    shapes = [plan.form for plan in plans]
    right = shapes.index(true) if true in shapes else None
    return Rival(shapes, table, context_of(likeness, table), right)
