from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict

from agents.planning.repair import Means
from agents.team import Specialist, Team
from agents.tools.registry import Tool, Toolbox, ToolOutput
from domain.plans import Effect
from memory.sqlite import SqliteRecords


class Query(BaseModel):
    model_config = ConfigDict(extra="forbid")

    query: str
    tags: list[str] = []


class Note(BaseModel):
    model_config = ConfigDict(extra="forbid")

    path: str
    text: str


class Setting(BaseModel):
    model_config = ConfigDict(extra="forbid")

    device: str
    level: int


def tool(name: str, parameters: type[BaseModel], effect: Effect) -> Tool:
    async def run(args: Any) -> ToolOutput:
        return ToolOutput("done")

    return Tool(name=name, description="A tool.", parameters=parameters, run=run, effect=effect)


@pytest.fixture
async def records(tmp_path: Path) -> AsyncIterator[SqliteRecords]:
    opened = await SqliteRecords.open(tmp_path / "records.sqlite")
    yield opened
    await opened.close()


@pytest.fixture
def means() -> Means:
    """A reader who can search, a writer who can save, two who can set devices."""
    team = Team(
        name="test",
        description="A team.",
        specialists=(
            Specialist(name="reader", description="Reads.", tools=("search", "away")),
            Specialist(name="writer", description="Writes.", tools=("save", "switch", "look")),
            Specialist(name="keeper", description="Keeps the house.", tools=("switch", "look")),
        ),
    )
    box = Toolbox.of([
        tool("search", Query, "read"), tool("save", Note, "write"), tool("switch", Setting, "write"),
        tool("look", Setting, "read"),
    ])  # fmt: skip
    return Means(team, box)
