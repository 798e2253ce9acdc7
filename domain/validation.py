"""Whether a plan can be run: every coded problem in it, found without running anything."""

from collections import Counter
from collections.abc import Iterable, Mapping
from graphlib import CycleError
from typing import Any, Protocol

from domain.composite import RESERVED, composite_problems
from domain.plans import RESULT, Condition, Effect, Plan, Problem, Step, execution_order


class Catalogue(Protocol):
    """What validation must know about the team: who works in it and what each tool takes."""

    def agents(self) -> Iterable[str]:
        """Return the specialists' names."""

    def tools_of(self, agent: str) -> Iterable[str]:
        """Return the names of the tools that a specialist may call."""

    def tool_effect(self, tool: str) -> Effect | None:
        """Return the tool's effect, or None where no such tool exists."""

    def argument_problems(self, tool: str, args: Mapping[str, Any]) -> Iterable[str]:
        """Return what is wrong with the arguments; references count as given."""


MAX_STEPS = 50


def validate_plan(plan: Plan, catalogue: Catalogue, *, max_steps: int = MAX_STEPS) -> list[Problem]:
    """Return every coded problem that keeps `plan` from being run; an empty list means it can run.

    A plan of more than `max_steps` steps is not looked at any closer.
    """
    if len(plan.steps) > max_steps:
        message = f"{len(plan.steps)} steps; at most {max_steps} are allowed"
        return [Problem(code="too_many_steps", message=message)]
    problems = list(_structure_problems(plan))
    agents = set(catalogue.agents())
    for step in plan.steps:
        problems += composite_problems(step)
        problems += _step_problems(step, agents, catalogue)
    return problems


def _structure_problems(plan: Plan) -> Iterable[Problem]:
    times = Counter(step.id for step in plan.steps)
    for repeated in sorted({step_id for step_id, count in times.items() if count > 1} | (RESERVED & set(times))):
        yield Problem(code="duplicate_step", step=repeated, message="the id is used twice or is reserved")
    inputs = [(step.id, step.inputs()) for step in plan.steps]
    for step_id, wanted in inputs:
        for missing in sorted(wanted - times.keys() - {RESULT}):
            yield Problem(code="unknown_step", step=step_id, message=f"refers to {missing!r}, which is not a step")
    if all(RESULT in wanted for _, wanted in inputs):
        yield Problem(code="nothing_produced", message="every step waits for the final draft, so none produces it")
    try:
        execution_order(plan)
    except CycleError as error:
        yield Problem(code="cycle", message=" → ".join(map(str, error.args[1])))
        return
    for step_id in unreachable(plan):
        yield Problem(code="unreachable_step", step=step_id, message="its condition, or all it waits for, never holds")


def unreachable(plan: Plan) -> list[str]:
    """Return the ids of steps that can never run, in execution order; the plan must be without a cycle.

    A step never runs when its condition cannot hold, or when every step that it waits for never runs.
    """
    steps, never = {step.id: step for step in plan.steps}, dict[str, None]()
    for level in execution_order(plan):
        for step_id in level:
            step = steps[step_id]
            waits = step.inputs()
            if any(map(cannot_hold, step.conditions)) or (waits and waits <= never.keys()):
                never[step_id] = None
    return list(never)


def cannot_hold(condition: Condition) -> bool:
    """Tell whether no output can make a condition true: a step always has text, and nothing compares with None."""
    if condition.op in ("lt", "le", "gt", "ge", "contains"):
        return condition.value is None
    absent = condition.op == "exists" and condition.value is False
    return condition.field is None and (absent or (condition.op == "eq" and condition.value is None))


def _step_problems(step: Step, agents: set[str], catalogue: Catalogue) -> Iterable[Problem]:
    if step.agent not in agents:
        yield Problem(
            code="unknown_agent", step=step.id, message=f"{step.agent!r} is not one of {', '.join(sorted(agents))}"
        )
        return
    if step.tool is None:
        return
    allowed = set(catalogue.tools_of(step.agent))
    effect = catalogue.tool_effect(step.tool)
    if effect is None:
        yield _missing_tool(step, step.tool in allowed)
        return
    if step.tool not in allowed:
        yield Problem(code="tool_not_allowed", step=step.id, message=f"{step.agent!r} may not call {step.tool!r}")
    if _rank(effect) > _rank(step.effect):
        yield Problem(
            code="effect_understated",
            step=step.id,
            message=f"{step.tool!r} has effect {effect!r}, the step says {step.effect!r}",
        )
    for text in catalogue.argument_problems(step.tool, step.args):
        yield Problem(code="bad_argument", step=step.id, message=text)


def _missing_tool(step: Step, is_of_the_team: bool) -> Problem:
    if is_of_the_team:
        message = f"{step.tool!r} is not at hand in this run; plan without it"
        return Problem(code="unavailable_resource", step=step.id, message=message)
    return Problem(code="unknown_tool", step=step.id, message=f"no tool is called {step.tool!r}")


def _rank(effect: Effect) -> int:
    return ("none", "read", "write").index(effect)
