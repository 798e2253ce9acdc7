import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.planning.minimal import edges, minimal
from agents.planning.steps import ancestors
from domain.outcomes import StepResult
from domain.plans import Plan, Step
from graph.reports import Slot, StepReport
from graph.scheduler import Schedule


def step(name: str, *needs: str, **more: Any) -> Step:
    return Step.model_validate({"id": name, "agent": "a", "task": "t", "needs": list(needs), **more})


def call(name: str, *needs: str, reads: str = "", **more: Any) -> Step:
    args = {"query": {"ref": {"step": reads}} if reads else "x"}
    return step(name, *needs, **{"tool": "search", "effect": "read", "args": args} | more)


WRITE = {"effect": "write", "tool": "save"}
HELD = {"step": "a", "op": "exists"}
CASES = {
    "work reads all it needs": ([step("a"), step("b", "a"), step("c", "a", "b")], ["a", "b"]),
    "a call reads its arguments only": ([step("a"), step("b"), call("c", "a", "b", reads="b")], []),
    "an edge that is a reference too": ([step("a"), call("c", "a", reads="a")], []),
    "a write waits": ([step("a"), call("c", "a", **WRITE)], ["a"]),
    "what follows a write waits": ([call("a", **WRITE), call("c", "a")], ["a"]),
    "a chain of writes keeps the order": (
        [call("a", **WRITE), call("b", "a", **WRITE), call("c", "a", "b", **WRITE)], ["b"],
    ),
    "a chain that may break does not": (
        [step("z"), call("a", **WRITE), call("b", "a", condition={"step": "z", "op": "exists"}, **WRITE),
         call("c", "a", "b", **WRITE)], ["a", "b"],
    ),
    "a step that may be skipped decides": ([step("z"), step("a", "z", on_failure="skip"), call("c", "a")], ["a"]),
    "so does a condition before it": (
        [step("a"), step("b", condition=HELD), step("d", "b"), call("c", "d")], ["d"],
    ),
    "a delivery waits for the draft alone": ([step("a"), call("c", "a", reads="result", **WRITE)], []),
    "a delivery after a write": ([call("a", **WRITE), call("c", "a", reads="result", **WRITE)], ["a"]),
}  # fmt: skip


@pytest.mark.parametrize(("steps", "needs"), CASES.values(), ids=CASES)
def test_the_last_step_keeps_the_edges_it_needs(steps: list[Step], needs: list[str]) -> None:
    assert minimal(Plan(steps=steps)).steps[-1].needs == needs


def test_what_leads_to_a_write_keeps_its_order() -> None:
    check, look, send = step("check"), call("look", "check"), call("send", reads="look", **WRITE)
    assert minimal(Plan(steps=[check, look, send])).step("look").needs == ["check"]
    assert minimal(Plan(steps=[check, look])).step("look").needs == []


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    steps = list[Step]()
    for i in range(draw(st.integers(2, 7))):
        earlier = [s.id for s in steps]
        needs = draw(st.lists(st.sampled_from(earlier or ["none"]), unique=True, max_size=3 if earlier else 0))
        kind = draw(st.sampled_from(["work", "read", "write"]))
        more: dict[str, Any] = {} if kind == "work" else {"tool": "t", "effect": kind}
        if draw(st.booleans()) and earlier:
            more["args"] = {"query": {"ref": {"step": draw(st.sampled_from(earlier))}}}
        if draw(st.integers(0, 4)) == 0 and earlier:
            more["condition"] = {
                "step": draw(st.sampled_from(earlier)),
                "op": "exists",
                "value": draw(st.booleans()),
            }
        if draw(st.integers(0, 5)) == 0:
            more["on_failure"] = "skip"
        steps.append(step(f"s{i}", *needs, **more))
    return Plan(steps=steps)


@settings(max_examples=60, deadline=None)
@given(plans(), st.data())
def test_a_minimal_plan_does_the_same(plan: Plan, data: st.DataObject) -> None:
    """Whatever steps are skipped for their failure: the same run, with the same inputs, and writes in their order."""
    optional = [s.id for s in plan.steps if s.on_failure == "skip"]
    skipped = set(data.draw(st.lists(st.sampled_from(optional), unique=True))) if optional else set()
    least = minimal(plan)
    assert edges(least) <= edges(plan)
    assert minimal(least) == least
    assert around_writes(least) == around_writes(plan)
    before, after = (asyncio.run(outcome(each, skipped)) for each in (plan, least))
    assert after == before


def around_writes(plan: Plan) -> set[tuple[str, str]]:
    """Return which steps come before which, where one of the two writes."""
    writes = {s.id for s in plan.steps if s.effect == "write" and not s.delivers}
    return {(a, b) for b, before in ancestors(plan.steps).items() for a in before if writes & {a, b}}


async def outcome(plan: Plan, skipped: set[str]) -> dict[str, tuple[str, dict[str, str]]]:
    """Run the plan with the shipped scheduler; return each step's status and what it was given to read."""
    seen: dict[str, tuple[str, dict[str, str]]] = {}

    async def work(each: Step, inputs: Mapping[str, StepResult], slot: Slot) -> StepReport:
        read = each.inputs() if each.tool is None else each.model_copy(update={"needs": []}).inputs()
        status = "skipped" if each.id in skipped else "done"
        seen[each.id] = (status, {key: inputs[key].status for key in sorted(read)})
        return StepReport(StepResult(step=each.id, agent=each.agent, status=status, text=each.id))

    def launch(each: Step, body: Callable[[], Awaitable[StepReport]]) -> Awaitable[StepReport]:
        return asyncio.ensure_future(body())

    await Schedule(plan, {}, work, launch, 9).run()
    return seen
