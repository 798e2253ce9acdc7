"""The smallest graph that does the same: no edge that neither data nor the order of effects needs. Pure.

An edge is a step's entry in `needs`, a reference in its arguments, or its condition. The last two are data. What a
`needs` entry is depends on who reads it:

- A step without a tool is given the outputs of all steps that it needs, so each of its edges is data, even where a
  longer way leads to the same step.
- A step that calls a tool reads its arguments and its condition only; any other entry is mere order. It is kept when
  the order of effects depends on it: something at or before its one end, or at or behind its other end, writes. (A
  delivery does not count as a write behind an edge: the final draft is there only when all else is done.) Elsewhere it
  is dropped.
- An edge of mere order is dropped as well when a chain of other edges keeps the order: the transitive reduction
  (Aho, Garey, Ullman, SIAM J. Comput. 1, 1972).
- A step that waits for one that may be skipped keeps all its edges: it is skipped itself when all of them are, so each
  decides whether the tool is called at all.
"""

from dataclasses import dataclass

from agents.planning.steps import Ancestors, ancestors, skippable
from domain.plans import Plan, Step


def minimal(plan: Plan) -> Plan:
    """Return the plan without needless edges; it must be valid."""
    if not any(step.tool and step.needs for step in plan.steps):
        return plan
    before = ancestors(plan.steps)
    writes = {step.id for step in plan.steps if step.effect == "write"}
    work = {step.id for step in plan.steps if step.effect == "write" and not step.delivers}
    graph = _Graph(
        before=before,
        unsure=skippable(plan.steps, before),
        after_write=writes | {step_id for step_id, earlier in before.items() if earlier & writes},
        before_write=work.union(*(before[step_id] for step_id in work)),
    )
    return plan.model_copy(update={"steps": [graph.trimmed(step) for step in plan.steps]})


def edges(plan: Plan) -> int:
    """Return how many edges a plan has."""
    return sum(len(step.inputs()) for step in plan.steps)


@dataclass(frozen=True)
class _Graph:
    before: Ancestors
    unsure: set[str]
    """Steps that may be skipped."""
    after_write: set[str]
    """Steps that write or come after one that does."""
    before_write: set[str]
    """Steps that write other than to deliver, or come before one that does."""

    def trimmed(self, step: Step) -> Step:
        """Return the step with the edges that it needs."""
        if step.tool is None or not step.needs or step.inputs() & self.unsure:
            return step
        data = step.model_copy(update={"needs": []}).inputs()
        order = [need for need in dict.fromkeys(step.needs) if need not in data and self._matters(step, need)]
        direct = data | set(order)
        kept = [need for need in order if not self._is_implied(need, direct)]
        return step if kept == step.needs else step.model_copy(update={"needs": kept})

    def _matters(self, step: Step, need: str) -> bool:
        """Tell whether dropping an edge of mere order could change what happens, or when an effect happens."""
        return need in self.after_write or step.id in self.before_write

    def _is_implied(self, need: str, direct: set[str]) -> bool:
        """Tell whether another input already waits for this one."""
        return any(need in self.before.get(other, ()) for other in direct if other != need)
