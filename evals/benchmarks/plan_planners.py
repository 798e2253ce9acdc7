"""The other ways to plan that `evals.benchmarks.plan` measures beside memory: a team's templates, and a model."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from agents.contracts import Planning, PlanningRequest, Role
from agents.rules.classification import classify
from agents.rules.planner import plan as by_rules
from agents.team import Specialist, Team
from agents.tools.registry import Tool, Toolbox, ToolOutput
from agents.tools.workbench import Workbench
from domain.briefings import Briefing, Material
from domain.plans import Plan
from domain.routing import Recall
from domain.validation import validate_plan
from evals.benchmarks.plan import WORKSPACE, Planner
from evals.benchmarks.plan_rows import WORKER, Row
from graph.catalogue import RunCatalogue

MATERIALS = [Material(name="notes.md", kind="document"), Material(name="figures.csv", kind="table")]
"""Both kinds are at hand, so that no step of a template is left out for want of something to work with."""


class _Anything(BaseModel):
    model_config = ConfigDict(extra="allow")


def templates(team: Team) -> Planner:
    """Return the rule-based planner with a team's templates, for rows all of whose tools the team has.

    A step's name is its tool, or its specialist where the specialist picks the tool; so a row may name specialists.
    """
    names = {s.name for s in team.specialists} | {tool for s in team.specialists for tool in s.tools}
    tools = Workbench(Path(), None).toolbox()  # planned with, never called

    async def planned(row: Row) -> Plan | None:
        found = await by_rules(_request(row, team, tools, MATERIALS))
        return found.alternatives[0]

    return Planner(planned, lambda row: set(row.tools) <= names)


def model(role: Role[PlanningRequest, Planning], most: int) -> Planner:
    """Return the model's planner, for a team of one specialist with the row's tools; it is asked `most` times."""

    async def planned(row: Row) -> Plan | None:
        team, tools = _team(row), _tools(row)
        found = await role(_request(row, team, tools, []))
        catalogue = RunCatalogue(team, tools)
        return next((plan for plan in found.alternatives if not validate_plan(plan, catalogue)), None)

    return Planner(planned, lambda _: True, most)


def _request(row: Row, team: Team, tools: Toolbox, materials: list[Material]) -> PlanningRequest:
    return PlanningRequest(
        goal=row.goal,
        briefing=Briefing(workspace=WORKSPACE, materials=materials),
        team=team,
        emit=lambda _: None,
        kind=classify(row.goal),
        recall=Recall(),
        tools=tools,
    )


def _team(row: Row) -> Team:
    worker = Specialist(name=WORKER, description="Calls one tool a step.", tools=row.tools)
    return Team(name="bench", description="Does a request with the tools at hand.", specialists=(worker,))


def _tools(row: Row) -> Toolbox:
    async def run(_: BaseModel) -> ToolOutput:
        return ToolOutput("")

    return Toolbox.of(Tool(name, name.replace("_", " "), _Anything, run, effect="none") for name in row.tools)
