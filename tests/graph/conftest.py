import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Command
from pydantic import BaseModel, ConfigDict

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
from agents.team import Quality, Specialist, Team
from agents.tools.registry import Tool, Toolbox, ToolOutput
from domain.autonomy import Autonomy
from domain.briefings import Material
from domain.checkpoints import Checkpoint
from domain.events import Event
from domain.outcomes import Critique, Draft, StepResult
from domain.plans import Plan, Problem, Step
from domain.routing import RouteDecision
from graph.build import builder
from graph.context import Context, Limits, Services
from memory.constraints import Constraints
from memory.effects import EffectLedger
from memory.encoders import Encoder, encoder
from memory.index import ChromaIndex
from memory.lessons import Lessons
from memory.records import Records
from memory.sqlite import SqliteRecords
from memory.tasks import TaskMemory


class Note(BaseModel):
    model_config = ConfigDict(extra="forbid")

    path: str
    text: str


def step(name: str, agent: str = "reader", *needs: str, **fields: Any) -> Step:
    return Step.model_validate({"id": name, "agent": agent, "task": f"do {name}", "needs": list(needs), **fields})


DELIVER = step(
    "deliver", "writer", tool="save", effect="write", args={"path": "a.md", "text": {"ref": {"step": "result"}}}
)


@dataclass
class Troupe:
    """Plays every role from a script that a test sets, and notes what was asked of it."""

    plans: list[Plan] = field(default_factory=lambda: [Plan(steps=[step("read"), step("write", "writer", "read")])])
    scores: list[float] = field(default_factory=lambda: [0.9])
    drafts: list[str] = field(default_factory=list)
    problems: list[list[Problem]] = field(default_factory=list)
    perform: Callable[[Assignment], Awaitable[StepResult]] | None = None
    decision: RouteDecision = field(default_factory=lambda: RouteDecision(source="planner", explanation="new"))
    asked: list[str] = field(default_factory=list)
    planning: list[PlanningRequest] = field(default_factory=list)
    saved: list[Note] = field(default_factory=list)

    async def supervisor(self, request: RoutingRequest) -> RouteDecision:
        self.asked.append("supervisor")
        return self.decision

    async def planner(self, request: PlanningRequest) -> Planning:
        self.asked.append("planner")
        self.planning.append(request)
        return Planning(alternatives=[self.plans.pop(0) if len(self.plans) > 1 else self.plans[0]])

    async def plan_critic(self, request: PlanReviewRequest) -> list[Problem]:
        self.asked.append("plan_critic")
        return self.problems.pop(0) if self.problems else []

    async def specialist(self, request: Assignment) -> StepResult:
        self.asked.append(request.step.id)
        if self.perform:
            return await self.perform(request)
        return StepResult(step=request.step.id, agent=request.specialist.name, text=f"{request.step.id} done")

    async def composer(self, request: CompositionRequest) -> Draft:
        self.asked.append("composer")
        return Draft(text=" + ".join(result.text for result in request.results), by="composer")

    async def critic(self, request: CritiqueRequest) -> Critique:
        self.asked.append("critic")
        return Critique(score=self.scores.pop(0) if len(self.scores) > 1 else self.scores[0], issues=["more"])

    async def reviser(self, request: RevisionRequest) -> Draft:
        self.asked.append("reviser")
        text = self.drafts.pop(0) if self.drafts else f"{request.draft.text}!"
        return Draft(text=text, by="reviser")

    async def save(self, note: Note) -> ToolOutput:
        self.saved.append(note)
        return ToolOutput(text=f"wrote {note.path}", data={"path": note.path})

    def cast(self) -> Cast:
        return Cast(
            supervisor=self.supervisor,
            planner=self.planner,
            plan_critic=self.plan_critic,
            specialist=self.specialist,
            composer=self.composer,
            critic=self.critic,
            reviser=self.reviser,
        )


@dataclass
class Theatre:
    """A graph on real memory, played by a troupe."""

    troupe: Troupe
    services: Services
    graph: CompiledStateGraph[Any, Any, Any, Any] = field(init=False)
    events: list[Event] = field(default_factory=list)
    config: Any = field(default_factory=lambda: {"configurable": {"thread_id": "t", "__pregel_strict_resume": True}})

    def __post_init__(self) -> None:
        self.reopen()

    def reopen(self) -> None:
        """Build the graph anew, on the services as they are now."""

        async def services_for(context: Context) -> Services:
            return self.services

        self.graph = builder(services_for).compile(checkpointer=InMemorySaver())

    async def say(self, text: str) -> dict[str, Any]:
        return await self.go({"messages": [("user", text)]})

    async def go(self, given: Any) -> dict[str, Any]:
        """Advance to the next stop and return the state's values."""
        async for mode, chunk in self.graph.astream(
            given, self.config, context=Context(user="ada"), stream_mode=["custom", "updates"], durability="sync"
        ):
            if mode == "custom" and isinstance(chunk, dict):
                self.events.append(chunk["event"])
        return dict((await self.graph.aget_state(self.config)).values)

    async def answer(self, *decisions: dict[str, Any]) -> dict[str, Any]:
        (question,) = (await self.graph.aget_state(self.config)).interrupts
        return await self.go(Command(resume={question.id: {"decisions": list(decisions)}}))

    async def question(self) -> dict[str, Any] | None:
        interrupts = (await self.graph.aget_state(self.config)).interrupts
        return dict(interrupts[0].value) if interrupts else None

    def told(self, kind: str) -> list[Any]:
        return [event for event in self.events if event.type == kind]


Opener = Callable[..., Theatre]


@pytest.fixture(scope="session")
def words() -> Encoder:
    return encoder()


def team_of(checkpoints: tuple[Checkpoint, ...], quality: dict[str, Any]) -> Team:
    return Team(
        name="test",
        description="a team",
        specialists=(
            Specialist(name="reader", description="reads", fallback="writer"),
            Specialist(name="writer", description="writes", tools=("save", "write_file")),
        ),
        checkpoints=checkpoints,
        autonomy=Autonomy(tier="trusted"),  # its tool cannot undo
        quality=Quality(**quality),
    )


@pytest.fixture
async def theatre(tmp_path: Path, words: Encoder) -> AsyncIterator[Opener]:
    file = await SqliteRecords.open(tmp_path / "records.sqlite")
    index = await ChromaIndex.open(tmp_path / "chroma", words)

    def opened(
        troupe: Troupe | None = None,
        *,
        checkpoints: tuple[Checkpoint, ...] = (),
        limits: Limits | None = None,
        records: Records = file,
        team: Team | None = None,
        **quality: Any,
    ) -> Theatre:
        troupe = troupe or Troupe()

        async def materials() -> list[Material]:
            return []

        save = Tool(name="save", description="saves", parameters=Note, run=troupe.save, effect="write")
        memory = TaskMemory(records, index, clock=time.time)
        team = team or team_of(checkpoints, quality)
        services = Services(
            team=team,
            cast=troupe.cast(),
            understudies=troupe.cast(),
            tools=Toolbox.of([save]),
            materials=materials,
            memory=memory,
            lessons=Lessons.of(records, memory),
            constraints=Constraints(records),
            delegator=delegator_of(team, records, words),
            trials=Trials(records),
            effects=EffectLedger(records),
            clock=time.time,
            limits=limits or Limits(retry_pause=0),
        )

        return Theatre(troupe, services)

    yield opened
    await index.close()
    await file.close()
