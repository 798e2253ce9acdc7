"""The tools of a team as a person looks at them: how they stand, what their sources offer, what is confirmed."""

from typing import NamedTuple

from agents.tools.breaker import BreakerState
from agents.tools.foreign import Definition
from agents.tools.registry import Tool
from agents.tools.reliability import Seen
from agents.tools.supply import Supplied
from domain.errors import InvalidTool, ToolError
from graph.context import Context
from understudy.wiring import House


class Standing(NamedTuple):
    """How a tool stands in a workspace."""

    tool: Tool
    seen: Seen
    expected: float
    """Expected success rate of the next call, 0-1."""
    breaker: BreakerState


class Offer(NamedTuple):
    """What one source of tools offers now."""

    target: str
    definitions: dict[str, Definition]
    problem: str = ""
    """Why it offers nothing."""


class ToolDesk:
    """The tools of the configured team and workspace."""

    def __init__(self, house: House, context: Context) -> None:
        self._house, self._context = house, context

    async def standings(self) -> list[Standing]:
        """Return every tool that a run gets, by name; no server is contacted for one that was seen before."""
        tools = (await self._house.toolbox(self._context)).tools
        return [await self._standing(tool) for _, tool in sorted(tools.items())]

    async def standing(self, name: str) -> Standing:
        """Return one tool, or raise `InvalidTool` with the reason why there is none."""
        tools = (await self._house.toolbox(self._context)).tools
        if name in tools:
            return await self._standing(tools[name])
        for each in await self.checked():
            if each.declaration.name == name:
                msg = f"{name} cannot be used: {each.problem}"
                raise InvalidTool(msg)
        msg = f"there is no tool {name!r:.80}; there are {', '.join(sorted(tools))}"
        raise InvalidTool(msg)

    async def checked(self) -> list[Supplied]:
        """Return every declared tool, its source asked what it says of it now."""
        return await (await self._house.supply(self._context.team)).supplied(self._context.workspace)

    async def offers(self) -> list[Offer]:
        """Return what every server and document of the team offers now."""
        supply = await self._house.supply(self._context.team)
        found = dict[str, Offer]()
        for declaration in supply.declarations:
            if declaration.origin == "function" or declaration.target in found:
                continue
            try:
                found[declaration.target] = Offer(declaration.target, await supply.offers(declaration))
            except (ToolError, InvalidTool) as error:
                found[declaration.target] = Offer(declaration.target, {}, str(error))
        return list(found.values())

    async def confirm(self, name: str) -> Supplied:
        """Take a tool as its source describes it now; return what it was and what it is."""
        return await (await self._house.supply(self._context.team)).confirm(self._context.workspace, name)

    async def _standing(self, tool: Tool) -> Standing:
        reliability = self._house.reliability(self._context.workspace)
        seen = await reliability.seen(tool.name)
        return Standing(tool, seen, await tool.confidence(), reliability.breaker(seen))
