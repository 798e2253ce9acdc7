"""Steps as a graph: who comes before whom, who may be skipped, and what is left when steps are taken out. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from graphlib import TopologicalSorter

from domain.plans import Step

Ancestors = Mapping[str, frozenset[str]]
"""The ids of all steps before a step, by its id."""


def ancestors(steps: Sequence[Step]) -> Ancestors:
    """Return for each step all steps that it waits for, directly or not; `graphlib.CycleError` in a cycle."""
    inputs = {step.id: step.inputs() for step in steps}
    before: dict[str, frozenset[str]] = {}
    for step_id in TopologicalSorter(inputs).static_order():
        direct = inputs.get(step_id, set())
        before[step_id] = frozenset(direct).union(*(before[other] for other in direct))
    return before


def skippable(steps: Sequence[Step], before: Ancestors) -> set[str]:
    """Return the ids of steps that a run may leave out by a condition, an empty list or a failure, own or earlier."""
    may = {step.id for step in steps if step.conditions or step.foreach or step.on_failure == "skip"}
    return {step.id for step in steps if step.id in may or before[step.id] & may}


def without(steps: Sequence[Step], dropped: set[str]) -> list[Step]:
    """Return the steps but the dropped ones; who read a dropped step reads what that one had read.

    Steps that depend on a dropped step by a reference or a condition go with it.
    """
    needs = {step.id: step.needs for step in steps}
    gone = set(dropped)
    while more := {s.id for s in steps if s.id not in gone and (s.inputs() - set(s.needs)) & gone}:
        gone |= more
    return [
        step.model_copy(update={"needs": list(dict.fromkeys(_kept(step.needs, needs, gone)))})
        for step in steps
        if step.id not in gone
    ]


def _kept(wanted: Iterable[str], needs: dict[str, list[str]], gone: set[str]) -> Iterable[str]:
    for step in wanted:
        if step in gone:
            yield from _kept(needs[step], needs, gone)
        else:
            yield step
