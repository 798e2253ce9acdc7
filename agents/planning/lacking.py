"""Which effects a goal calls for that a plan made for other goals does not have. Pure."""

from collections.abc import Iterable, Sequence

from agents.planning.calling import acts_called_for, is_about_the_same
from agents.tools.registry import Tool
from domain.nesting import flattened
from domain.plans import Plan


def lacking(plan: Plan, goal: str, earlier: Sequence[str], tools: Iterable[Tool]) -> list[str]:
    """Return the names of the tools whose effects the goal orders and the plan would not have.

    What the plan's own goals ordered as well is not lacking: the plan did without it, and was right. Neither is what
    another tool of the plan does to the same kind of thing.

    Args:
        plan: What would be reused.
        goal: What it would be reused for.
        earlier: The goals that it is from.
        tools: What the team can use.
    """
    writing = [tool for tool in tools if tool.effect == "write"]
    used = {step.tool for step in flattened(plan).steps}
    there = [tool for tool in writing if tool.name in used]
    return sorted(
        tool.name
        for tool in writing
        if acts_called_for(goal, tool)
        and not any(acts_called_for(told, tool) for told in earlier)
        and not any(_does_as_well(other, tool, goal) for other in there)
    )


def _does_as_well(other: Tool, tool: Tool, goal: str) -> bool:
    if other.name == tool.name:
        return True
    return bool(acts_called_for(goal, other) & acts_called_for(goal, tool)) and is_about_the_same(other, tool)
