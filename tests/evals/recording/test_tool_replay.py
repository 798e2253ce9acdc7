"""Foreign tools that answer from a recording."""

from typing import Any

import pytest
from pydantic import BaseModel

from agents.exchanges.calls import RecordedTool
from agents.exchanges.keeping import asked_by
from agents.tools.registry import Tool, ToolOutput
from domain.errors import ToolRefused
from evals.recording.tools import ToolReplay


class Place(BaseModel):
    name: str


async def _forbidden(*_: Any) -> Any:
    raise AssertionError


def _replayed(replay: ToolReplay) -> Tool:
    return replay.around(Tool("look", "Look.", Place, _forbidden, effect="write", prepare=_forbidden))


def _seen(text: str, step: str) -> RecordedTool:
    return RecordedTool(tool="look", step=step, args={"name": "coast"}, text=text)


async def test_parallel_steps_get_what_each_of_them_got() -> None:
    replay = ToolReplay([_seen("for a", "a"), _seen("for b", "b")])
    looked: dict[str, ToolOutput] = {}
    for step in ("b", "a"):
        with asked_by(step=step):
            looked[step] = await _replayed(replay).call({"name": "coast"})
    assert {step: output.text for step, output in looked.items()} == {"a": "for a", "b": "for b"}
    assert replay.unused == []


async def test_a_preparation_that_failed_fails_again() -> None:
    refused = RecordedTool(tool="look.prepare", args={"name": "coast"}, failure="tool_refused", reason="closed")
    with pytest.raises(ToolRefused, match="closed"):
        await _replayed(ToolReplay([refused])).prepared({"name": "coast"})
