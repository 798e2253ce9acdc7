from collections.abc import Iterable, Mapping
from typing import Any

import pytest
from pydantic import ValidationError

from domain.plans import Effect, Plan
from domain.validation import validate_plan


class Catalogue:
    def agents(self) -> Iterable[str]:
        return ("reader", "writer")

    def tools_of(self, agent: str) -> Iterable[str]:
        return {"reader": ("search", "away"), "writer": ("save",)}[agent]

    def tool_effect(self, tool: str) -> Effect | None:
        effects: dict[str, Effect] = {"search": "read", "save": "write"}
        return effects.get(tool)

    def argument_problems(self, tool: str, args: Mapping[str, Any]) -> Iterable[str]:
        return [] if "text" in args else ["text: Field required"]


def plan(*steps: dict[str, Any]) -> Plan:
    return Plan.model_validate({"steps": [{"agent": "reader", "task": "", **step} for step in steps]})


READ = {"id": "read"}


@pytest.mark.parametrize(
    ("steps", "codes"),
    [
        ([READ], []),
        ([READ, {"id": "write", "agent": "writer", "needs": ["read"]}], []),
        ([READ, READ], ["duplicate_step"]),
        ([{"id": "result"}], ["duplicate_step"]),
        ([{"id": "a", "agent": "nobody"}], ["unknown_agent"]),
        ([{"id": "a", "tool": "fly"}], ["unknown_tool"]),
        ([{"id": "a", "tool": "away"}], ["unavailable_resource"]),
        ([{"id": "a", "tool": "save", "effect": "write", "args": {"text": "x"}}], ["tool_not_allowed"]),
        ([{"id": "a", "tool": "search", "effect": "read"}], ["bad_argument"]),
        ([{"id": "a", "tool": "search", "args": {"text": "x"}}], ["effect_understated"]),
        ([{"id": "a", "needs": ["ghost"]}], ["unknown_step"]),
        ([{"id": "a", "args": {"text": {"ref": {"step": "ghost"}}}}], ["unknown_step"]),
        ([{"id": "a", "condition": {"step": "ghost", "op": "exists"}}], ["unknown_step"]),
        ([{"id": "a", "needs": ["b"]}, {"id": "b", "needs": ["a"]}], ["cycle"]),
        ([{"id": "a", "needs": ["a"]}], ["cycle"]),
        ([{"id": "a", "args": {"text": {"ref": {"step": "result"}}}}], ["nothing_produced"]),
        ([{"id": f"s{i}"} for i in range(51)], ["too_many_steps"]),
    ],
    ids=["one", "two", "twice", "reserved", "agent", "tool", "not at hand", "not allowed", "argument", "effect", "need",
         "reference", "condition", "cycle", "self", "nothing produced", "too many"],
)  # fmt: skip
def test_every_problem_has_its_code(steps: list[dict[str, Any]], codes: list[str]) -> None:
    assert [problem.code for problem in validate_plan(plan(*steps), Catalogue())] == codes


def test_the_sequence_merges_neighbours_only() -> None:
    steps = [{"id": "a"}, {"id": "b"}, {"id": "c", "agent": "writer"}, {"id": "d"}]
    assert plan(*steps).sequence == ["reader", "writer", "reader"]


def test_references_are_found_at_any_depth() -> None:
    step = plan({"id": "a", "args": {"rows": [{"x": {"ref": {"step": "b", "field": "n"}}}]}}).steps[0]
    assert step.inputs() == {"b"}


@pytest.mark.parametrize("ref", [{}, {"stap": "a"}, {"step": 1}, {"step": "a", "more": 1}])
def test_a_reference_that_is_not_whole_is_refused_with_the_plan(ref: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="a reference is"):
        plan({"id": "a", "args": {"text": [{"ref": ref}]}})


@pytest.mark.parametrize(
    ("condition", "can"),
    [
        ({"op": "gt"}, False),
        ({"op": "contains", "field": "x"}, False),
        ({"op": "exists", "value": False}, False),
        ({"op": "eq"}, False),
        ({"op": "exists", "value": False, "field": "x"}, True),
        ({"op": "eq", "field": "x"}, True),
        ({"op": "gt", "value": 1}, True),
        ({"op": "exists"}, True),
    ],
)
def test_a_step_whose_condition_cannot_hold_is_unreachable_with_what_waits_for_it(
    condition: dict[str, Any], can: bool
) -> None:
    steps: list[dict[str, Any]] = [
        READ, {"id": "b", "condition": {"step": "read", **condition}}, {"id": "c", "needs": ["b"]},
        {"id": "d", "needs": ["c", "read"]},
    ]  # fmt: skip
    found = [(problem.code, problem.step) for problem in validate_plan(plan(*steps), Catalogue())]
    assert found == ([] if can else [("unreachable_step", "b"), ("unreachable_step", "c")])


def test_a_plan_that_is_too_long_is_not_looked_at_any_closer() -> None:
    found = validate_plan(plan(*({"id": "same", "agent": "nobody"} for _ in range(500))), Catalogue())
    assert [str(problem) for problem in found] == ["too_many_steps: 500 steps; at most 50 are allowed"]
