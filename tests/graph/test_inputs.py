from typing import Any

import pytest

from domain.outcomes import Draft, StepResult
from domain.plans import Condition
from graph.inputs import holds, resolved

RESULTS = {"a": StepResult(step="a", agent="x", text="words", data={"n": 3, "tags": ["red"]})}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"ref": {"step": "a"}}, "words"),
        ({"ref": {"step": "a", "field": "n"}}, 3),
        ({"ref": {"step": "a", "field": "ghost"}}, None),
        ({"ref": {"step": "result"}}, "final"),
        ({"x": [1, {"ref": {"step": "a", "field": "n"}}]}, {"x": [1, 3]}),
        ({"ref": {"step": "a"}, "more": 1}, {"ref": {"step": "a"}, "more": 1}),
        ("$ref a {step}", "$ref a {step}"),
    ],
    ids=["text", "field", "no such field", "draft", "nested", "not a reference", "plain text"],
)
def test_references_are_resolved(value: Any, expected: Any) -> None:
    assert resolved(value, RESULTS, Draft(text="final", by="x")) == expected


@pytest.mark.parametrize(
    ("op", "field", "value", "truth"),
    [
        ("eq", "n", 3, True),
        ("ne", "n", 3, False),
        ("gt", "n", 2, True),
        ("le", "n", 2, False),
        ("contains", "tags", "red", True),
        ("contains", None, "word", True),
        ("exists", "ghost", None, False),
        ("exists", "ghost", False, True),
        ("lt", "tags", 5, False),
        ("contains", "n", 1, False),
    ],
)
def test_conditions_are_data(op: Any, field: str | None, value: Any, truth: bool) -> None:
    assert holds(Condition(step="a", field=field, op=op, value=value), RESULTS) is truth
