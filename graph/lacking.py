"""What a goal calls for and a plan from memory would not do here."""

from collections.abc import Sequence

from agents.planning.lacking import lacking
from domain.plans import Plan
from graph.context import Run


def lacking_here(run: Run, goal: str, plan: Plan, earlier: Sequence[str]) -> list[str]:
    """Return the names of the team's tools whose effects the goal orders and a plan, from earlier goals, lacks."""
    held = {name for specialist in run.services.team.specialists for name in specialist.tools}
    usable = [tool for name, tool in run.services.tools.tools.items() if name in held]
    return lacking(plan, goal, earlier, usable)
