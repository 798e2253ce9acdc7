"""The shapes of a team's remembered plans as numbers, and how often one step feeds another in them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from memory.plan_shapes import Node, Shape

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

_PRIOR_EDGE = 0.25
"""P(one step of a plan feeds another), before any plan was seen that has both."""
_PRIOR_PLANS = 2.0
"""Plans that this belief weighs as much as."""
_NEAR_WEIGHT = 10.0
"""What all near plans together weigh in the probability of an edge, in plans."""


class Form(NamedTuple):
    """A shape whose nodes are places in a list of nodes."""

    nodes: frozenset[int]
    edges: frozenset[tuple[int, int]]

    def sources(self, node: int) -> frozenset[int]:
        """Return the nodes whose output a node reads."""
        return frozenset(a for a, b in self.edges if b == node)


@dataclass(frozen=True)
class Forms:
    """The shapes of the examples that a team's memory learns from."""

    nodes: Sequence[Node]
    """Every node of any example."""
    forms: Sequence[Form]
    """By example."""

    @classmethod
    def of(cls, shapes: Sequence[Shape]) -> "Forms":
        """Number the nodes of the examples' shapes."""
        nodes = sorted({node for shape in shapes for node in shape.nodes}, key=lambda n: (n.name, n.agent, n.number))
        place = {node: i for i, node in enumerate(nodes)}
        return cls(nodes, [_form(shape, place) for shape in shapes])

    def shape(self, form: Form) -> Shape:
        """Return a form in words."""
        edges = frozenset((self.nodes[a], self.nodes[b]) for a, b in form.edges)
        return Shape(frozenset(self.nodes[i] for i in form.nodes), edges)

    def kept(self, mask: Mask) -> "Forms":
        """Return these without the examples that are False in `mask`; the numbers stay."""
        return Forms(self.nodes, [form for form, keep in zip(self.forms, mask, strict=True) if keep])

    @cached_property
    def matrix(self) -> Floats:
        """1 where an example has a node, shape [examples, nodes]."""
        return indicator([form.nodes for form in self.forms], len(self.nodes))

    @cached_property
    def examples_of(self) -> Mapping[Form, Sequence[int]]:
        """Examples by form."""
        found: dict[Form, list[int]] = defaultdict(list)
        for i, form in enumerate(self.forms):
            found[form].append(i)
        return found

    @cached_property
    def forms_with(self) -> Mapping[frozenset[int], Sequence[Form]]:
        """Forms by their nodes."""
        found: dict[frozenset[int], list[Form]] = defaultdict(list)
        for form in self.examples_of:
            found[form.nodes].append(form)
        return found

    @cached_property
    def inputs(self) -> Mapping[Form, Mapping[int, frozenset[int]]]:
        """Whom each step reads, by form."""
        return {form: {node: form.sources(node) for node in form.nodes} for form in self.examples_of}

    @cached_property
    def _pairs(self) -> Floats:
        """Examples that have both nodes, shape [nodes, nodes]."""
        return np.asarray(self.matrix.T @ self.matrix)

    @cached_property
    def _edges(self) -> Floats:
        """Examples in which the one feeds the other, shape [nodes, nodes]."""
        return self._weighted_edges(range(len(self.forms)), np.ones(len(self.forms)))

    def edge_probabilities(self, near: Sequence[int], weights: Floats) -> Floats:
        """Return P(one node feeds another | the plan has both), shape [nodes, nodes].

        Args:
            near: Examples near the goal; what they do counts more.
            weights: Of these, with the sum 1.
        """
        rows = self.matrix[list(near)]
        local = _NEAR_WEIGHT * weights
        both = self._pairs + (rows * local[:, None]).T @ rows + _PRIOR_PLANS
        fed = self._edges + self._weighted_edges(near, local) + _PRIOR_PLANS * _PRIOR_EDGE
        return np.asarray(fed / both)

    def _weighted_edges(self, examples: Sequence[int], weights: Floats) -> Floats:
        total = np.zeros((len(self.nodes), len(self.nodes)))
        for example, weight in zip(examples, weights, strict=True):
            for source, reader in self.forms[example].edges:
                total[source, reader] += weight
        return total


def indicator(sets: Sequence[frozenset[int]], size: int) -> Floats:
    """Return 1 where a set has a number, shape [sets, size]."""
    matrix = np.zeros((len(sets), size))
    for i, numbers in enumerate(sets):
        matrix[i, list(numbers)] = 1
    return matrix


def _form(shape: Shape, place: Mapping[Node, int]) -> Form:
    return Form(frozenset(place[n] for n in shape.nodes), frozenset((place[a], place[b]) for a, b in shape.edges))
