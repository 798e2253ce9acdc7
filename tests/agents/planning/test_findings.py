from dataclasses import replace
from typing import Any

import pytest

from agents.contracts import PlanReviewRequest
from agents.planning.findings import blocking, findings
from agents.planning.repair import Means
from domain.briefings import Briefing
from domain.checkpoints import Checkpoint
from domain.plans import Plan, Problem, Step


def step(name: str, *needs: str, **more: Any) -> Step:
    given = {"id": name, "agent": "keeper", "task": f"do {name}", "needs": list(needs), **more}
    return Step.model_validate(given)


def switch(name: str, device: str, level: int, *needs: str, **more: Any) -> Step:
    return step(name, *needs, tool="switch", effect="write", args={"device": device, "level": level}, **more)


def look(name: str, device: str, *needs: str) -> Step:
    return step(name, *needs, tool="look", effect="read", args={"device": device, "level": 0})


def save(name: str, path: str, text: Any, *needs: str, **more: Any) -> Step:
    return step(name, *needs, tool="save", effect="write", args={"path": path, "text": text}, **more)


def part(name: str, setting: str, value: int) -> Step:
    args = {"device": "lamp", "setting": setting, "level": value}
    return step(name, tool="switch", effect="write", args=args)


def ref(name: str) -> dict[str, Any]:
    return {"ref": {"step": name}}


def when(value: str) -> dict[str, Any]:
    return {"condition": {"step": "a", "field": "day", "op": "eq", "value": value}}


def found(means: Means, steps: list[Step], *, finished: tuple[str, ...] = (), **plan: Any) -> list[tuple[str, str]]:
    request = PlanReviewRequest(
        goal="g", briefing=Briefing(workspace="w"), team=means.team, emit=lambda event: None, tools=means.tools,
        plan=Plan(steps=steps, **plan), finished=finished,
    )  # fmt: skip
    return [(problem.code, problem.step or "") for problem in findings(request)]


CASES: dict[str, tuple[list[Step], list[tuple[str, str]]]] = {
    "two settings in no order": ([switch("x", "lamp", 1), switch("y", "Lamp", 0)], [("conflict", "y")]),
    "two parts of one device": ([part("x", "power", 1), part("y", "warmth", 2)], []),
    "one part set twice": ([part("x", "warmth", 1), part("y", "warmth", 2)], [("conflict", "y")]),
    "two settings in order": ([switch("x", "lamp", 1), switch("y", "lamp", 0, "x")], []),
    "two devices": ([switch("x", "lamp", 1), switch("y", "fan", 0)], []),
    "one or the other": ([step("a"), switch("x", "lamp", 1, **when("mon")), switch("y", "lamp", 0, **when("tue"))], []),
    "one file twice, even in order": ([save("x", "a.md", "1"), save("y", "./a.md", "2", "x")], [("conflict", "y")]),
    "read and set in no order": ([look("x", "lamp"), switch("y", "lamp", 0)], [("conflict", "y")]),
    "read, then set": ([look("x", "lamp"), switch("y", "lamp", 0, "x")], []),
    "personal data without consent": ([step("a", privacy="personal")], [("missing_consent", "a")]),
    "personal data written on": (
        [step("a", privacy="personal", consent=["x"]), step("b", "a"), save("c", "p", "t", "b")],
        [("missing_consent", "c")],
    ),
    "written on with consent": (
        [step("a", privacy="personal", consent=["x"]), step("b", "a"), save("c", "p", "t", "b", consent=["x"])],
        [],
    ),
    "unseen content that cannot be undone": ([step("a"), save("c", "p", ref("a"))], [("risk", "c")]),
    "the approved draft": ([step("a"), save("c", "p", ref("result"))], []),
    "a repetition": ([step("a", task="t"), step("b", task="t")], [("redundant_step", "b")]),
    "read by nobody": ([step("a"), step("b"), step("c", "b")], [("redundant_step", "a")]),
}


@pytest.mark.parametrize(("steps", "expected"), CASES.values(), ids=CASES)
def test_findings(means: Means, steps: list[Step], expected: list[tuple[str, str]]) -> None:
    assert found(means, steps) == expected


@pytest.mark.parametrize(("zone", "conflicts"), [("attic", 0), ("Cellar", 1)])
def test_a_key_that_leaves_the_value_out_says_what_is_changed(means: Means, zone: str, conflicts: int) -> None:
    keyed = replace(means.tools.get("switch"), key=("device", "zone"))
    steps = [
        step(name, tool="switch", effect="write", args={"device": "heating", "zone": where, "level": level})
        for name, where, level in [("x", "cellar", 19), ("y", zone, 21)]
    ]
    assert found(Means(means.team, means.tools.with_tools([keyed])), steps) == [("conflict", "y")] * conflicts


def test_a_checkpoint_that_shows_every_write_takes_the_risk(means: Means) -> None:
    steps = [step("a"), save("c", "p", ref("a"))]
    for checkpoint, left in [
        (Checkpoint(name="c", condition="ON_EFFECT"), []),
        (Checkpoint(name="c", condition="ON_EFFECT", enabled=False), [("risk", "c")]),
        (Checkpoint(name="c", condition="ON_EFFECT", action="NOTIFY"), [("risk", "c")]),
    ]:
        team = means.team.model_copy(update={"checkpoints": (checkpoint,)})
        assert found(Means(team, means.tools), steps) == left


def test_a_stretch_is_read_by_the_planner_and_what_is_done_is_not_judged_again(means: Means) -> None:
    steps = [step("a"), step("b"), step("c", "b")]
    assert found(means, steps, continues=True) == []
    assert found(means, steps, finished=("a",)) == []


def test_only_what_could_do_harm_needs_a_person() -> None:
    problems = [Problem(code=code, message="") for code in ("redundant_step", "conflict", "missing_consent", "risk")]
    assert [problem.code for problem in blocking(problems)] == ["conflict", "missing_consent", "risk"]
