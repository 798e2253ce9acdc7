"""The tools that a team declares, made ready for a workspace: found at their sources, confirmed, called safely."""

import asyncio
import time
from collections.abc import Awaitable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import BaseModel

from agents.tools import openapi, openapi_calls
from agents.tools.declaration import ToolDeclaration
from agents.tools.foreign import Confirmed, Definition, described, plain_schema, require_unchanged
from agents.tools.function import common_fields, function_tool
from agents.tools.json_parameters import parameters_of
from agents.tools.registry import Tool, ToolOutput
from domain.errors import InvalidTool, MalformedOutput, OutputTooLarge, ToolCrashed, ToolError
from memory.records import Records

if TYPE_CHECKING:
    from agents.tools.mcp import McpServer

AGAIN_AFTER = 30.0
"""Seconds after which a source that could not be used is asked again for its tools."""
ASK_SECONDS = 25.0
"""That all sources together may take to tell what they offer."""


class Supplied(NamedTuple):
    """A declared tool and what became of it."""

    declaration: ToolDeclaration
    tool: Tool | None
    """None where it cannot be made."""
    problem: str = ""
    """Why it cannot be made, or cannot be called now."""
    offered: Definition | None = None
    """What its source says of it now."""
    confirmed: Definition | None = None
    """What it said when it was confirmed."""

    @property
    def changed(self) -> bool:
        """Whether the source describes it otherwise than when it was confirmed."""
        return self.offered is not None and self.confirmed is not None and self.offered.digest != self.confirmed.digest


class _Kept(NamedTuple):
    supplied: list[Supplied]
    until: float
    """On the monotonic clock; infinite where nothing is wrong with them."""


class Supply:
    """The declared tools of one team. Servers are started when a tool is first wanted, and shared by workspaces."""

    def __init__(
        self, declarations: Sequence[ToolDeclaration], records: Records, *, environment: Mapping[str, str]
    ) -> None:
        self.declarations = tuple(declarations)
        self._confirmed, self._environment = Confirmed(records), environment
        self._servers: dict[str, McpServer] = {}
        self._documents: dict[str, Mapping[str, Any]] = {}
        self._kept: dict[str, _Kept] = {}
        self._lock = asyncio.Lock()

    async def tools(self, workspace: str) -> list[Tool]:
        """Return the tools that can be made.

        What was confirmed before is not asked for again: its source is held against that when the tool is called.
        """
        async with self._lock:
            kept = self._kept.get(workspace)
            if kept is None or time.monotonic() >= kept.until:
                found = await self._all(workspace, ask=False)
                wrong = any(each.problem for each in found)
                kept = self._kept[workspace] = _Kept(found, time.monotonic() + AGAIN_AFTER if wrong else float("inf"))
        return [each.tool for each in kept.supplied if each.tool is not None]

    async def supplied(self, workspace: str) -> list[Supplied]:
        """Return what became of every declaration, each source asked what it offers now."""
        async with self._lock:
            self._documents.clear()
            return await self._all(workspace, ask=True)

    async def offers(self, declaration: ToolDeclaration) -> dict[str, Definition]:
        """Return everything that a declaration's source offers, by its own names; nothing for a function."""
        match declaration.origin:
            case "mcp":
                return await self._server(declaration).definitions()
            case "openapi":
                return openapi.definitions_in(await self._document(declaration))
        return {}

    async def confirm(self, workspace: str, name: str) -> Supplied:
        """Take a tool as its source describes it now, or raise `InvalidTool`."""
        for each in await self.supplied(workspace):
            if each.declaration.name == name and each.offered is not None:
                await self._confirmed.put(workspace, each.declaration.target, each.offered)
                self._kept.clear()
                return each
        msg = f"there is nothing to confirm: no server or document offers {name!r:.80} now"
        raise InvalidTool(msg)

    async def close(self) -> None:
        """End the servers that were started."""
        await asyncio.gather(*(server.close() for server in self._servers.values()))

    async def _all(self, workspace: str, *, ask: bool) -> list[Supplied]:
        return await asyncio.gather(*(self._made(workspace, each, ask=ask) for each in self.declarations))

    async def _made(self, workspace: str, declaration: ToolDeclaration, *, ask: bool) -> Supplied:
        try:
            if declaration.origin == "function":
                return Supplied(declaration, await asyncio.to_thread(function_tool, declaration))
            confirmed = await self._confirmed.get(workspace, declaration.target, declaration.remote_name)
            if confirmed is not None and not ask:
                return Supplied(declaration, self._tool(declaration, confirmed), confirmed=confirmed)
            return await self._held_against(workspace, declaration, confirmed)
        except InvalidTool as error:
            return Supplied(declaration, None, str(error))

    async def _held_against(
        self, workspace: str, declaration: ToolDeclaration, confirmed: Definition | None
    ) -> Supplied:
        """Return a tool as it was confirmed, with what its source says now; the first sight of it is confirmed."""
        offered, problem = await self._asked(declaration)
        if confirmed is None and offered is not None:
            tool = self._tool(declaration, offered)
            await self._confirmed.put(workspace, declaration.target, offered)  # who wrote the team file chose it
            return Supplied(declaration, tool, offered=offered, confirmed=offered)
        if confirmed is None:
            return Supplied(declaration, None, problem)
        made = Supplied(declaration, self._tool(declaration, confirmed), problem, offered, confirmed)
        return made._replace(problem="it is not described as it was when it was confirmed") if made.changed else made

    async def _asked(self, declaration: ToolDeclaration) -> tuple[Definition | None, str]:
        """Return what a tool's source says of it, or None and why it says nothing."""
        try:
            async with asyncio.timeout(ASK_SECONDS):
                return await self._offered(declaration), ""
        except (ToolError, InvalidTool) as error:
            return None, str(error)
        except TimeoutError:
            return None, f"its source did not answer within {ASK_SECONDS:g} s"

    async def _offered(self, declaration: ToolDeclaration) -> Definition:
        name = declaration.remote_name
        if declaration.origin == "openapi":
            return openapi.definition_of(await self._document(declaration), name)
        offered = await self._server(declaration).definitions()
        if name not in offered:
            msg = f"the server offers no tool {name!r:.80}; it offers {', '.join(sorted(offered))[:500] or 'none'}"
            raise InvalidTool(msg)
        return offered[name]

    def _tool(self, declaration: ToolDeclaration, confirmed: Definition) -> Tool:
        writes = declaration.effect == "write"

        async def run(arguments: BaseModel, key: str = "") -> ToolOutput:
            return await _for_ledger(self._called(declaration, confirmed, arguments.model_dump(), key), writes)

        return Tool(
            declaration.name,
            described(confirmed, declaration.target.split("?")[0][:80], declaration.description),
            parameters_of(declaration.name, plain_schema(confirmed.parameters)),
            run,
            effect=declaration.effect,
            takes_key=writes,
            **common_fields(declaration),
        )

    async def _called(
        self, declaration: ToolDeclaration, confirmed: Definition, arguments: Mapping[str, Any], key: str
    ) -> ToolOutput:
        if declaration.origin == "mcp":
            server = self._server(declaration)
            return await server.call(confirmed, arguments, writes=declaration.effect == "write", key=key)
        document = await self._document(declaration)
        require_unchanged(openapi.definition_of(document, confirmed.name), confirmed)
        return await openapi_calls.call(declaration, confirmed, arguments, self._environment, key)

    def _server(self, declaration: ToolDeclaration) -> "McpServer":
        """Return the server at a target; declarations share it where they also agree in what it is given."""
        from agents.tools.mcp import McpServer  # takes a quarter of a second, which most runs need not spend

        shared = declaration.model_dump_json(include={"target", "secrets", "allow_hosts", "allow_private"})
        if shared not in self._servers:
            self._servers[shared] = McpServer(declaration, self._environment)
        return self._servers[shared]

    async def _document(self, declaration: ToolDeclaration) -> Mapping[str, Any]:
        if declaration.target not in self._documents:
            self._documents[declaration.target] = await openapi.load_document(declaration, self._environment)
        return self._documents[declaration.target]


async def _for_ledger(work: Awaitable[ToolOutput], writes: bool) -> ToolOutput:
    """Return an output; an answer of a writing call that cannot be used says nothing about what the call did."""
    try:
        return await work
    except (OutputTooLarge, MalformedOutput) as error:
        if not writes:
            raise
        msg = f"its answer cannot be used: {error}"
        raise ToolCrashed(msg) from error
