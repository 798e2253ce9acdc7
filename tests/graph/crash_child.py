"""A run in a process of its own, to be killed: `python -m tests.graph.crash_child FOLDER start|resume`."""

import asyncio
import sys
import time
from pathlib import Path
from typing import Any

from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

from agents.contracts import Assignment
from agents.team import Specialist, Team
from agents.tools.registry import Tool, Toolbox, ToolOutput
from domain.briefings import Material
from domain.outcomes import StepResult
from domain.plans import Plan
from graph.build import builder
from graph.context import Context, Services
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


def note(folder: Path, line: str) -> None:
    with (folder / "log").open("a") as log:
        log.write(line + "\n")


async def main(folder: Path, how: str) -> None:
    async def perform(request: Assignment) -> StepResult:
        note(folder, request.step.id)
        if request.step.id == "slow" and how == "start":
            print("slow", flush=True)  # noqa: T201 - the parent waits for it before it kills
            await asyncio.Event().wait()
        return StepResult(step=request.step.id, agent="reader", text="done")

    async def save(given: Note) -> ToolOutput:
        note(folder, f"saved {given.path}")
        return ToolOutput(text="saved")

    async def materials() -> list[Material]:
        return []

    records = await SqliteRecords.open(folder / "records.sqlite")
    index = await ChromaIndex.open(folder / "chroma", encoder())
    cast = Troupe(plans=[PLAN], perform=perform).cast()
    reader = Specialist(name="reader", description="reads")
    writer = Specialist(name="writer", description="writes", tools=("save",))
    memory = TaskMemory(records, index)
    services = Services(
        team=Team(name="test", description="a team", specialists=(reader, writer)),
        cast=cast,
        understudies=cast,
        tools=Toolbox.of([Tool(name="save", description="", parameters=Note, run=save, effect="write")]),
        materials=materials,
        memory=memory,
        lessons=Lessons.of(records, memory),
        constraints=Constraints(records),
        effects=EffectLedger(records),
        clock=time.time,
    )

    async def services_for(context: Context) -> Services:
        return services

    async with AsyncSqliteSaver.from_conn_string(str(folder / "checkpoints")) as saver:
        saver.serde = JsonPlusSerializer(allowed_msgpack_modules=None)
        graph = builder(services_for).compile(checkpointer=saver)
        given: Any = {"messages": [("user", "Do it once")]} if how == "start" else None
        config: Any = {"configurable": {"thread_id": "t"}}
        state = await graph.ainvoke(given, config, context=Context(), durability="sync")
        note(folder, state["outcome"]["status"])
    await index.close()
    await records.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
