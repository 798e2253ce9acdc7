"""Remembered requests with plans, for tests of whole plans."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from domain.plans import Plan, Step
from memory.encoders import Encoder
from memory.plan_ranker import Example, PlanRanker, learn
from memory.plan_shapes import shape_of
from memory.task_record import TaskRecord
from tests.evals.benchmarks.plan_cases import cases

WORKSPACE, TEAM = "acme", "tools"


def plan_of(row: Mapping[str, Any]) -> Plan:
    tools, edges = row["plan"]["steps"], row["plan"]["edges"]
    return Plan(
        steps=[
            Step(id=t, agent="worker", task=f"Do {t}", tool=t, needs=[a for a, b in edges if b == t], args={"with": t})
            for t in tools
        ]
    )


@cache
def _requests() -> list[tuple[str, Plan]]:
    return [(row["goal"], plan_of(row)) for row in cases(320)]


def remembered(count: int) -> list[tuple[str, Plan]]:
    """Return requests and their plans, the same ones each time."""
    return _requests()[:count]


def new(count: int) -> list[tuple[str, Plan]]:
    """Return requests of the same sort that are not among the first 240."""
    return _requests()[-count:]


def record(goal: str, plan: Plan, **fields: Any) -> TaskRecord:
    given = {"workspace": WORKSPACE, "team": TEAM, "successes": 1, "last_success": True, "quality": 1.0} | fields
    return TaskRecord(goal=goal, sequence=plan.sequence, plan=plan, **given)


def learnt(encoder: Encoder, count: int) -> PlanRanker:
    known = [Example(f"t{i}", goal, shape_of(plan)) for i, (goal, plan) in enumerate(remembered(count))]
    return learn(known, encoder.encode([e.goal for e in known]), encoder=encoder.id, size=count)
