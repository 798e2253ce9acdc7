"""Tools that are made to fail."""

import pytest
from pydantic import BaseModel

from agents.tools.registry import Tool, Toolbox, ToolOutput
from domain.errors import MalformedOutput, ToolCrashed, ToolError, ToolTimeout
from domain.plans import Effect
from evals.tool_faults import TOOL_FAULTS, ToolFaults


class Number(BaseModel):
    n: int


def failing(done: list[int], share: float, effect: Effect = "read", seed: str = "s") -> tuple[ToolFaults, Tool]:
    async def run(parameters: Number) -> ToolOutput:
        done.append(parameters.n)
        return ToolOutput(f"did {parameters.n}")

    faults = ToolFaults(share, seed, timeout=0.02)
    return faults, faults.around(Toolbox.of([Tool("do", "Does it.", Number, run, effect=effect)])).get("do")


async def outcomes(tool: Tool, calls: int) -> list[str]:
    ended = []
    for n in range(calls):
        try:
            ended.append((await tool.call({"n": n})).text)
        except ToolError as error:
            ended.append(type(error).__name__)
    return ended


async def test_a_share_of_the_calls_fails_in_every_way() -> None:
    faults, tool = failing([], 0.5)
    ended = await outcomes(tool, 80)
    kinds = {ToolError, ToolCrashed, ToolTimeout, MalformedOutput}
    assert {text for text in ended if not text.startswith("did")} == {kind.__name__ for kind in kinds}
    assert (faults.calls, set(faults.faults)) == (80, set(TOOL_FAULTS))
    assert faults.faults.total() == pytest.approx(40, abs=15)


async def test_the_same_seed_gives_the_same_faults() -> None:
    first, second, other = (failing([], 0.4, seed=seed)[1] for seed in ("a", "a", "b"))
    assert await outcomes(first, 30) == await outcomes(second, 30) != await outcomes(other, 30)


async def test_nothing_fails_without_a_share() -> None:
    assert await outcomes(failing([], 0)[1], 3) == ["did 0", "did 1", "did 2"]


async def test_a_writing_tool_that_fails_for_sure_has_done_nothing_and_others_may_have() -> None:
    done: list[int] = []
    ended = await outcomes(failing(done, 1.0, "write")[1], 60)
    failed_surely = {n for n, text in enumerate(ended) if text == "ToolError"}
    assert failed_surely
    assert not failed_surely & set(done)
    lost = {n for n, text in enumerate(ended) if text in ("ToolCrashed", "ToolTimeout")}
    assert lost & set(done)
    assert lost - set(done)
