"""The real graph with a scripted cast: what it asks a person, and what happened to the world."""

import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from agents.contracts import (
    Assignment,
    Cast,
    CompositionRequest,
    CritiqueRequest,
    Planning,
    PlanningRequest,
    PlanReviewRequest,
    RevisionRequest,
    RoutingRequest,
)
from agents.delegation.teamwork import delegator_of
from agents.delegation.trials import Trials
from agents.team import Specialist, Team
from agents.tools.registry import Toolbox
from domain.autonomy import Autonomy
from domain.briefings import Material
from domain.outcomes import Critique, Draft, StepResult
from domain.plans import Problem
from domain.routing import RouteDecision
from evals.hostile.plans import AGENT, Script
from graph.build import builder
from graph.context import Context, Limits, Services
from memory.constraints import Constraints
from memory.effects import EffectLedger
from memory.encoders import Encoder
from memory.index import ChromaIndex
from memory.lessons import Lessons
from memory.sqlite import SqliteRecords
from memory.tasks import TaskMemory

Answer = Callable[[Mapping[str, Any]], str]
"""Takes one action request as a client gets it and returns `approve` or `reject`."""


@dataclass
class Troupe:
    """Plays every role from a script."""

    script: Script
    played: int = 0

    async def _planner(self, request: PlanningRequest) -> Planning:
        plan = self.script.plans[min(self.played, len(self.script.plans) - 1)]
        self.played += 1
        return Planning(alternatives=[plan])

    async def _specialist(self, request: Assignment) -> StepResult:
        data = self.script.notes.get(request.step.id, {})
        return StepResult(step=request.step.id, agent=AGENT, text="noted", data=data)

    def cast(self) -> Cast:
        """Return the roles."""

        async def supervisor(request: RoutingRequest) -> RouteDecision:
            return RouteDecision(source="planner", explanation="new")

        async def plan_critic(request: PlanReviewRequest) -> list[Problem]:
            return []

        async def composer(request: CompositionRequest) -> Draft:
            return Draft(text="done", by="composer")

        async def critic(request: CritiqueRequest) -> Critique:
            return Critique(score=0.95)

        async def reviser(request: RevisionRequest) -> Draft:
            return request.draft

        return Cast(
            supervisor=supervisor, planner=self._planner, plan_critic=plan_critic, specialist=self._specialist,
            composer=composer, critic=critic, reviser=reviser, mode="scripted",
        )  # fmt: skip


@dataclass
class Played:
    """What came of a run."""

    status: str
    asked: list[str] = field(default_factory=list)
    """Ids of the steps that a person was asked about, once each."""
    why: dict[str, str] = field(default_factory=dict)
    """What the question said, by step id."""
    results: dict[str, Any] = field(default_factory=dict)
    """Status of every step."""


@dataclass(frozen=True)
class Stage:
    """Real memory, records and ledger on SQLite; every run is in a workspace of its own."""

    services: Services

    async def play(self, name: str, goal: str, script: Script, tools: Toolbox, answer: Answer) -> Played:
        """Run a goal to its end and return what came of it; `answer` is the person.

        Args:
            name: Of the run, not used before.
            goal: What the person says.
            script: What the cast does.
            tools: On the world of the run.
            answer: What the person says to what is asked.
        """
        team = _team(tools)
        cast = Troupe(script).cast()
        services = replace(self.services, team=team, cast=cast, understudies=cast, tools=tools)

        async def services_for(context: Context) -> Services:
            return services

        graph = builder(services_for).compile(checkpointer=InMemorySaver())
        config: Any = {"configurable": {"thread_id": name}, "recursion_limit": 100}
        context = Context(workspace=name, user="person", team=team.name)
        played = Played("")
        given: Any = {"messages": [("user", goal)]}
        while True:
            await graph.ainvoke(given, config, context=context)
            questions = (await graph.aget_state(config)).interrupts
            if not questions:
                break
            given = Command(resume={questions[0].id: {"decisions": _answered(questions[0].value, answer, played)}})
        state = (await graph.aget_state(config)).values
        played.status = state["outcome"].get("status", "")
        played.results = {key: result["status"] for key, result in state.get("results", {}).items()}
        return played


def _answered(payload: Mapping[str, Any], answer: Answer, played: Played) -> list[dict[str, str]]:
    decisions = []
    for request in payload["action_requests"]:
        if request["id"] not in played.asked:
            played.asked.append(request["id"])
            played.why[request["id"]] = request["description"]
        decisions.append({"type": answer(request)})
    return decisions


def _team(tools: Toolbox) -> Team:
    """Return a team of one who may do everything, trusted so far that nothing but hostile content makes it ask."""
    clerk = Specialist(name=AGENT, description="does everything", tools=tuple(tools.tools))
    trusted = Autonomy(tier="trusted", ask_above=1.0, doubt_below=0.0, notify_above=1.0)
    return Team(name="hostile", description="a team", specialists=(clerk,), autonomy=trusted)


@asynccontextmanager
async def opened(folder: Path, words: Encoder) -> AsyncIterator[Stage]:
    """Open a stage on a folder."""
    records = await SqliteRecords.open(folder / "records.sqlite")
    index = await ChromaIndex.open(folder / "chroma", words)

    async def materials() -> list[Material]:
        return []

    memory = TaskMemory(records, index, clock=time.time)
    tools = Toolbox({})
    team, cast = _team(tools), Troupe(Script([], {})).cast()
    services = Services(
        team=team, cast=cast, understudies=cast, tools=tools, materials=materials, memory=memory,
        lessons=Lessons.of(records, memory), constraints=Constraints(records),
        delegator=delegator_of(team, records, words), trials=Trials(records), effects=EffectLedger(records),
        clock=time.time, limits=Limits(retry_pause=0, max_attempts=1, max_replans=0),
    )  # fmt: skip
    try:
        yield Stage(services)
    finally:
        await index.close()
        await records.close()
