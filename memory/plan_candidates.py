"""The plans that could serve a goal: those of near tasks, and new ones put together from parts of remembered plans.

Here a plan is a shape. What is put together is a set of steps that remembered plans have, wired as they are wired
there; whether steps with these words and arguments can really be joined is for `memory.composition` to find out.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from memory.plan_forms import Floats, Form, Forms

NEAR = 30
"""Nearest examples whose plans are candidates."""
MAX_CANDIDATES = 90
_BASES = 6
"""Shapes of the nearest examples that are varied."""
_VARIED = 3
"""Steps that are taken out of, or put into, each of these in turn."""
_SHARPNESS = 6.0
"""Weight of a near example: `exp(_SHARPNESS * likeness)`."""
_LIKELY_EDGE = 0.5
_KNOWN = 3
"""Known ways to wire the same steps that are looked at."""


@dataclass(frozen=True)
class Question:
    """A goal, as the examples see it."""

    likeness: Floats
    """To each example, 0-1, shape [examples]."""
    scores: Floats
    """Of each node: about 1 where the goal needs such a step, about 0 where not, shape [nodes]."""
    size: float
    """Steps that the goal seems to need."""
    near: Sequence[int]
    """Nearest examples, nearest first."""
    weights: Floats
    """Of these, with the sum 1."""
    edges: Floats
    """P(one node feeds another | the plan has both), shape [nodes, nodes]."""


class Candidate(NamedTuple):
    """A plan that could serve."""

    form: Form
    example: int | None
    """The nearest example with this plan; None for one that is put together."""


def question(forms: Forms, likeness: Floats, scores: Floats, size: float) -> Question:
    """Return a goal with what is near it; there is one example at least."""
    near = np.argsort(-likeness, kind="stable")[:NEAR].tolist()
    weights = np.exp(_SHARPNESS * likeness[near])
    weights /= weights.sum()
    return Question(likeness, scores, size, near, weights, forms.edge_probabilities(near, weights))


def candidates(forms: Forms, asked: Question) -> list[Candidate]:
    """Return the plans that could serve, those of the nearest examples first; one at least."""
    found: dict[Form, int | None] = {}
    for example in asked.near:
        found.setdefault(forms.forms[example], example)
    bases = list(found)
    habits = _habits(bases, forms)
    for nodes in _node_sets(bases[:_BASES], asked):
        for form in _wirings(nodes, habits, forms, asked):
            if form not in found:
                found[form] = nearest(forms, asked, form)
        if len(found) >= MAX_CANDIDATES:
            break
    return [Candidate(form, example) for form, example in found.items()]


def nearest(forms: Forms, asked: Question, form: Form) -> int | None:
    """Return the nearest example with this plan, or None where none has it."""
    return max(forms.examples_of.get(form, ()), key=lambda i: asked.likeness[i], default=None)


def donors(forms: Forms, asked: Question, form: Form) -> list[int] | None:
    """Return the examples that a plan is to be put together from, the one that gives most first.

    None where no example has one of its steps.
    """
    left, chosen = set(form.nodes), dict[int, None]()
    while left:
        gives = [(i, _given(forms, form, left, i)) for i in (*asked.near, *_holders(forms, asked, left))]
        best, given = max(gives, key=lambda g: len(g[1]), default=(0, set[int]()))
        if not given:
            return None
        chosen[best] = None
        left -= given
    return list(chosen)


def _given(forms: Forms, form: Form, wanted: set[int], example: int) -> set[int]:
    """Return which steps an example has: where some are wired as they should be, these alone."""
    has = {node for node in wanted if node in forms.forms[example].nodes}
    return {n for n in has if forms.inputs[forms.forms[example]][n] == form.sources(n)} or has


def _holders(forms: Forms, asked: Question, nodes: set[int]) -> list[int]:
    """Return the nearest example with each of these steps, near or far."""
    holders = ((np.flatnonzero(forms.matrix[:, node])) for node in nodes)
    return [int(h[np.argmax(asked.likeness[h])]) for h in holders if len(h)]


def _node_sets(bases: Sequence[Form], asked: Question) -> Iterator[frozenset[int]]:
    """Yield the steps of new plans: the likeliest ones, and near plans with a step more, less, or another."""
    order = [int(i) for i in np.argsort(-asked.scores, kind="stable")]
    least = max(1, round(asked.size) - 1)
    for size in range(least, least + 3):
        yield frozenset(order[:size])
    for base in bases:
        missing = [node for node in order if node not in base.nodes][:_VARIED]
        weakest = sorted(base.nodes, key=lambda node: asked.scores[node])[:_VARIED]
        yield from (base.nodes | {node} for node in missing)
        yield from (base.nodes - {node} for node in weakest if len(base.nodes) > 1)
        yield from (base.nodes - {old} | {new} for new in missing[:1] for old in weakest[:1])


Habits = Mapping[int, Sequence[frozenset[int]]]
"""By step: whom it reads in other plans, in the nearest of them first."""


def _habits(plans: Sequence[Form], forms: Forms) -> Habits:
    found: dict[int, dict[frozenset[int], None]] = {}
    for form in plans:
        for node, sources in forms.inputs[form].items():
            found.setdefault(node, {})[sources] = None
    return {node: list(sources) for node, sources in found.items()}


def _wirings(nodes: frozenset[int], habits: Habits, forms: Forms, asked: Question) -> Iterable[Form]:
    """Return the ways to wire steps: as known for just these, as each is wired in a near plan, as is usual."""
    known = forms.forms_with.get(nodes, ())
    made = {_as_in(nodes, habits): None, _usual(nodes, asked.edges): None}
    return [*known[:_KNOWN], *(form for form in made if not _has_cycle(form))]


def _as_in(nodes: frozenset[int], habits: Habits) -> Form:
    return Form(nodes, frozenset((source, n) for n in nodes for source in _borrowed(nodes, habits.get(n, ()))))


def _borrowed(nodes: frozenset[int], read: Sequence[frozenset[int]]) -> frozenset[int]:
    """Return whom a step reads in the first plan where the new one has all of them, or else those it has."""
    whole = next((sources for sources in read if sources <= nodes), None)
    return whole if whole is not None else read[0] & nodes if read else frozenset()


def _usual(nodes: frozenset[int], probabilities: Floats) -> Form:
    pairs = ((a, b) for a in nodes for b in nodes if a != b)
    return Form(nodes, frozenset(pair for pair in pairs if probabilities[pair] > _LIKELY_EDGE))


def _has_cycle(form: Form) -> bool:
    left, readers = set(form.nodes), {b for _, b in form.edges}
    while left:
        if left <= readers:
            return True  # each of them waits for another
        left &= readers
        readers = {b for a, b in form.edges if a in left and b in left}
    return False
