from typing import Any

import pytest

from agents.planning.repair import Means, repaired
from domain.plans import Plan, Step
from domain.validation import validate_plan
from graph.catalogue import RunCatalogue


def step(name: str, agent: str = "reader", *needs: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "agent": agent, "task": f"do {name}", "needs": list(needs), **more}


def plan(*steps: dict[str, Any]) -> Plan:
    return Plan(steps=[Step.model_validate(each) for each in steps])


def codes(given: Plan, means: Means) -> list[str]:
    return [problem.code for problem in validate_plan(given, RunCatalogue(means.team, means.tools))]


SEARCH = {"tool": "search", "effect": "read"}
MENDED = {
    "same step twice": ([step("a"), step("a")], [step("a")]),
    "same id twice": ([step("a"), step("a", task="other")], [step("a"), step("a_2", task="other")]),
    "reserved id": (
        [step("a"), step("result", "writer", "a")], [step("a"), step("result_2", "writer", "a", task="do result")],
    ),
    "agent misspelt": ([step("a", "Reader")], [step("a")]),
    "agent unknown, tool known": (
        [step("a", "nobody", tool="search", args={"query": "x"}, effect="read")],
        [step("a", tool="search", args={"query": "x"}, effect="read")],
    ),
    "tool misspelt": ([step("a", **SEARCH | {"tool": "serch"}, args={"query": "x"})],
                      [step("a", **SEARCH, args={"query": "x"})]),
    "tool of the only other": ([step("a", "writer", **SEARCH, args={"query": "x"})],
                               [step("a", **SEARCH, args={"query": "x"})]),
    "effect understated": ([step("a", tool="search", args={"query": "x"})], [step("a", **SEARCH, args={"query": "x"})]),
    "argument misspelt": ([step("a", **SEARCH, args={"qury": "x"})], [step("a", **SEARCH, args={"query": "x"})]),
    "argument with more words": ([step("a", **SEARCH, args={"search_query": "x"})],
                                 [step("a", **SEARCH, args={"query": "x"})]),
    "number for text": ([step("a", **SEARCH, args={"query": 12})], [step("a", **SEARCH, args={"query": "12"})]),
    "one value for a list": ([step("a", **SEARCH, args={"query": "x", "tags": "t"})],
                             [step("a", **SEARCH, args={"query": "x", "tags": ["t"]})]),
    "need misspelt": ([step("find_it"), step("b", "writer", "findit")],
                      [step("find_it"), step("b", "writer", "find_it")]),
    "need by agent": ([step("a"), step("b", "writer", "reader")], [step("a"), step("b", "writer", "a")]),
    "waits for itself": ([step("a", "reader", "a")], [step("a")]),
    "circle": ([step("a", "reader", "c"), step("b", "reader", "a"), step("c", "writer", "b")],
               [step("a"), step("b", "reader", "a"), step("c", "writer", "b")]),
    "never reached": (
        [step("a"), step("b", condition={"step": "a", "op": "gt"}), step("c", "writer", "a", "b")],
        [step("a"), step("c", "writer", "a")],
    ),
    "two that do the same": (
        [step("a", task="x"), step("b", task="x"), step("c", "writer", "a", "b")],
        [step("a", task="x"), step("c", "writer", "a")],
    ),
    "no consent": ([step("a", privacy="secret")], [step("a", privacy="secret", consent=["secret_data"])]),
}  # fmt: skip


@pytest.mark.parametrize(("slip", "meant"), MENDED.values(), ids=MENDED)
def test_a_slip_is_mended_and_told(means: Means, slip: list[dict[str, Any]], meant: list[dict[str, Any]]) -> None:
    found = repaired(plan(*slip), means)
    assert found.plan == plan(*meant)
    assert found.repairs
    assert codes(found.plan, means) == []
    assert repaired(found.plan, means) == (found.plan, [])


LEFT = {
    "need of nothing like it": ([step("a"), step("b", "writer", "zebra")], "unknown_step"),
    "reference": ([step("a", **SEARCH, args={"query": {"ref": {"step": "zebra"}}})], "unknown_step"),
    "agent like none": ([step("a", "astronaut")], "unknown_agent"),
    "tool like none": ([step("a", tool="teleport")], "unknown_tool"),
    "tool of two others": (
        [step("a", tool="switch", effect="write", args={"device": "x", "level": 1})], "tool_not_allowed",
    ),
    "tool not at hand": ([step("a", tool="away")], "unavailable_resource"),
    "wrong type": ([step("a", "keeper", tool="switch", effect="write", args={"device": "x", "level": "high"})],
                   "bad_argument"),
    "truth for text": ([step("a", **SEARCH, args={"query": True})], "bad_argument"),
    "argument like none": ([step("a", **SEARCH, args={"zebra": "x"})], "bad_argument"),
    "circle of references": (
        [
            step("a", **SEARCH, args={"query": {"ref": {"step": "b"}}}),
            step("b", **SEARCH, args={"query": {"ref": {"step": "a"}}}),
        ],
        "cycle",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("steps", "code"), LEFT.values(), ids=LEFT)
def test_what_would_be_a_guess_stays_a_coded_problem(means: Means, steps: list[dict[str, Any]], code: str) -> None:
    assert code in codes(repaired(plan(*steps), means).plan, means)


def test_a_write_is_never_left_out_as_a_repetition(means: Means) -> None:
    save = {"tool": "save", "effect": "write", "args": {"path": "a", "text": "x"}, "task": "save"}
    given = plan(step("a", "writer", **save), step("b", "writer", **save))
    assert repaired(given, means).plan == given


def test_a_plan_of_500_steps_is_left_alone(means: Means) -> None:
    given = plan(*(step(f"s{i}", "Reader") for i in range(500)))
    assert repaired(given, means) == (given, [])
    assert codes(given, means) == ["too_many_steps"]
