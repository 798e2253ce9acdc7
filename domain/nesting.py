"""Nested plans taken into the plan around them, so that everything else sees one flat DAG.

A step `outer` with `steps` of its own becomes those steps, called `outer/inner`, and itself: it joins what they gave,
so that whoever reads `outer` reads their results. The inner steps run when `outer` would have: they get its needs and
its conditions. Within a nested plan a name means the nearest step of that name.
"""

from collections.abc import Mapping
from typing import Any

from domain.plans import Condition, Plan, Step, as_ref
from domain.privacy import most_private

MAX_DEPTH = 3
"""Plans within plans; what is nested deeper stays as it is, and validation refuses it."""

_Names = Mapping[str, str]


def flattened(plan: Plan) -> Plan:
    """Return the plan without nested plans; the same object where it has none."""
    if not any(step.steps for step in plan.steps):
        return plan
    return plan.model_copy(update={"steps": [flat for step in plan.steps for flat in _flat(step, {}, MAX_DEPTH)]})


def _flat(step: Step, scope: _Names, depth: int) -> list[Step]:
    """Return the step, or what its nested plan becomes; `scope` holds the names of the plans around it."""
    if not step.steps or depth == 0:
        return [step]
    names = {**scope, **{inner.id: f"{step.id}/{inner.id}" for inner in step.steps}}
    inner = [_taken_in(each, step, names) for each in step.steps]
    read = {wanted for each in inner for wanted in each.inputs()}
    ends = [each.id for each in inner if each.id not in read]
    outer: dict[str, Any] = {"steps": [], "needs": ends, "condition": None, "guards": [], "args": {}, "tool": None}
    outer |= {"effect": "none", "joins": True}
    flat = [deeper for each in inner for deeper in _flat(each, names, depth - 1)]
    return [*flat, step.model_copy(update=outer)]


def _taken_in(inner: Step, outer: Step, names: _Names) -> Step:
    """Return a step of a nested plan as a step of the plan around it."""
    needs = [names.get(need, need) for need in inner.needs]
    given: dict[str, Any] = {
        "id": names[inner.id],
        "needs": list(dict.fromkeys([*needs, *outer.needs])),
        "args": _renamed(inner.args, names),
        "condition": inner.condition and _about(inner.condition, names),
        "guards": [*outer.conditions, *(_about(guard, names) for guard in inner.guards)],
        "foreach": inner.foreach and inner.foreach.model_copy(update={"step": _name(inner.foreach.step, names)}),
        "priority": inner.priority + outer.priority,
        "deadline": min((d for d in (inner.deadline, outer.deadline) if d is not None), default=None),
        "consent": list(dict.fromkeys([*inner.consent, *outer.consent])),
        "privacy": most_private([inner.privacy, outer.privacy]),
    }
    if "on_failure" not in inner.model_fields_set:
        given["on_failure"] = outer.on_failure
    return inner.model_copy(update=given)


def _renamed(value: Any, names: _Names) -> Any:
    """Return an argument value whose references say the steps' new names."""
    if ref := as_ref(value):
        return {"ref": ref.model_copy(update={"step": _name(ref.step, names)}).model_dump()}
    if isinstance(value, Mapping):
        return {key: _renamed(item, names) for key, item in value.items()}
    return [_renamed(item, names) for item in value] if isinstance(value, list) else value


def _about(condition: Condition, names: _Names) -> Condition:
    return condition.model_copy(update={"step": _name(condition.step, names)})


def _name(step: str, names: _Names) -> str:
    return names.get(step, step)
