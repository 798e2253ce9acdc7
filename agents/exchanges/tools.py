"""Declared tools whose calls are kept: what they gave may be something else next time."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, TypeVar

from pydantic import BaseModel

from agents.exchanges.calls import RecordedTool
from agents.exchanges.keeping import asker, keeper
from agents.tools.containment import as_ours, out_of_time
from agents.tools.registry import Attempt, Tool, Toolbox, ToolOutput, Verdict
from domain.errors import UnderstudyError

T = TypeVar("T", ToolOutput, Verdict, dict[str, Any])


def kept(tools: Toolbox) -> Toolbox:
    """Return the tools; calls of those that a team declares are told to who keeps them."""
    return Toolbox({name: tool if tool.origin == "built in" else _kept(tool) for name, tool in tools.tools.items()})


def _kept(tool: Tool) -> Tool:
    return replace(
        tool,
        run=_noting(tool, "", tool.run),
        prepare=tool.prepare and _noting(tool, ".prepare", tool.prepare),
        verify=tool.verify and _noting(tool, ".verify", tool.verify),
        undo=tool.undo and _noting(tool, ".undo", tool.undo),
    )


def _noting(tool: Tool, what: str, work: Callable[..., Awaitable[T]]) -> Callable[..., Awaitable[T]]:
    async def noted(asked: BaseModel | Attempt, *more: Any) -> T:
        return await _told(tool, what, asked.args if isinstance(asked, Attempt) else asked, work(asked, *more))

    return noted


async def _told(tool: Tool, what: str, arguments: BaseModel, work: Awaitable[T]) -> T:
    """Return what a tool gives, and tell it, or what it failed of, to who keeps it."""
    keep = keeper()
    if keep is None:
        return await work
    args = arguments.model_dump(mode="json", fallback=str, warnings=False)
    call, started = RecordedTool(tool=tool.name + what, step=asker().step, args=args), time.perf_counter()

    def ended(**fields: Any) -> RecordedTool:
        return call.model_copy(update={"seconds": time.perf_counter() - started, **fields})

    try:
        given = await work
    except asyncio.CancelledError:
        # In the words that a model is told: a replay tells them, too, and its next prompt is the recorded one.
        late = out_of_time(tool.name, tool.timeout)
        await keep(ended(failure=late.code, reason=str(late)))
        raise
    except Exception as error:
        failure = as_ours(error, tool.name)
        await keep(ended(failure=failure.code, reason=str(failure)))
        raise
    await keep(ended(**_fields(tool, given)))
    return given


def _fields(tool: Tool, given: ToolOutput | Verdict | dict[str, Any]) -> dict[str, Any]:
    """Return what is kept of an output: as the tool's caller gets it."""
    match given:
        case Verdict():
            return (_fields(tool, given.output) if given.output else {}) | {"data": {"state": given.state}}
        case dict():
            return {"data": given}
    try:
        output = tool.bounded(given)
    except UnderstudyError as error:
        return {"failure": error.code, "reason": str(error)}
    sources = [source.model_dump(mode="json", exclude_defaults=True) for source in output.sources]
    return {"text": output.text, "data": output.data, "sources": sources, "empty": output.empty}
