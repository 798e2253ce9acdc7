"""The shape of a plan: who does what with which tool, and whose output feeds whom. Words and arguments are left out.

Two plans of one shape differ in nothing that could make the one right and the other wrong for a goal, once their words
are fitted to it; two plans of different shapes do.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from domain.plans import Plan, Step


class Node(NamedTuple):
    """A kind of step."""

    agent: str
    tool: str | None
    number: int = 0
    """How many steps of the same agent and tool stand before it in the plan."""

    @property
    def name(self) -> str:
        """The tool, or else the agent."""
        return self.tool or self.agent


Edge = tuple[Node, Node]
"""From the step whose output is read to the one that reads it."""


class Shape(NamedTuple):
    """The steps of a plan and the flow of data between them."""

    nodes: frozenset[Node]
    edges: frozenset[Edge]


class Agreement(NamedTuple):
    """How far a plan is the true one."""

    nodes: float
    """F1 of the steps, 0-1."""
    edges: float
    """F1 of the flow of data, 0-1; 1 where neither plan has any."""

    @property
    def exact(self) -> bool:
        """Whether nothing is missing and nothing too much."""
        return self.nodes == 1 and self.edges == 1


def nodes_of(plan: Plan) -> dict[str, Node]:
    """Return the node of each step by the step's id."""
    seen: Counter[tuple[str, str | None]] = Counter()
    nodes = {}
    for step in plan.steps:
        kind = (step.agent, step.tool)
        nodes[step.id] = Node(*kind, seen[kind])
        seen[kind] += 1
    return nodes


def shape_of(plan: Plan) -> Shape:
    """Return the shape of a plan."""
    nodes = nodes_of(plan)
    edges = {(nodes[source], nodes[step.id]) for step in plan.steps for source in sources(step, nodes)}
    return Shape(frozenset(nodes.values()), frozenset(edges))


def sources(step: Step, known: Iterable[str]) -> set[str]:
    """Return the ids of the plan's own steps that a step reads."""
    return step.inputs() & set(known)


def agreement(plan: Shape, true: Shape) -> Agreement:
    """Return how far a plan is the true one; steps count as often as they occur."""
    nodes = f1([(n.agent, n.tool) for n in plan.nodes], [(n.agent, n.tool) for n in true.nodes])
    edges = f1([(a[:2], b[:2]) for a, b in plan.edges], [(a[:2], b[:2]) for a, b in true.edges])
    return Agreement(nodes, edges)


def f1(found: Sequence[object], true: Sequence[object]) -> float:
    """Return the harmonic mean of precision and recall of two multisets, 0-1; 1 where both are empty."""
    if not found and not true:
        return 1.0
    both = (Counter(found) & Counter(true)).total()
    return 2 * both / (len(found) + len(true))
