"""A run in a process of its own, to be killed."""

import asyncio
import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

from agents.contracts import Assignment
from agents.delegation.teamwork import delegator_of
from agents.delegation.trials import Trials
from agents.team import SelectionRules, Specialist, Team
from agents.tools.registry import Attempt, Tool, Toolbox, ToolOutput, Verdict
from domain.autonomy import Autonomy
from domain.briefings import Material
from domain.outcomes import StepResult
from domain.plans import Plan
from graph.build import builder
from graph.context import Context, Limits, Services
from memory.constraints import Constraints
from memory.effects import EffectLedger
from memory.encoders import encoder
from memory.index import ChromaIndex
from memory.lessons import Lessons
from memory.sqlite import SqliteRecords
from memory.tasks import TaskMemory
from tests.graph.conftest import Note, Troupe, step

PLAN = Plan(
    steps=[
        step("first"),
        step("save_now", "writer", "first", tool="save", effect="write", args={"path": "a", "text": "x"}),
        step("slow", "reader", "save_now"),
    ]
)


TEAM = Team(
    name="test",
    description="a team",
    specialists=(
        Specialist(name="reader", description="reads", alternatives=("scribe",)),
        Specialist(name="scribe", description="reads, too"),
        Specialist(name="writer", description="writes", tools=("save",)),
    ),
    selection=SelectionRules(policy="greedy"),
    autonomy=Autonomy(tier="trusted"),
)
LEARNT = {"start": {"reader": 0.1, "scribe": 0.9}, "resume": {"reader": 1.0, "scribe": 0.0}}
"""What the workspace knows of the agents when a process begins: after the kill, the choice would be another one."""
SAVE_EACH = step(
    "save", "writer", tool="save", effect="write", args={"path": {"ref": {"step": "item"}}, "text": "x"},
    foreach={"step": "first", "field": "rows"},
)  # fmt: skip
PLANS = {"chain": PLAN, "foreach": Plan(steps=[step("first"), SAVE_EACH])}
KEPT = {"chain": 3, "foreach": 4}
"""Tasks that have ended by then, the choice of agents first: with these in the checkpoint, the time has come."""


async def until_kept(folder: Path, tasks: int) -> None:
    """Wait until the results of so many tasks are on disk."""
    with closing(sqlite3.connect(folder / "checkpoints")) as file:
        wanted = "SELECT count(*) FROM writes WHERE channel = '__return__'"
        for _ in range(3000):
            if file.execute(wanted).fetchone()[0] >= tasks:
                return
            await asyncio.sleep(0.01)


def note(folder: Path, line: str) -> None:
    with (folder / "log").open("a") as log:
        log.write(line + "\n")


async def teach(services: Services, how: str) -> None:
    for agent, worth in LEARNT[how].items():
        for _ in range(40 if how == "resume" else 12):
            await services.delegator.observe("default", "search/reader", agent, worth, seconds=1.0, cost=0.0)


@dataclass(frozen=True)
class Child:
    """The run of one process."""

    folder: Path
    how: str
    plan: str

    async def to_be_killed(self) -> None:
        await until_kept(self.folder, KEPT[self.plan])
        print("slow", flush=True)  # noqa: T201 - the parent waits for it before it kills
        await asyncio.Event().wait()

    async def perform(self, request: Assignment) -> StepResult:
        note(self.folder, f"{request.step.id} by {request.specialist.name}")
        if request.step.id == "slow" and self.how == "start":
            await self.to_be_killed()
        agent = request.specialist.name
        return StepResult(step=request.step.id, agent=agent, text="done", data={"rows": ["a", "b", "c", "d"]})

    async def save(self, given: Note) -> ToolOutput:
        if given.path == "c" and self.how == "start":
            await self.to_be_killed()
        note(self.folder, f"saved {given.path}")
        return ToolOutput(text="saved")

    async def look(self, attempt: Attempt) -> Verdict:
        happened = f"saved {attempt.args.path}" in (self.folder / "log").read_text().splitlines()
        return Verdict("happened" if happened else "did_not_happen")

    async def materials(self) -> list[Material]:
        return []

    def services(self, records: SqliteRecords, index: ChromaIndex) -> Services:
        cast = Troupe(plans=[PLANS[self.plan]], perform=self.perform).cast()
        memory = TaskMemory(records, index)
        save = Tool(name="save", description="", parameters=Note, run=self.save, effect="write", verify=self.look)
        return Services(
            team=TEAM,
            cast=cast,
            understudies=cast,
            tools=Toolbox.of([save]),
            materials=self.materials,
            memory=memory,
            lessons=Lessons.of(records, memory),
            constraints=Constraints(records),
            delegator=delegator_of(TEAM, records, encoder()),
            trials=Trials(records),
            effects=EffectLedger(records),
            clock=time.time,
            limits=Limits(max_parallel_steps=1 if self.plan == "foreach" else 3),
        )

    async def run(self) -> None:
        records = await SqliteRecords.open(self.folder / "records.sqlite")
        index = await ChromaIndex.open(self.folder / "chroma", encoder())

        services = self.services(records, index)
        await teach(services, self.how)

        async def services_for(context: Context) -> Services:
            return services

        async with AsyncSqliteSaver.from_conn_string(str(self.folder / "checkpoints")) as saver:
            saver.serde = JsonPlusSerializer(allowed_msgpack_modules=None)
            graph = builder(services_for).compile(checkpointer=saver)
            given: Any = {"messages": [("user", "Save the parts as a, b, c and d")]} if self.how == "start" else None
            config: Any = {"configurable": {"thread_id": "t"}}
            state = await graph.ainvoke(given, config, context=Context(), durability="sync")
            note(self.folder, state["outcome"]["status"])
        await index.close()
        await records.close()


def act(folder: Path, how: str, plan: str) -> None:
    """Be the run: `start` it or `resume` it."""
    asyncio.run(Child(folder, how, plan).run())
