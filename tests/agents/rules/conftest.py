from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from agents.contracts import (
    Assignment,
    CompositionRequest,
    CritiqueRequest,
    Planning,
    PlanningRequest,
    RevisionRequest,
    RoutingRequest,
)
from agents.rules.cast import rules_cast
from agents.team import Team
from agents.team_files import load_team
from agents.tools.registry import Toolbox
from agents.tools.workbench import Workbench
from domain.briefings import Briefing, Material
from domain.events import Event
from domain.outcomes import Critique, Draft, StepResult
from domain.plans import Plan, Step, execution_order
from domain.routing import Recall, RouteDecision

ENERGY = Path(__file__).parents[3] / "examples" / "energy"


class Answered(NamedTuple):
    """A goal done by rules from the plan to the critique."""

    plan: Plan
    results: dict[str, StepResult]
    draft: Draft
    critique: Critique


@dataclass
class Rules:
    """The rule-based cast over a folder, as a run uses it."""

    team: Team
    tools: Toolbox
    materials: list[Material]
    events: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.cast = rules_cast(self.team)

    def about(self, goal: str) -> dict[str, Any]:
        briefing = Briefing(workspace="test", materials=self.materials)
        return {"goal": goal, "briefing": briefing, "team": self.team, "emit": self.events.append}

    def workbench(self, folder: Path) -> Workbench:
        return Workbench(folder, None)

    async def route(self, goal: str, recall: Recall | None = None) -> RouteDecision:
        return await self.cast.supervisor(RoutingRequest(**self.about(goal), recall=recall or Recall()))

    async def planned(self, goal: str, **more: Any) -> Planning:
        kind = (await self.route(goal)).kind
        given = {"kind": kind, "recall": Recall(), "tools": self.tools} | more
        return await self.cast.planner(PlanningRequest(**self.about(goal), **given))

    async def step(self, goal: str, step: Step, inputs: Mapping[str, StepResult] | None = None) -> StepResult:
        specialist = self.team.specialist(step.agent)
        tools = self.tools.only(specialist.tools).without_writes()
        about = self.about(goal)
        return await self.cast.specialist(
            Assignment(**about, step=step, specialist=specialist, inputs=inputs or {}, tools=tools)
        )

    async def done(self, goal: str) -> Answered:
        plan = (await self.planned(goal)).alternatives[0]
        results = dict[str, StepResult]()
        for step in (plan.step(step_id) for level in execution_order(plan) for step_id in level):
            results[step.id] = await self.step(goal, step, {key: results[key] for key in step.needs})
        draft = await self.drafted(goal, plan, results)
        return Answered(plan, results, draft, await self.criticised(goal, draft.text, list(results.values())))

    async def drafted(self, goal: str, plan: Plan, results: dict[str, StepResult]) -> Draft:
        read = {key for step in plan.steps for key in step.inputs()}
        ends = [step.id for step in plan.steps if step.id not in read]
        if len(ends) == 1:
            return Draft(text=results[ends[0]].text, by=results[ends[0]].agent)
        kind = (await self.route(goal)).kind
        parts = list(results.values())
        return await self.cast.composer(CompositionRequest(**self.about(goal), kind=kind, results=parts))

    async def criticised(self, goal: str, text: str, results: list[StepResult]) -> Critique:
        draft = Draft(text=text, by="test")
        return await self.cast.critic(
            CritiqueRequest(**self.about(goal), draft=draft, results=results, quality=self.team.quality)
        )

    async def revised(self, goal: str, text: str, results: list[StepResult]) -> Draft:
        critique = await self.criticised(goal, text, results)
        draft = Draft(text=text, by="test")
        return await self.cast.reviser(
            RevisionRequest(**self.about(goal), draft=draft, critique=critique, results=results)
        )


async def over(workbench: Workbench, team: str) -> Rules:
    return Rules(load_team(team), workbench.toolbox(), await workbench.materials())


@pytest.fixture(scope="module")
def energy_workbench(tmp_path_factory: pytest.TempPathFactory) -> Workbench:
    """Tools over the example folder, whose files are read once for a test file."""
    return Workbench(ENERGY, tmp_path_factory.mktemp("out"))


@pytest.fixture
async def energy(energy_workbench: Workbench) -> Rules:
    """The documents team over the example folder."""
    return await over(energy_workbench, "documents")


@pytest.fixture
async def folder(tmp_path: Path) -> Path:
    """An empty folder for a test's own materials."""
    path = tmp_path / "data"
    path.mkdir()
    return path


@pytest.fixture
async def marketing(folder: Path, tmp_path: Path) -> Rules:
    """The marketing team with nothing to read."""
    return await over(Workbench(folder, tmp_path / "out"), "marketing")
