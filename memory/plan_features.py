"""What speaks for and against each plan that could serve a goal, as numbers."""

from collections.abc import Sequence
from math import log

import numpy as np

from memory.plan_candidates import Candidate, Question
from memory.plan_forms import Floats, Form, Forms, indicator

FEATURES = 17
_LEAST = 0.02
"""Least probability that a step is granted, and the most it may lack of 1."""


def features(forms: Forms, asked: Question, plans: Sequence[Candidate]) -> Floats:
    """Return the features of each plan, shape [plans, FEATURES].

    They are, by columns: how surely the goal needs its steps (mean, weakest), the surest step that it lacks, the soft
    F1 of its steps, what its steps' likelihood lacks of the best, steps too many, steps too few; the likeness of the
    nearest task that had it, its share of the near tasks, how many had it; the mean F1 of steps and of edges with near
    plans; its edges' probabilities (mean log, weakest), the likeliest edge that it lacks; whether it is put together;
    and whether it is the plan of the nearest task.
    """
    has = indicator([plan.form.nodes for plan in plans], len(forms.nodes))
    columns = [
        *_steps(has, asked),
        *_support(forms, asked, plans),
        *_consensus(forms, asked, plans, has),
        *_edges(asked, plans),
        np.array([plan.example is None for plan in plans], float),
        np.array([bool(asked.near) and plan.example == asked.near[0] for plan in plans], float),
    ]
    return np.stack(columns, axis=1)


def agreements(plans: Sequence[Form], others: Sequence[Form], size: int) -> tuple[Floats, Floats]:
    """Return the F1 of the steps and of the edges of plans with others, both of shape [plans, others]."""
    mine, theirs = (indicator([form.nodes for form in group], size) for group in (plans, others))
    nodes = _f1(mine @ theirs.T, mine.sum(axis=1), theirs.sum(axis=1))
    numbers = {edge: i for i, edge in enumerate({edge for form in (*plans, *others) for edge in form.edges})}
    mine, theirs = (
        indicator([frozenset(numbers[e] for e in form.edges) for form in group], max(1, len(numbers)))
        for group in (plans, others)
    )
    return nodes, _f1(mine @ theirs.T, mine.sum(axis=1), theirs.sum(axis=1))


def _f1(both: Floats, mine: Floats, theirs: Floats) -> Floats:
    """Return F1 from the sizes of what is shared and of the sets; two empty sets agree."""
    total = mine[:, None] + theirs[None, :]
    return np.asarray(np.where(total > 0, 2 * both / np.maximum(total, 1), 1.0))


def _steps(has: Floats, asked: Question) -> list[Floats]:
    needed = np.clip(asked.scores, _LEAST, 1 - _LEAST)
    sizes = has.sum(axis=1)
    inside, outside = np.where(has > 0, asked.scores, np.inf), np.where(has > 0, -np.inf, asked.scores)
    odds = np.log(needed) - np.log(1 - needed)
    lacks = (has * np.maximum(-odds, 0) + (1 - has) * np.maximum(odds, 0)).sum(axis=1)
    return [
        has @ asked.scores / sizes,
        inside.min(axis=1),
        np.maximum(outside.max(axis=1), -1.0),
        2 * (has @ needed) / (sizes + needed.sum()),
        lacks,
        np.maximum(sizes - asked.size, 0),
        np.maximum(asked.size - sizes, 0),
    ]


def _support(forms: Forms, asked: Question, plans: Sequence[Candidate]) -> list[Floats]:
    votes: dict[Form, float] = {}
    for example, weight in zip(asked.near, asked.weights, strict=True):
        votes[forms.forms[example]] = votes.get(forms.forms[example], 0.0) + weight
    counts = [len(forms.examples_of.get(plan.form, ())) for plan in plans]
    return [
        np.array([asked.likeness[plan.example] if plan.example is not None else 0.0 for plan in plans]),
        np.array([votes.get(plan.form, 0.0) for plan in plans]),
        np.log1p(counts),
    ]


def _consensus(forms: Forms, asked: Question, plans: Sequence[Candidate], has: Floats) -> list[Floats]:
    near = [forms.forms[i] for i in asked.near]
    nodes, edges = agreements([plan.form for plan in plans], near, has.shape[1])
    return [nodes @ asked.weights, edges @ asked.weights]


def _edges(asked: Question, plans: Sequence[Candidate]) -> list[Floats]:
    rows = [_edge_row(asked.edges, plan.form) for plan in plans]
    return [np.array(column) for column in zip(*rows, strict=True)]


def _edge_row(probabilities: Floats, form: Form) -> tuple[float, float, float]:
    chosen = [float(probabilities[edge]) for edge in form.edges] or [1.0]
    absent = [float(probabilities[a, b]) for a in form.nodes for b in form.nodes if a != b and (a, b) not in form.edges]
    return sum(map(log, chosen)) / len(chosen), min(chosen), max(absent, default=0.0)
