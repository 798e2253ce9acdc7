from typing import Any

import pytest

from agents.planning.strategies import labelled
from domain.plans import Plan, Step

CHAIN = [("a", []), ("b", ["a"])]
WIDE = [("a", []), ("b", []), ("c", ["a", "b"])]


@pytest.mark.parametrize(
    ("shape", "said", "more", "fitting"),
    [
        (CHAIN, "parallel", {}, "simple"),
        (WIDE, "simple", {}, "parallel"),
        (WIDE, "adaptive", {}, "parallel"),
        (WIDE, "comprehensive", {}, "comprehensive"),
        (CHAIN, "comprehensive", {}, "simple"),
        (CHAIN, "simple", {"continues": True}, "adaptive"),
        ([("a", ["b"]), ("b", ["a"])], "parallel", {}, "parallel"),
    ],
    ids=["a chain", "branches", "nothing adapts", "wide", "not wide", "a stretch", "a circle"],
)
def test_a_plan_has_the_strategy_of_its_shape(
    shape: list[tuple[str, list[str]]], said: Any, more: dict[str, Any], fitting: str
) -> None:
    steps = [Step(id=name, agent="x", task="t", needs=needs) for name, needs in shape]
    assert labelled(Plan(steps=steps, strategy=said, **more)).strategy == fitting


def test_conditions_choose_between_branches() -> None:
    steps = [Step(id="a", agent="x", task="t"), Step.model_validate(
        {"id": "b", "agent": "x", "task": "t", "condition": {"step": "a", "op": "exists"}}
    )]  # fmt: skip
    assert labelled(Plan(steps=steps)).strategy == "adaptive"
