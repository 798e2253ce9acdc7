"""Tools that misbehave: each ends in a typed error, and the process and the run go on."""

import asyncio
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict

from agents.tools.containment import MAX_CHARS
from agents.tools.registry import Tool, ToolOutput
from domain.errors import MalformedOutput, OutputTooLarge, ToolCrashed, ToolError, ToolTimeout


class Nothing(BaseModel):
    model_config = ConfigDict(extra="forbid")


def tool(gives: Any = None, *, raises: BaseException | None = None, **fields: Any) -> Tool:
    async def run(_: Nothing) -> ToolOutput:
        await asyncio.sleep(0)
        if raises is not None:
            raise raises
        output: ToolOutput = gives
        return output

    given: dict[str, Any] = {"name": "t", "description": "", "parameters": Nothing, "run": run, "effect": "none"}
    return Tool(**given | fields)


@pytest.mark.parametrize(
    "error",
    [SystemExit(1), KeyboardInterrupt(), asyncio.CancelledError(), GeneratorExit(), ZeroDivisionError("x"), OSError()],
    ids=lambda error: type(error).__name__,
)
async def test_whatever_a_tool_raises_is_a_typed_error(error: BaseException) -> None:
    with pytest.raises(ToolCrashed, match="t broke down"):
        await tool(raises=error).call({})


async def test_our_own_errors_come_through_as_they_are() -> None:
    with pytest.raises(ToolError, match="not now"):
        await tool(raises=ToolError("not now")).call({})


async def test_a_tool_that_hangs_is_cut_off() -> None:
    async def run(_: Nothing) -> ToolOutput:
        return await asyncio.Event().wait()  # type: ignore[return-value]

    with pytest.raises(ToolTimeout):
        await tool(run=run, timeout=0.02).call({})


async def test_a_tool_that_does_not_stop_when_told_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agents.tools.containment.STOP_SECONDS", 0.01)
    released = asyncio.Event()

    async def run(_: Nothing) -> ToolOutput:
        while not released.is_set():
            try:
                await released.wait()
            except asyncio.CancelledError:
                continue
        return ToolOutput("late")

    with pytest.raises(ToolTimeout):
        await tool(run=run, timeout=0.01).call({})
    released.set()


async def test_our_own_cancellation_still_cancels() -> None:
    stopped = asyncio.Event()

    async def run(_: Nothing) -> ToolOutput:
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()
        return ToolOutput("never")

    call = asyncio.create_task(tool(run=run).call({}))
    await asyncio.sleep(0)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert stopped.is_set()


async def test_a_hundred_megabytes_of_text_are_cut_and_say_so() -> None:
    output = await tool(ToolOutput("x" * 100_000_000)).call({})
    assert len(output.text) < MAX_CHARS + 200
    assert output.text.endswith(f"[cut: 100,000,000 characters, of which the first {MAX_CHARS:,} are kept]")


def circle() -> dict[str, Any]:
    data: dict[str, Any] = {}
    data["self"] = data
    return data


@pytest.mark.parametrize(
    ("data", "error"),
    [
        ({"x": "y" * 100_000_000}, OutputTooLarge),
        ({"rows": [[1] * 1000] * 2000}, OutputTooLarge),
        (circle(), OutputTooLarge),
        ({"x": object()}, MalformedOutput),
    ],
    ids=["a long text", "many rows", "a circle", "no JSON"],
)
async def test_data_that_cannot_be_kept_is_refused(data: dict[str, Any], error: type[ToolError]) -> None:
    with pytest.raises(error):
        await tool(ToolOutput("", data)).call({})


@pytest.mark.parametrize("data", [{"x": "y" * 2_000_000}, {"x": object()}], ids=["too large", "no JSON"])
async def test_what_a_writing_tool_did_is_done_whatever_it_gives(data: dict[str, Any]) -> None:
    output = await tool(ToolOutput("written", data), effect="write").call({})
    assert output.text.startswith("written\n[its data is left out: ")
    assert output.data == {}


async def test_something_else_than_an_output_is_refused() -> None:
    with pytest.raises(MalformedOutput, match="a str"):
        await tool("text").call({})


@pytest.mark.parametrize(
    ("output", "empty"),
    [
        (ToolOutput("0 rows", {"columns": ["a"], "rows": []}), True),
        (ToolOutput("1 row", {"columns": ["a"], "rows": [[1]]}), False),
        (ToolOutput(" "), True),
        (ToolOutput("text"), False),
        (ToolOutput("No passages match.", empty=True), True),
    ],
)
def test_finding_nothing_is_seen(output: ToolOutput, empty: bool) -> None:
    assert output.is_empty is empty
