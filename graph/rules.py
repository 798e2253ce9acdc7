"""Where hard rules are held against plans, and again against every tool call."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from pydantic import BaseModel

from agents.tools.containment import contained
from agents.tools.registry import Tool, Toolbox, ToolOutput
from domain.constraints import Act, Circumstances, Rule, Unreadable, Violation, evaluate
from domain.errors import AddressNotAllowed, ConstraintViolated, StorageAway, ToolError
from domain.outcomes import Usage
from domain.plans import Plan, Problem, Step
from domain.privacy import as_private_as_read
from domain.validation import validate_plan
from graph.binding import unavailable
from graph.catalogue import RunCatalogue
from graph.context import Run
from graph.fingerprints import plan_fingerprint
from graph.origins import strange_addresses
from graph.outputs import checked_output
from graph.state import State, usage_of
from graph.voices import voices_of


async def problems_of(plan: Plan, state: State, run: Run) -> list[Problem]:
    """Return everything that keeps a plan from being run: what is wrong with it, and what a rule forbids."""
    services = run.services
    found = validate_plan(plan, RunCatalogue(services.team, services.tools))
    if plan_fingerprint(plan) in state.get("failed_plans", []):
        found.append(Problem(code="already_failed", message="this plan has failed, and would fail the same way again"))
    found += await unavailable(plan, run)
    for violation in evaluate(await _rules(run), as_private_as_read(plan), _circumstances(state, run)):
        found.append(Problem(code="constraint_violated", step=violation.step, message=str(violation)))
    return found


async def rules_in_words(run: Run) -> list[str]:
    """Return the hard rules in force as a planner reads them; texts that may not leave are not told to it."""
    return [_in_words(rule) for rule in await _rules(run)]


def _in_words(rule: Rule) -> str:
    if rule.kind == "security":
        return f"security {rule.id}: certain texts may not leave in the arguments of an effect"
    told = rule.model_dump(mode="json", exclude={"id", "kind", "why"}, exclude_defaults=True)
    given = ", ".join(f"{name} {value}" for name, value in told.items())
    return f"{rule.kind} {rule.id}: {given}{f' ({rule.why})' if rule.why else ''}"


async def permit(step: Step, tool: Tool, args: Mapping[str, Any], state: State, run: Run) -> None:
    """Let a tool call pass, or raise `ConstraintViolated` before anything has happened."""
    if violations := await violations_of(step, tool, args, state, run):
        raise ConstraintViolated("; ".join(map(str, violations)))


async def violations_of(step: Step, tool: Tool, args: Mapping[str, Any], state: State, run: Run) -> list[Violation]:
    """Return every hard rule that forbids a tool call."""
    act = Act(step.id, tool.name, tool.effect, args, step.privacy)
    return evaluate(await _rules(run), act, _circumstances(state, run))


def guarded(tools: Toolbox, step: Step, state: State, run: Run) -> Toolbox:
    """Return the tools as a specialist gets them for a step: each asks the rules before it does anything."""
    return Toolbox({name: _guarded(tool, step, state, run) for name, tool in tools.tools.items()})


def _guarded(tool: Tool, step: Step, state: State, run: Run) -> Tool:
    secrets = run.services.secrets

    async def asked(parameters: BaseModel) -> ToolOutput:
        args = parameters.model_dump()
        await permit(step, tool, args, state, run)
        if strange := strange_addresses(args, await voices_of(state, run)):
            msg = f"{'; '.join(strange)}; it is called in a step of its own only, about which a person is asked"
            raise AddressNotAllowed(msg)
        try:
            return checked_output(tool, await contained(tool.run(parameters), tool.name, tool.timeout), secrets)
        except ToolError as error:
            error.args = (secrets.text(str(error)),)
            raise

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
    """Return what was consumed; dollars are left out where the price of a call is unknown."""
    spent: dict[str, float] = {"calls": used.calls, "tokens": used.tokens}
    return spent if used.dollars is None else spent | {"dollars": used.dollars}
