"""How reliable tools are: what was declared, moved by what was measured in the workspace; and who rests for now.

The success rate has a Beta prior from the declared level; each call counts, older ones less (discounted Beta as in
Raj & Kalyani, "Taming Non-stationary Bandits", arXiv:1707.09727). What is measured lies in the records, so that it
holds for every process of the workspace.
"""

import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import NamedTuple

from agents.tools.breaker import BreakerState, rest, state_of
from agents.tools.declaration import Level
from agents.tools.registry import PRIORS, Tool, ToolOutput, schema_of
from domain import errors
from domain.errors import StorageAway, StorageError, ToolAway, ToolError
from memory.records import Merge, Records, Value
from memory.workspaces import checked_workspace

DISCOUNT = 0.99
"""What a call weighs after each later one: about the last hundred count."""
TRIAL_GRACE = 10.0
"""Seconds beyond a tool's time after which a trial counts as given up."""

BREAKDOWNS = frozenset(
    kind.code
    for kind in (errors.ToolTimeout, errors.ToolCrashed, errors.ToolAway, errors.MalformedOutput, errors.OutputTooLarge)
)
"""Failures that say that the tool is broken; only these open the breaker."""
FAILURES = BREAKDOWNS | {ToolError.code}
"""Failures that are the tool's; a refused argument, path or address is not."""


class Seen(NamedTuple):
    """What was measured of a tool in a workspace."""

    calls: int = 0
    weight: float = 0.0
    """Calls, older ones counting less."""
    good: float = 0.0
    """Those that did what they should, with the same weights."""
    seconds: float = 0.0
    """Sum over the weighted calls."""
    breakdowns: int = 0
    """In a row, up to now."""
    since: float = 0.0
    """Unix time of the latest call."""

    def breaker(self, now: float) -> BreakerState:
        """Return whether it may be called."""
        return state_of(self.breakdowns, self.since, now)


def _joined(entry: Value | None, change: Value) -> Value:
    known = Seen(**entry) if entry else Seen()
    return Seen(
        calls=known.calls + 1,
        weight=known.weight * DISCOUNT + 1,
        good=known.good * DISCOUNT + change["good"],
        seconds=known.seconds * DISCOUNT + change["seconds"],
        breakdowns=known.breakdowns + 1 if change["broke"] else 0,
        since=change["time"],
    )._asdict()


TOOL_SEEN = Merge("tool_seen", _joined)


def expected(level: Level, seen: Seen) -> float:
    """Return the expected success rate of the next call, 0-1: the mean of the Beta distribution."""
    successes, failures = PRIORS[level]
    return (successes + seen.good) / (successes + failures + seen.weight)


class Reliability:
    """Measures the tools of a workspace and keeps broken ones from being called."""

    def __init__(self, records: Records, workspace: str, clock: Callable[[], float]) -> None:
        self._records, self._clock = records, clock
        self._workspace = checked_workspace(workspace)

    async def seen(self, name: str) -> Seen:
        """Return what was measured of a tool; nothing while the records are away."""
        with suppress(StorageAway):
            if value := await self._records.get(f"tool_seen:{self._workspace}:{name}"):
                return Seen(**value)
        return Seen()

    def breaker(self, seen: Seen) -> BreakerState:
        """Return whether a tool may be called now."""
        return seen.breaker(self._clock())

    def watched(self, tool: Tool) -> Tool:
        """Return the tool measured: its calls are counted, its confidence moves, and it rests when it is broken."""

        async def watch(work: Callable[[], Awaitable[ToolOutput]]) -> ToolOutput:
            trial = await self._admitted(tool)
            try:
                return await self._measured(tool, work)
            finally:
                if trial:
                    with suppress(StorageError):
                        await self._records.delete(self._trial(tool.name))

        async def confidence() -> float:
            return expected(tool.level, await self.seen(tool.name))

        return replace(tool, watch=watch, measured=confidence)

    async def _admitted(self, tool: Tool) -> bool:
        """Return whether the call is the one trial of a broken tool; raise `ToolAway` where it must not be made."""
        seen = await self.seen(tool.name)
        now = self._clock()
        state = seen.breaker(now)
        if state == "closed":
            return False
        with suppress(StorageAway):
            claim = self._trial(tool.name), None, {"time": now}
            if state == "half_open" and await self._records.compare_and_set(*claim, ttl=tool.timeout + TRIAL_GRACE):
                return True
        left = max(0.0, seen.since + rest(seen.breakdowns) - now)
        after = f"for another {left:.0f} s" if state == "open" else "until somebody else's trial call has ended"
        msg = f"{tool.name} broke down {seen.breakdowns} times in a row and is left alone {after}"
        raise ToolAway(msg)

    async def _measured(self, tool: Tool, work: Callable[[], Awaitable[ToolOutput]]) -> ToolOutput:
        began = time.monotonic()
        try:
            output = await work()
        except ToolError as error:
            if error.code in FAILURES:
                await self._note(tool.name, time.monotonic() - began, error.code)
            raise
        await self._note(tool.name, time.monotonic() - began, None)
        return output

    async def _note(self, name: str, seconds: float, code: str | None) -> None:
        change = {"good": int(code is None), "seconds": seconds, "broke": code in BREAKDOWNS, "time": self._clock()}
        with suppress(StorageError):  # what a tool did is worth more than the count of it
            await self._records.merge(f"tool_seen:{self._workspace}:{name}", change, TOOL_SEEN)

    def _trial(self, name: str) -> str:
        return f"tool_trial:{self._workspace}:{name}"


async def with_alternatives(tools: Mapping[str, Tool]) -> dict[str, Tool]:
    """Return the tools, each knowing those that can stand in for it.

    What is declared comes first, then tools of the same capability that take the same arguments, the most reliable
    first. A tool that writes neither has nor is an alternative.
    """
    usable = {name: tool for name, tool in tools.items() if tool.effect != "write"}
    found = dict(tools)
    for name, tool in usable.items():
        likes = [other for other in usable.values() if other.name != name and _stands_in(other, tool)]
        ranked = sorted([(-await other.confidence(), other.name) for other in likes])
        names = dict.fromkeys([*tool.alternatives, *(other for _, other in ranked)])
        found[name] = replace(tool, alternatives=tuple(names))
    return found


def _stands_in(other: Tool, tool: Tool) -> bool:
    if tool.capability is None or other.capability != tool.capability:
        return False
    theirs, ours = schema_of(other.parameters), schema_of(tool.parameters)
    names = set(ours.get("properties", {}))
    return names <= set(theirs.get("properties", {})) and set(theirs.get("required", [])) <= names
