"""Previews: the way that a goal would go, with its plan and what the steps would be bound to; nothing is done."""

from typing import Any

from langgraph.graph.state import CompiledStateGraph
from pydantic import BaseModel, ConfigDict

from domain.events import PlanProposed
from domain.plans import Plan
from domain.routing import RouteDecision
from graph.binding import bindings
from graph.build import RECURSION_LIMIT
from graph.context import Context, Run, Services
from graph.state import State
from understudy.runs import BEFORE_WORK
from understudy.untraced import untraced


class BoundStep(BaseModel):
    """What would do a step."""

    model_config = ConfigDict(extra="forbid")

    step: str
    resource: str
    """Empty where the team declares none for it."""
    why: str
    others: list[str]
    """What would take its place, best first."""
    refused: dict[str, str]
    """Why others may not be given it, by name."""


class Preview(BaseModel):
    """What would happen."""

    model_config = ConfigDict(extra="forbid")

    decision: RouteDecision
    plan: Plan | None
    """None where nothing would be planned."""
    alternatives: list[Plan]
    """What else was weighed and could run."""
    steps: list[BoundStep]

    @property
    def route(self) -> RouteDecision:
        """Which way it would go, with the sequence of agents, the planned one where memory knows none."""
        planned = self.plan.sequence if self.plan else []
        return self.decision.model_copy(update={"sequence": self.decision.sequence or planned})


async def previewed(
    graph: CompiledStateGraph[State, Context, Any, Any], services: Services, context: Context, goal: str
) -> Preview:
    """Route and plan a goal on a graph without checkpoints, and stop before any work."""
    values: dict[str, Any] = {}
    proposed: PlanProposed | None = None
    mode: str
    chunk: Any
    stream = graph.astream(
        {"messages": [("user", goal)]},
        {"recursion_limit": RECURSION_LIMIT},
        context=context,
        interrupt_before=list(BEFORE_WORK),
        output_keys=["decision", "plan"],
        stream_mode=["custom", "values"],
    )
    async for mode, chunk in untraced(stream):
        if mode == "values":
            values = dict(chunk)
        elif isinstance(chunk["event"], PlanProposed):
            proposed = chunk["event"]
    plan = Plan.model_validate(values["plan"]) if values.get("plan") else None
    run = Run(services, context, thread="", run="", publish=lambda _: None)
    return Preview(
        decision=RouteDecision.model_validate(values["decision"]),
        plan=plan,
        alternatives=proposed.alternatives if plan and proposed else [],
        steps=await _bound(plan, run) if plan else [],
    )


async def _bound(plan: Plan, run: Run) -> list[BoundStep]:
    found = []
    for step, _, offers in await bindings(plan, run):
        best = next(iter(offers.ranked), None)
        found.append(
            BoundStep(
                step=step,
                resource=best.resource.name if best else "",
                why=str(best) if best else "",
                others=[str(other) for other in offers.ranked[1:]],
                refused=dict(offers.refused),
            )
        )
    return found
