"""Where hard rules are held against plans, and again against every tool call."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from pydantic import BaseModel

from agents.tools.registry import Tool, Toolbox, ToolOutput
from domain.constraints import Act, Circumstances, Rule, Unreadable, evaluate
from domain.errors import ConstraintViolated, StorageAway
from domain.outcomes import Usage
from domain.plans import Plan, Problem, Step, validate_plan
from graph.catalogue import RunCatalogue
from graph.context import Run
from graph.state import State, usage_of


async def problems_of(plan: Plan, state: State, run: Run) -> list[Problem]:
    """Return everything that keeps a plan from being run: what is wrong with it, and what a rule forbids."""
    services = run.services
    found = validate_plan(plan, RunCatalogue(services.team, services.tools))
    for violation in evaluate(await _rules(run), plan, _circumstances(state, run)):
        found.append(Problem(code="constraint_violated", step=violation.step, message=str(violation)))
    return found


async def permit(step: Step, tool: Tool, args: Mapping[str, Any], state: State, run: Run) -> None:
    """Let a tool call pass, or raise `ConstraintViolated` before anything has happened."""
    act = Act(step.id, tool.name, tool.effect, args, step.privacy)
    violations = evaluate(await _rules(run), act, _circumstances(state, run))
    if violations:
        raise ConstraintViolated("; ".join(map(str, violations)))


def guarded(tools: Toolbox, step: Step, state: State, run: Run) -> Toolbox:
    """Return the tools as a specialist gets them for a step: each asks the rules before it does anything."""
    return Toolbox({name: _guarded(tool, step, state, run) for name, tool in tools.tools.items()})


def _guarded(tool: Tool, step: Step, state: State, run: Run) -> Tool:
    async def asked(parameters: BaseModel) -> ToolOutput:
        await permit(step, tool, parameters.model_dump(), state, run)
        return await tool.run(parameters)

    return replace(tool, run=asked)


async def _rules(run: Run) -> Sequence[Rule]:
    """Return the rules in force; while nobody can tell them, one that forbids every tool."""
    try:
        return (await run.services.constraints.active(run.context.workspace)).rules
    except StorageAway as away:
        return [Unreadable(id="rules-unknown", why=str(away)[:500])]


def _circumstances(state: State, run: Run) -> Circumstances:
    used = usage_of(state) + run.usage
    return Circumstances(run.services.clock(), _spent(used))


def _spent(used: Usage) -> dict[str, float]:
    """Return what was consumed; the price of a model call is unknown here, that of none is not."""
    spent: dict[str, float] = {"calls": used.calls, "tokens": used.input_tokens + used.output_tokens}
    return spent if used.calls else spent | {"dollars": 0.0}
