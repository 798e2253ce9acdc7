"""Rows of planning data: requests, the tools there are, and the right plan, one JSON object a line."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from graphlib import CycleError
from pathlib import Path
from typing import Any, NamedTuple

from domain.errors import InvalidSettings
from domain.plans import Plan, Step, execution_order
from evals.benchmarks.rows import read_lines
from memory.plan_shapes import Agreement, f1

WORKER = "worker"
"""The one specialist, who has all tools: a node of a plan is a tool."""
FORM = (
    '{"goal": text, "tools": [names], "plan": {"steps": [names, or objects with id and tool], "edges": [[from, to]]}}'
)


class Row(NamedTuple):
    """A request with its right plan."""

    goal: str
    tools: tuple[str, ...]
    plan: Plan


def read_rows(path: Path) -> list[Row]:
    """Return the rows of a file.

    A step is a tool's name or `{"id", "tool"}` (or `name` for `tool`); an edge is a pair of steps by place, from 0, or
    by id, a step's id being its tool where it has no other.

    Raises:
        InvalidSettings: The file cannot be read, is empty, or has a line that is no such row; the message names it.
    """
    return read_lines(path, _row)


def agreement(plan: Plan | None, row: Row) -> Agreement:
    """Return the F1 of the tools and of the edges of a plan with the right ones; 0 and 0 where there is no plan."""
    if plan is None:
        return Agreement(0.0, 0.0)
    (nodes, edges), (right_nodes, right_edges) = _named(plan), _named(row.plan)
    return Agreement(f1(nodes, right_nodes), f1(edges, right_edges))


def _named(plan: Plan) -> tuple[list[str], list[tuple[str, str]]]:
    """Return the names of a plan's steps and of the pairs where one reads the other; a step's name is its tool."""
    names = {step.id: step.tool or step.agent for step in plan.steps}
    return list(names.values()), [(names[i], names[s.id]) for s in plan.steps for i in sorted(s.inputs()) if i in names]


def _row(line: str, place: str) -> Row:
    try:
        value = json.loads(line)
        goal, tools = value["goal"], value["tools"]
        steps, edges = value["plan"]["steps"], value["plan"].get("edges", [])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidSettings(f"{place} is not {FORM}: {line:.80}") from error
    if not (_is_text(goal) and _are_texts(tools) and isinstance(steps, list) and steps and isinstance(edges, list)):
        raise InvalidSettings(f"{place} is not {FORM}: {line:.80}")
    return Row(goal, tuple(tools), _plan(steps, edges, tools, place))


def _plan(steps: Sequence[Any], edges: Sequence[Any], tools: Sequence[str], place: str) -> Plan:
    ids, names = zip(*(_step(step, place) for step in steps), strict=True)
    if strangers := sorted(set(names) - set(tools)):
        raise InvalidSettings(f"{place}: the plan has {', '.join(strangers)}, which is not among its tools")
    needs: dict[int, set[int]] = {i: set() for i in range(len(ids))}
    for edge in edges:
        source, reader = _edge(edge, ids, place)
        needs[reader].add(source)
    return _acyclic(
        [Step(id=f"s{i}", agent=WORKER, task=name, tool=name, needs=[f"s{n}" for n in sorted(needs[i])])
         for i, name in enumerate(names)], place,
    )  # fmt: skip


def _acyclic(steps: list[Step], place: str) -> Plan:
    plan = Plan(steps=steps)
    try:
        execution_order(plan)
    except CycleError as error:
        raise InvalidSettings(f"{place}: the steps of the plan wait for each other") from error
    return plan


def _step(step: Any, place: str) -> tuple[str, str]:
    """Return a step's id and tool."""
    if _is_text(step):
        return step, step
    name = step.get("tool", step.get("name")) if isinstance(step, Mapping) else None
    if not isinstance(step, Mapping) or not _is_text(name):
        raise InvalidSettings(f"{place}: {step!r:.80} is no step; give a tool's name, or an object with id and tool")
    return str(step.get("id", name)), str(name)


def _edge(edge: Any, ids: Sequence[str], place: str) -> tuple[int, int]:
    ends = [_end(end, ids) for end in edge] if isinstance(edge, list) and len(edge) == 2 else []
    source, reader = ends if ends else (None, None)
    if source is None or reader is None:
        raise InvalidSettings(f"{place}: {edge!r:.80} is no edge; give the places or the ids of two steps")
    return source, reader


def _end(end: Any, ids: Sequence[str]) -> int | None:
    """Return the place of a step; an id that two steps have says nothing."""
    if isinstance(end, int) and not isinstance(end, bool):
        return end if 0 <= end < len(ids) and Counter(ids)[str(end)] == 0 else _end(str(end), ids)
    return ids.index(end) if isinstance(end, str) and ids.count(end) == 1 else None


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(map(_is_text, value))
