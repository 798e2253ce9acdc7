"""How private the steps of a plan are by the materials that they name and the tools that they call."""

from domain.briefings import Briefing
from domain.named_materials import classed
from domain.plans import Plan
from graph.context import Run
from graph.state import State


def classed_plan(plan: Plan, state: State, run: Run) -> Plan:
    """Return a plan with each step as private as what it names, and with the consents that this needs."""
    materials = Briefing.model_validate(state["briefing"]).materials
    tools = {name: tool.privacy for name, tool in run.services.tools.tools.items()}
    return classed(plan, state["goal"], materials, tools)
