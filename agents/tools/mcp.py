"""Tools from MCP servers: a process spoken to over its pipes, or a server spoken to over streamable HTTP.

A server is started when it is first needed and kept. One that has died, or has not answered a call, is started anew at
the next one. What it says of its tools is compared with what was confirmed whenever it is listed again.
"""

import asyncio
import shlex
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any, NamedTuple

import httpx
from langchain_mcp_adapters.sessions import StreamableHttpConnection, create_session
from mcp import ClientSession, McpError
from mcp import types as mcp

from agents.tools.declaration import ToolDeclaration
from agents.tools.foreign import Definition, checked_definition, require_unchanged
from agents.tools.http import guarded_client, secret_values
from agents.tools.registry import ToolOutput
from agents.tools.stdio import Line, piped
from domain.errors import AddressNotAllowed, InvalidTool, MalformedOutput, ToolAway, ToolCrashed, ToolError, ToolRefused
from domain.schemas import misfits

START_SECONDS = 20.0
"""To start, shake hands and list the tools."""
STOP_SECONDS = 8.0
"""To end in good order."""
BROKEN_SECONDS = 2.0
"""To end for one that does not work any more."""
MAX_PAGES = 20
MAX_TOOLS = 1000
KEY_FIELD = "understudy/idempotency-key"
"""Where a call of a writing tool carries its key, in the request's `_meta`."""
_NOT_DONE = frozenset({mcp.METHOD_NOT_FOUND, mcp.INVALID_PARAMS, mcp.INVALID_REQUEST, mcp.PARSE_ERROR})
"""Answers that say that nothing was begun."""
_REFUSED = frozenset({mcp.METHOD_NOT_FOUND, mcp.INVALID_PARAMS})
"""Those of them that the same call would get again."""


class _Live(NamedTuple):
    session: ClientSession
    line: Line
    tools: dict[str, Definition]


class McpServer:
    """One server, for every tool that a team declares on it."""

    def __init__(self, declaration: ToolDeclaration, environment: Mapping[str, str]) -> None:
        """Set up what is started later.

        Args:
            declaration: Of any of its tools; says where it is and which secrets it gets.
            environment: Where the secrets are.
        """
        self.target = declaration.target
        self._declaration, self._environment = declaration, environment
        self._lock = asyncio.Lock()
        self._live: _Live | None = None
        self._task: asyncio.Task[None] | None = None
        self._line = Line()
        self._stop = asyncio.Event()
        self._changed = False
        self._flying = 0
        """Calls that wait for an answer."""

    async def definitions(self) -> dict[str, Definition]:
        """Return what the server offers now, by its own names.

        Raises:
            ToolAway: It cannot be started or reached, or does not answer.
            ToolError: What it says is not of the protocol.
        """
        return (await self._current()).tools

    async def call(
        self, tool: Definition, arguments: Mapping[str, Any], *, writes: bool = False, key: str = ""
    ) -> ToolOutput:
        """Call a tool that is still as it was confirmed.

        Args:
            tool: As it was confirmed.
            arguments: Validated.
            writes: Whether it changes the world, so that a failed call leaves open what it did.
            key: Idempotency key of a writing call.

        Raises:
            ToolChanged: It is not as it was confirmed; nothing was called.
            ToolAway: There is no server; nothing was called.
            ToolRefused: The server does not do such a call, and would not do it the next time.
            ToolError: The server refused the call before it did anything, or a call that does not write failed.
            ToolCrashed: It ended, or answered with an error that leaves open what it did.
        """
        live = await self._current()
        require_unchanged(live.tools.get(tool.name), tool)
        params = mcp.CallToolRequestParams(name=tool.name, arguments=dict(arguments))
        if key:
            params.meta = mcp.RequestParams.Meta.model_validate({KEY_FIELD: key})
        sound, self._flying = False, self._flying + 1
        try:
            request = mcp.ClientRequest(mcp.CallToolRequest(params=params))
            result = await _answered(live, request)
            sound = True
        except McpError as error:
            sound = error.error.code in _NOT_DONE
            message = f"the server refused the call: {error.error.message:.300}"
            refused = ToolRefused if error.error.code in _REFUSED else ToolError
            raise (refused(message) if sound else live.line.fault or ToolCrashed(message)) from error
        finally:
            self._flying -= 1
            if not sound and not self._flying:  # nobody knows what it still does, so the next call gets a fresh one
                live.line.end()
        return _output(result, tool, writes=writes)

    async def close(self) -> None:
        """End the server; the next use starts it again."""
        async with self._lock:
            await self._end()

    async def _current(self) -> _Live:
        async with self._lock:
            if self._live is not None and self._changed and not self._live.line.ended.is_set():
                self._changed = False
                self._live = self._live._replace(tools=await _listed(self._live.session))
            if self._live is None or self._live.line.ended.is_set():
                await self._end()
                self._live = await self._start()
            return self._live

    async def _start(self) -> _Live:
        self._line, self._changed = Line(), False
        ready: asyncio.Future[_Live] = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._serve(ready, self._line))
        ended = asyncio.create_task(self._line.ended.wait())
        some: list[asyncio.Future[Any]] = [self._task, ready, ended]
        await asyncio.wait(some, timeout=START_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        ended.cancel()
        if ready.done():
            return ready.result()
        failure = self._task.exception() if self._task.done() and not self._task.cancelled() else None
        self._line.end()  # whoever has not said hello by now is not asked to go
        await self._end()
        raise _as_tool_error(self.target, self._line.fault or failure)

    async def _end(self) -> None:
        task, live, self._task, self._live = self._task, self._live, None, None
        if task is None:
            return
        if live is None:  # it still waits for an answer of the server
            task.cancel()
        patience = BROKEN_SECONDS if self._line.ended.is_set() else STOP_SECONDS
        self._stop.set()
        await asyncio.wait({task}, timeout=patience)
        task.cancel()
        await asyncio.wait({task}, timeout=BROKEN_SECONDS)
        self._stop = asyncio.Event()
        if task.done() and not task.cancelled():
            task.exception()  # looked at, whatever it is: what matters of it is in the line's fault

    async def _serve(self, ready: "asyncio.Future[_Live]", line: Line) -> None:
        """Hold the server open until it is to end or has ended: what was opened must be closed by the same task."""
        async with self._connected(line) as session:
            await session.initialize()
            ready.set_result(_Live(session, line, await _listed(session)))
            stops = [asyncio.create_task(self._stop.wait()), asyncio.create_task(line.ended.wait())]
            try:
                await asyncio.wait(stops, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for stop in stops:
                    stop.cancel()

    @asynccontextmanager
    async def _connected(self, line: Line) -> AsyncIterator[ClientSession]:
        tool, environment = self._declaration, self._environment
        if not tool.is_url:
            async with (
                piped(shlex.split(tool.target), secret_values(tool, environment), line) as pipes,
                ClientSession(pipes.read, pipes.write, message_handler=self._noted) as session,
            ):
                yield session
            return

        def client(
            headers: dict[str, str] | None = None, timeout: httpx.Timeout | None = None, auth: httpx.Auth | None = None
        ) -> httpx.AsyncClient:
            return guarded_client(tool, environment, timeout=timeout, on_fault=partial(_broken, line))

        connection: StreamableHttpConnection = {
            "transport": "streamable_http",
            "url": tool.target,
            "httpx_client_factory": client,
            "timeout": tool.timeout,
            "session_kwargs": {"message_handler": self._noted},
        }
        async with create_session(connection) as session:
            yield session

    async def _noted(self, message: object) -> None:
        """Hear that the server has other tools now; they are listed again before the next call."""
        if isinstance(message, mcp.ServerNotification) and isinstance(message.root, mcp.ToolListChangedNotification):
            self._changed = True


async def _answered(live: _Live, request: mcp.ClientRequest) -> mcp.CallToolResult:
    """Return the answer to a request, or raise why the server has ended before it came."""
    asking = asyncio.ensure_future(live.session.send_request(request, mcp.CallToolResult))
    ending = asyncio.ensure_future(live.line.ended.wait())
    try:
        both: list[asyncio.Future[Any]] = [asking, ending]
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        if asking.done():
            return asking.result()
        raise live.line.fault or ToolCrashed("the server was ended while it worked")
    finally:
        asking.cancel()
        ending.cancel()
        await asyncio.gather(asking, ending, return_exceptions=True)


def _broken(line: Line, request: httpx.Request, error: Exception) -> None:
    """End the line where a message could not be delivered or answered; the `mcp` package only logs it and waits on."""
    if request.method == "POST":
        line.end(error if isinstance(error, ToolError) else ToolCrashed(f"{type(error).__name__}: {error!s:.300}"))


async def _listed(session: ClientSession) -> dict[str, Definition]:
    found: dict[str, Definition] = {}
    cursor: str | None = None
    for _ in range(MAX_PAGES):
        page = await session.list_tools(params=mcp.PaginatedRequestParams(cursor=cursor))
        for tool in page.tools[: MAX_TOOLS - len(found)]:
            with suppress(InvalidTool):  # one that cannot be used is as good as none
                found[tool.name] = checked_definition(_definition(tool))
        cursor = page.nextCursor
        if cursor is None:
            break
    return found


def _definition(tool: mcp.Tool) -> Definition:
    return Definition(tool.name, tool.description or "", tool.inputSchema, tool.outputSchema, _claims(tool.annotations))


def _claims(hints: mcp.ToolAnnotations | None) -> str:
    """Return in words what a server claims of a tool's effect, defaults of the protocol included."""
    if hints is None:
        return ""
    if hints.readOnlyHint:
        return "read"
    words = ["write", "only adds" if hints.destructiveHint is False else "may destroy"]
    return ", ".join([*words, *(["idempotent"] if hints.idempotentHint else [])])


def _as_tool_error(target: str, failure: BaseException | None) -> ToolError:
    while isinstance(failure, BaseExceptionGroup):
        failure = failure.exceptions[0]
    if isinstance(failure, ToolAway | AddressNotAllowed):
        return failure
    why = f"{type(failure).__name__}: {failure!s:.300}" if failure else f"no answer within {START_SECONDS:g} s"
    return ToolAway(f"the server {target.split()[0]:.200} cannot be used: {why}")


def _output(result: mcp.CallToolResult, definition: Definition, *, writes: bool) -> ToolOutput:
    """Return a server's result as a tool's output.

    Raises:
        ToolError: The call failed; only of a tool that does not write.
        ToolCrashed: A writing call failed, and nobody says whether it changed something.
        MalformedOutput: The data is not what the server declared; only of a tool that does not write.
    """
    text = "\n".join(map(_text, result.content))
    if result.isError:
        msg = f"the server says: {text:.2000}"
        raise ToolCrashed(msg) if writes else ToolError(msg)
    data = dict(result.structuredContent or {})
    if definition.returns is not None and (found := misfits(data, definition.returns)):
        msg = f"the server's data is not what it declares: {'; '.join(found)}"
        if not writes:
            raise MalformedOutput(msg)
        text = f"{text}\n[{msg}]"
    return ToolOutput(text, data)


def _text(block: mcp.ContentBlock) -> str:
    match block:
        case mcp.TextContent():
            return block.text
        case mcp.EmbeddedResource(resource=mcp.TextResourceContents() as resource):
            return resource.text
        case mcp.ResourceLink():
            return f"[{block.name}: {block.uri}]"
        case mcp.ImageContent() | mcp.AudioContent():
            return f"[{block.mimeType}, {len(block.data) * 3 // 4:,} bytes]"
    return f"[{block.type}]"
