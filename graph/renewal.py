"""Plans made fit to be run: arguments that were used up, such as a file name, are made new by their tool."""

from agents.tools.registry import Toolbox
from domain.plans import Plan, Step


async def renewed(plan: Plan, tools: Toolbox, *, goal: str | None = None) -> Plan:
    """Return the plan with the arguments of its tool steps renewed.

    Args:
        plan: A valid plan.
        tools: The run's tools.
        goal: The goal, when the plan was made for another one.
    """
    return plan.model_copy(update={"steps": [await _renewed(step, tools, goal) for step in plan.steps]})


async def _renewed(step: Step, tools: Toolbox, goal: str | None) -> Step:
    tool = tools.tools.get(step.tool or "")
    if tool is None or tool.renew is None:
        return step
    return step.model_copy(update={"args": await tool.renew(step.args, goal)})
