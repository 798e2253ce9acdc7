"""Tools that fail now and then: seeded random faults around the real ones."""

import asyncio
import json
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import BaseModel

from agents.tools.registry import Tool, Toolbox
from domain.errors import ToolError

TOOL_FAULTS = ("error", "crash", "hang", "malformed")
AFTERWARDS = 0.5
"""Share of the crashes and hangs of writing tools that come when the work is done: only the answer is lost."""


@dataclass
class ToolFaults:
    """The faults of one run's tools.

    Whether a call fails depends on the seed, the tool, its arguments, and how often it was called so before.
    """

    share: float
    """Of the calls, 0-1, that fail."""
    seed: str
    timeout: float
    """Seconds that a tool has; one that hangs uses them up."""
    calls: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    _called: Counter[str] = field(default_factory=Counter, repr=False)

    def around(self, tools: Toolbox) -> Toolbox:
        """Return the same tools, failing now and then."""
        return Toolbox.of(replace(tool, run=self._faulty(tool), timeout=self.timeout) for tool in tools.tools.values())

    def _faulty(self, tool: Tool) -> Callable[..., Awaitable[Any]]:
        async def run(parameters: BaseModel, *key: str) -> Any:
            dice = self._dice(tool, parameters)
            self.calls += 1
            if dice.random() >= self.share:
                return await tool.run(parameters, *key)
            fault = dice.choice(TOOL_FAULTS)
            self.faults[fault] += 1
            if tool.effect == "write" and (fault == "malformed" or (fault != "error" and dice.random() < AFTERWARDS)):
                await tool.run(parameters, *key)
            return await _failed(fault, 10 * self.timeout)

        return run

    def _dice(self, tool: Tool, parameters: BaseModel) -> random.Random:
        call = f"{tool.name}:{json.dumps(parameters.model_dump(mode='json'), sort_keys=True)}"
        self._called[call] += 1
        return random.Random(f"{self.seed}:{call}:{self._called[call]}")


async def _failed(fault: str, seconds: float) -> Any:
    """Fail, or return something that is no output of a tool."""
    match fault:
        case "error":
            msg = "the service behind it is out of order"
            raise ToolError(msg)
        case "crash":
            msg = "unexpected end of stream"
            raise RuntimeError(msg)
        case "hang":
            await asyncio.sleep(seconds)
    return "502 Bad Gateway"
