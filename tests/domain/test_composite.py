from typing import Any

import pytest

from domain.composite import composite_problems
from domain.plans import Step

EACH = {"step": "a", "field": "rows"}
UNTIL = {"op": "contains", "value": "x"}


@pytest.mark.parametrize(
    ("fields", "codes"),
    [
        ({"foreach": EACH, "args": {"x": {"ref": {"step": "item"}}}}, []),
        ({"repeat": UNTIL, "args": {"x": {"ref": {"step": "previous"}}}}, []),
        ({"returns": {"total": "number", "note?": "text"}}, []),
        ({"returns": {"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}}}, []),
        ({"foreach": EACH, "repeat": UNTIL}, ["bad_loop"]),
        ({"foreach": EACH, "joins": True}, ["bad_loop"]),
        ({"foreach": {"step": "result", "field": "rows"}}, ["bad_loop"]),
        ({"args": {"x": {"ref": {"step": "item"}}}}, ["bad_loop"]),
        ({"args": {"x": {"ref": {"step": "previous"}}}}, ["bad_loop"]),
        ({"steps": [{"id": "b", "agent": "w", "task": ""}]}, ["bad_nesting"]),
        ({"returns": {"type": "nonsense"}}, ["bad_schema"]),
        ({"returns": {"$ref": "http://x.example/schema"}}, ["bad_schema"]),
    ],
)
def test_what_is_wrong_with_a_composite_step(fields: dict[str, Any], codes: list[str]) -> None:
    step = Step.model_validate({"id": "s", "agent": "w", "task": "", **fields})
    assert [problem.code for problem in composite_problems(step)] == codes
