from typing import Any

import pytest

from agents.contracts import PlanReviewRequest
from domain.plans import Plan, Problem, Step

Rules = Any  # conftest's class; a conftest cannot be imported


def step(name: str, **more: Any) -> Step:
    return Step(**({"id": name, "agent": "write", "task": f"do {name}"} | more))


def writing(name: str, path: str) -> Step:
    args = {"path": path, "text": {"ref": {"step": "result"}}}
    return step(name, tool="write_file", args=args, effect="write")


async def found(rules: Rules, *steps: Step) -> list[tuple[str, str | None]]:
    request = PlanReviewRequest(**rules.about("goal"), plan=Plan(steps=list(steps)), tools=rules.tools)
    problems: list[Problem] = await rules.cast.plan_critic(request)
    return [(problem.code, problem.step) for problem in problems]


@pytest.mark.parametrize(
    ("steps", "problems"),
    [
        ([step("a"), step("b", needs=["a"])], []),
        ([step("a"), step("b")], []),
        ([step("a"), writing("x", "a.md"), writing("y", "b.md")], []),
        ([step("a"), writing("x", "a.md"), writing("y", "a.md")], [("conflict", "y")]),
        ([step("a", task="same"), step("b", task="same")], [("redundant_step", "b")]),
        ([step("a"), step("b"), step("c", needs=["a"])], [("redundant_step", "b")]),
        ([step("a", privacy="personal")], [("missing_consent", "a")]),
        ([step("a", privacy="personal", consent=["newsletter"])], []),
    ],
    ids=["chain", "two parts", "two files", "one file", "twice", "unread", "no consent", "consent"],
)
async def test_problems(energy: Rules, steps: list[Step], problems: list[tuple[str, str]]) -> None:
    assert await found(energy, *steps) == problems
