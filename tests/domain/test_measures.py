from typing import Any

import pytest
from pydantic import ValidationError

from domain.measures import MEASURES, Test, holds, measurable_at, never_together


@pytest.mark.parametrize(
    ("measure", "op", "value", "measured", "expected"),
    [
        ("recipients", "gt", 10, 11, True),
        ("recipients", "gt", 10, 10, False),
        ("quality", "le", 0.7, 0.7, True),
        ("privacy", "ge", "personal", "secret", True),
        ("privacy", "ge", "personal", "internal", False),
        ("privacy", "in", ("public",), "public", True),
        ("tool", "ne", "send", "save", True),
        ("tool", "in", ("send", "save"), "save", True),
        ("undoable", "eq", False, False, True),
        ("recipients", "gt", 10, "11", None),
        ("recipients", "gt", 10, True, None),
        ("quality", "gt", 0.5, float("nan"), None),
        ("quality", "gt", 0.5, 1.2, None),
        ("cost", "gt", 0.5, float("inf"), None),
        ("cost", "gt", 0.5, 10**400, None),
        ("privacy", "ge", "personal", "hidden", None),
        ("undoable", "eq", True, 1, None),
        ("tool", "eq", "send", "", None),
    ],
)
def test_a_test_holds_does_not_or_cannot_be_told(
    measure: str, op: str, value: Any, measured: Any, expected: bool | None
) -> None:
    test = Test.model_validate({"measure": measure, "op": op, "value": value})
    assert holds(test, {measure: measured}) is expected


def test_what_was_not_measured_cannot_be_told() -> None:
    assert holds(Test(measure="cost", op="gt", value=1), {"amount": 5}) is None


@pytest.mark.parametrize(
    "test",
    [
        {"measure": "speed", "op": "gt", "value": 1},
        {"measure": "tool", "op": "gt", "value": "a"},
        {"measure": "undoable", "op": "lt", "value": True},
        {"measure": "quality", "op": "gt", "value": 2},
        {"measure": "quality", "op": "gt", "value": True},
        {"measure": "cost", "op": "gt", "value": "1"},
        {"measure": "cost", "op": "lt", "value": float("nan")},
        {"measure": "tool", "op": "in", "value": "send"},
        {"measure": "tool", "op": "in", "value": []},
        {"measure": "tool", "op": "eq", "value": ["send"]},
        {"measure": "privacy", "op": "ge", "value": "hidden"},
        {"measure": "recipients", "op": "in", "value": ["1"]},
    ],
)
def test_a_test_that_cannot_apply_is_refused(test: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Test.model_validate(test)


@pytest.mark.parametrize(
    ("first", "second", "clash"),
    [
        (("recipients", "gt", 5), ("recipients", "lt", 3), True),
        (("recipients", "gt", 5), ("recipients", "lt", 9), False),
        (("recipients", "gt", 5), ("amount", "lt", 3), False),
        (("quality", "ge", 1.0), ("quality", "lt", 1.0), True),
        (("quality", "gt", 0.4), ("quality", "lt", 0.5), False),
        (("privacy", "gt", "personal"), ("privacy", "lt", "secret"), True),
        (("tool", "eq", "a"), ("tool", "ne", "a"), True),
        (("tool", "ne", "b"), ("tool", "ne", "a"), False),
        (("undoable", "eq", True), ("undoable", "eq", False), True),
    ],
)
def test_tests_that_never_hold_together_are_found(first: Any, second: Any, clash: bool) -> None:
    tests = [Test.model_validate(dict(zip(("measure", "op", "value"), t, strict=True))) for t in (first, second)]
    assert (never_together(tests) is not None) is clash


def test_places_where_all_can_be_measured() -> None:
    assert measurable_at(["quality", "steps"]) == {"result"}
    assert measurable_at(["tool", "steps"]) == frozenset()
    assert all(measure.places for measure in MEASURES.values())
