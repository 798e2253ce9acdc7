"""What a step reads: references to earlier outputs, and the condition on which it runs."""

import operator
from collections.abc import Callable, Mapping
from typing import Any

from domain.outcomes import Draft, StepResult
from domain.plans import ITEM, RESULT, Condition, Ref, Step, as_ref


def resolved(value: Any, results: Mapping[str, StepResult], final: Draft | None) -> Any:
    """Return an argument value with every reference replaced by the output it points to.

    A reference to a field that the output does not have gives None, which the tool's schema then judges.
    """
    if ref := as_ref(value):
        return _referred(ref, results, final)
    if isinstance(value, Mapping):
        return {key: resolved(item, results, final) for key, item in value.items()}
    if isinstance(value, list):
        return [resolved(item, results, final) for item in value]
    return value


def _referred(ref: Ref, results: Mapping[str, StepResult], final: Draft | None) -> Any:
    if ref.step == RESULT:
        return final.text if final else None
    result = results.get(ref.step)
    if result is None:
        return None
    if ref.step == ITEM:
        return _of_item(result.data["value"], ref.field)
    return result.text if ref.field is None else result.data.get(ref.field)


def _of_item(item: Any, field: str | None) -> Any:
    if field is None:
        return item
    return item.get(field) if isinstance(item, Mapping) else None


def absent(step: Step, results: Mapping[str, StepResult], final: Draft | None) -> list[str]:
    """Return in words what a step's arguments refer to and the outputs do not have."""
    found = []
    for ref in step.refs():
        if _referred(ref, results, final) is None:
            known = sorted(results[ref.step].data) if ref.step in results else []
            has = f"; it has {', '.join(map(repr, known))}" if known else ""
            found.append(f"step {ref.step!r} gave no {ref.field or 'text'!r}{has}")
    return found


_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
    "contains": lambda actual, value: value in actual,
    "exists": lambda actual, value: (actual is not None) is (value is not False),
}


def holds(condition: Condition, results: Mapping[str, StepResult]) -> bool:
    """Return whether a condition on an earlier output is true; values that cannot be compared make it false."""
    if condition.op == "empty":
        return (condition.step in results and results[condition.step].empty) is (condition.value is not False)
    actual = _referred(Ref(step=condition.step, field=condition.field), results, None)
    try:
        return bool(_OPERATORS[condition.op](actual, condition.value))
    except TypeError:
        return False
