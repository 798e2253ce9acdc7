import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict

from agents.tools.breaker import BROKEN_AFTER, REST_SECONDS
from agents.tools.declaration import Level
from agents.tools.registry import PRIORS, Tool, ToolOutput
from agents.tools.reliability import TOOL_SEEN, Reliability, Seen, expected, with_alternatives
from domain.errors import ConstraintViolated, PathNotAllowed, ToolAway, ToolCrashed, ToolError
from memory.records import Records
from memory.sqlite import SqliteRecords


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


class Query(BaseModel):
    model_config = ConfigDict(extra="forbid")

    query: str


class More(Query):
    limit: int = 5


class Worker:
    """Does what it is told next."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.calls = 0
        self.began = asyncio.Event()
        self.gate: asyncio.Event | None = None

    async def __call__(self, _: Query) -> ToolOutput:
        self.calls += 1
        self.began.set()
        if self.gate:
            await self.gate.wait()
        if self.error:
            raise self.error
        return ToolOutput("fine")


@pytest.fixture
async def records(tmp_path: Path) -> AsyncIterator[Records]:
    opened = await SqliteRecords.open(tmp_path / "records.sqlite")
    yield opened
    await opened.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


def look(worker: Worker, level: Level = "MEDIUM") -> Tool:
    return Tool("look", "Looks.", Query, worker, effect="read", level=level)


async def call(tool: Tool) -> str:
    return (await tool.call({"query": "a"})).text


@pytest.mark.parametrize(("level", "mean"), [("HIGH", 0.9), ("MEDIUM", 0.8), ("LOW", 0.6), ("EXPERIMENTAL", 0.5)])
async def test_a_level_is_what_is_expected_before_anything_was_measured(level: Level, mean: float) -> None:
    assert await look(Worker(), level).confidence() == pytest.approx(mean)
    assert expected(level, Seen()) == pytest.approx(mean)
    assert set(PRIORS) == {"HIGH", "MEDIUM", "LOW", "EXPERIMENTAL"}


async def test_what_is_measured_moves_what_is_expected(records: Records, clock: Clock) -> None:
    worker, reliability = Worker(), Reliability(records, "acme", clock)
    tool = reliability.watched(look(worker, "EXPERIMENTAL"))
    for _ in range(8):
        await call(tool)
    assert await tool.confidence() > 0.85
    worker.error = ToolError("no such page")
    for _ in range(8):
        with pytest.raises(ToolError):
            await call(tool)
    assert 0.3 < await tool.confidence() < 0.6
    seen = await reliability.seen("look")
    assert (seen.calls, seen.breakdowns) == (16, 0)


async def test_each_workspace_has_its_own_measures(records: Records, clock: Clock) -> None:
    await call(Reliability(records, "acme", clock).watched(look(Worker())))
    assert (await Reliability(records, "other", clock).seen("look")).calls == 0


async def test_what_lies_long_back_counts_less() -> None:
    entry = None
    for good in [0] * 100 + [1] * 300:
        entry = TOOL_SEEN.join(entry, {"good": good, "seconds": 0.0, "broke": False, "time": 0.0})
    assert entry is not None
    assert expected("LOW", Seen(**entry)) > 0.95


@pytest.mark.parametrize("error", [PathNotAllowed("x"), ConstraintViolated("x")])
async def test_a_refusal_is_not_the_tools_failure(records: Records, clock: Clock, error: ToolError) -> None:
    worker, reliability = Worker(), Reliability(records, "acme", clock)
    worker.error = error
    with pytest.raises(type(error)):
        await call(reliability.watched(look(worker)))
    assert (await reliability.seen("look")).calls == 0


async def broken(worker: Worker, tool: Tool) -> None:
    worker.error = ZeroDivisionError("x")
    for _ in range(BROKEN_AFTER):
        with pytest.raises(ToolCrashed):
            await call(tool)
    worker.calls = 0


async def test_a_broken_tool_rests_and_one_trial_closes_it_again(records: Records, clock: Clock) -> None:
    worker = Worker()
    tool = Reliability(records, "acme", clock).watched(look(worker))
    await broken(worker, tool)
    with pytest.raises(ToolAway, match="look broke down 3 times in a row and is left alone for another 30 s"):
        await call(tool)
    assert worker.calls == 0
    clock.now += REST_SECONDS
    worker.error = None
    assert await call(tool) == "fine"
    assert await call(tool) == "fine"


async def test_a_trial_that_fails_doubles_the_rest(records: Records, clock: Clock) -> None:
    worker = Worker()
    tool = Reliability(records, "acme", clock).watched(look(worker))
    await broken(worker, tool)
    clock.now += REST_SECONDS
    with pytest.raises(ToolCrashed):
        await call(tool)
    with pytest.raises(ToolAway, match="another 60 s"):
        await call(tool)


async def test_only_one_call_is_the_trial(records: Records, clock: Clock) -> None:
    worker = Worker()
    here, there = (Reliability(records, "acme", clock).watched(look(worker)) for _ in range(2))
    await broken(worker, here)
    clock.now += REST_SECONDS
    worker.error, worker.gate, worker.began = None, asyncio.Event(), asyncio.Event()
    trial = asyncio.create_task(call(here))
    await asyncio.wait_for(worker.began.wait(), 5)
    with pytest.raises(ToolAway, match="somebody else's trial"):
        await call(there)
    worker.gate.set()
    assert await trial == "fine"
    assert worker.calls == 1


async def test_a_time_out_is_a_breakdown(records: Records, clock: Clock) -> None:
    worker, reliability = Worker(), Reliability(records, "acme", clock)
    worker.gate = asyncio.Event()
    with pytest.raises(ToolError, match="did not answer within"):
        await call(reliability.watched(replace(look(worker), timeout=0.01)))
    assert (await reliability.seen("look")).breakdowns == 1


async def test_tools_of_one_capability_stand_in_for_each_other(records: Records, clock: Clock) -> None:
    reliability = Reliability(records, "acme", clock)
    good, bad = Worker(), Worker()
    bad.error = ToolError("x")

    def like(name: str, worker: Worker, **more: Any) -> Tool:
        return reliability.watched(replace(look(worker), name=name, **({"capability": "search"} | more)))

    tools = {
        tool.name: tool
        for tool in (
            like("a", good, alternatives=("declared",)),
            like("b", bad),
            like("c", good, parameters=More),
            like("declared", good, capability=None),
            like("writes", good, effect="write"),
        )
    }
    with pytest.raises(ToolError):
        await call(tools["b"])
    await call(tools["c"])
    found = await with_alternatives(tools)
    assert found["a"].alternatives == ("declared", "c", "b")
    assert found["c"].alternatives == ()  # nobody else takes its limit
    assert found["writes"].alternatives == ()
