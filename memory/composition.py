"""Putting a plan together from steps of remembered plans.

A step is taken whole, with its tool, effect and arguments, from a plan that succeeded here, so that nothing is called,
written or addressed that was not before. A step that writes comes with everything that led to it, as it was: no check
before it can be left out, and two plans never mix what they write.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from domain.plans import Condition, ForEach, Plan, Step, as_ref
from memory.plan_shapes import Node, Shape, nodes_of, shape_of, sources
from memory.rewording import reworded, stale_arguments

RATIONALE = "Put together from steps of remembered plans that succeeded."
"""Quotes no goal, so that nothing is left here of one that is to be forgotten."""
_MAX_ID = 40

About = TypeVar("About", Condition, ForEach)


class Part(NamedTuple):
    """A remembered task whose plan succeeded."""

    goal: str
    plan: Plan


class Composed(NamedTuple):
    """A plan for a goal, made of remembered plans."""

    plan: Plan
    stale: Sequence[str]
    """Names and numbers of the remembered goals that it still carries."""


class _Source(NamedTuple):
    """Where a step comes from."""

    part: int
    step: Step
    """Worded for the new goal."""
    nodes: Mapping[str, Node]
    """Of the whole plan, by step id."""


def composed(shape: Shape, parts: Sequence[Part], goal: str) -> Composed | None:
    """Return a plan of this shape, made of the steps of remembered plans and worded for the goal.

    None where the steps cannot be joined: one is in none of the plans, has arguments or a condition that need an output
    which the shape does not give it, or writes and would not be led to as it was.

    Args:
        shape: What the plan shall look like.
        parts: The plans, the main one first.
        goal: What the plan is for.
    """
    taken = _taken(shape, [_sources_of(number, part, goal) for number, part in enumerate(parts)])
    order = _order(shape, taken) if taken else None
    if taken is None or order is None or not _writes_as_before(shape, taken):
        return None
    ids = _ids([(node, taken[node].step.id) for node in order])
    steps = [step for step in (_joined(node, taken[node], shape, ids) for node in order) if step]
    if len(steps) < len(order):
        return None
    plan = Plan(steps=steps, source="memory", strategy=parts[0].plan.strategy, rationale=RATIONALE)
    return Composed(plan, _stale(taken.values(), parts, goal)) if shape_of(plan) == shape else None


def _sources_of(number: int, part: Part, goal: str) -> dict[Node, _Source]:
    nodes = nodes_of(part.plan)
    steps = reworded(part.plan, part.goal, goal).steps
    return {nodes[step.id]: _Source(number, step, nodes) for step in steps}


def _taken(shape: Shape, offered: Sequence[Mapping[Node, _Source]]) -> dict[Node, _Source] | None:
    """Return each step from the first plan where it is wired as it should be, or else from the first that has it."""
    taken = {}
    for node in shape.nodes:
        having = [sources[node] for sources in offered if node in sources]
        if not having:
            return None
        taken[node] = next((s for s in having if _read_by(s) == _wanted(shape, node)), having[0])
    return taken


def _read_by(source: _Source) -> set[Node]:
    return {source.nodes[i] for i in sources(source.step, source.nodes)}


def _wanted(shape: Shape, node: Node) -> set[Node]:
    return {a for a, b in shape.edges if b == node}


def _order(shape: Shape, taken: Mapping[Node, _Source]) -> list[Node] | None:
    """Return the steps, each after all that it reads, otherwise as they stood; None where they wait for each other."""
    place = {node: (_place(source), source.part, node.number) for node, source in taken.items()}
    order: list[Node] = []
    while len(order) < len(shape.nodes):
        ready = [n for n in shape.nodes if n not in order and _wanted(shape, n) <= set(order)]
        if not ready:
            return None
        order.append(min(ready, key=lambda n: (place[n], n.name, n.agent)))
    return order


def _place(source: _Source) -> float:
    """Return where a step stood in its plan, from 0 for the first on."""
    return list(source.nodes).index(source.step.id) / len(source.nodes)


def _writes_as_before(shape: Shape, taken: Mapping[Node, _Source]) -> bool:
    """Return whether all steps that write, and all before them, are of one plan and wired as they are there."""
    writing = [node for node, source in taken.items() if source.step.effect == "write"]
    led = _with_all_before(writing, shape)
    origins = {taken[node].part for node in led}
    return len(origins) <= 1 and all(_read_by(taken[node]) == _wanted(shape, node) for node in led)


def _with_all_before(nodes: Iterable[Node], shape: Shape) -> set[Node]:
    found: set[Node] = set()
    new = set(nodes)
    while new:
        found |= new
        new = {a for a, b in shape.edges if b in new} - found
    return found


def _ids(wanted: Sequence[tuple[Node, str]]) -> dict[Node, str]:
    """Return an id for each step: its own, with a number where two plans use the same."""
    ids: dict[Node, str] = {}
    for node, own in wanted:
        outer, slash, name = own.rpartition("/")  # of a nested plan
        names = [own, *(f"{outer}{slash}{name[: _MAX_ID - 3]}_{n}" for n in range(2, len(wanted) + 2))]
        ids[node] = next(name for name in names if name not in ids.values())
    return ids


def _joined(node: Node, source: _Source, shape: Shape, ids: Mapping[Node, str]) -> Step | None:
    """Return a step that reads what the shape lets it read; None where that is not enough for it."""
    step = source.step
    wanted = _wanted(shape, node)
    new = {old: ids[other] for old, other in source.nodes.items() if other in wanted}
    bound = {ref.step for ref in step.refs()} | {condition.step for condition in step.conditions}
    bound |= {step.foreach.step} if step.foreach else set()
    if not bound & set(source.nodes) <= new.keys():
        return None
    kept = {new[old] for old in bound & set(source.nodes)}
    others = [i for i in step.needs if i not in source.nodes]  # the final draft
    needs = sorted(ids[n] for n in wanted if ids[n] not in kept or ids[n] in {new.get(i) for i in step.needs})
    update = {
        "id": ids[node],
        "needs": others + needs,
        "args": _renamed(step.args, new),
        "condition": step.condition and _about(step.condition, new),
        "guards": [_about(guard, new) for guard in step.guards],
        "foreach": step.foreach and _about(step.foreach, new),
    }
    return step.model_copy(update=update)


def _about(part: About, new: Mapping[str, str]) -> About:
    """Return a condition or a loop that names a step of the new plan."""
    return part.model_copy(update={"step": new.get(part.step, part.step)})


def _renamed(value: Any, new: Mapping[str, str]) -> Any:
    """Return arguments whose references name the steps of the new plan."""
    if ref := as_ref(value):
        return {"ref": {**value["ref"], "step": new.get(ref.step, ref.step)}}
    if isinstance(value, dict):
        return {key: _renamed(item, new) for key, item in value.items()}
    return [_renamed(item, new) for item in value] if isinstance(value, list) else value


def _stale(taken: Iterable[_Source], parts: Sequence[Part], goal: str) -> list[str]:
    steps: dict[int, list[Step]] = {}
    for source in taken:
        steps.setdefault(source.part, []).append(source.step)
    return [word for i, own in steps.items() for word in stale_arguments(Plan(steps=own), parts[i].goal, goal)]
