"""How far the result of a step is relied on that called a tool: as the tool's level says, or as it was measured."""

from pathlib import Path

import pytest

from agents.tools.declaration import Level
from agents.tools.registry import Tool, Toolbox, ToolOutput
from agents.tools.reliability import TOOL_SEEN, Reliability
from domain.plans import Plan
from memory.sqlite import SqliteRecords
from tests.graph.conftest import Note, Opener, Theatre, Troupe, step

PLAN = Plan(steps=[step("look", "writer", tool="write_file", effect="read", args={"path": "a", "text": ""})])


def with_tool(theatre: Opener, level: Level, reliability: Reliability | None) -> Theatre:
    async def look(note: Note) -> ToolOutput:
        return ToolOutput(text="found")

    tool = Tool(name="write_file", description="looks", parameters=Note, run=look, effect="read", level=level)
    stage = theatre(Troupe(plans=[PLAN]))
    object.__setattr__(stage.services, "tools", Toolbox.of([reliability.watched(tool) if reliability else tool]))
    return stage


@pytest.mark.parametrize(("level", "confidence"), [("HIGH", 0.9), ("EXPERIMENTAL", 0.5)])
async def test_a_tool_that_nobody_measures_is_taken_at_its_level(
    theatre: Opener, level: Level, confidence: float
) -> None:
    state = await with_tool(theatre, level, None).say("Look into it")
    assert state["results"]["look"]["confidence"] == pytest.approx(confidence)


async def test_a_tool_that_failed_often_is_relied_on_less(theatre: Opener, tmp_path: Path) -> None:
    records = await SqliteRecords.open(tmp_path / "measured.sqlite")
    for _ in range(40):
        failure = {"good": 0, "seconds": 0.1, "broke": False, "time": 0.0}
        await records.merge("tool_seen:acme:write_file", failure, TOOL_SEEN)
    stage = with_tool(theatre, "HIGH", Reliability(records, "acme", lambda: 1000.0))
    state = await stage.say("Look into it")
    assert state["results"]["look"]["confidence"] < 0.5
    await records.close()
