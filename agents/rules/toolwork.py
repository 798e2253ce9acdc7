"""Calling tools on behalf of a step, so that every call is seen."""

import time
from typing import Any

from agents.contracts import Assignment
from agents.tools.registry import ToolOutput
from domain.errors import ToolError
from domain.events import ToolCalled, ToolReturned
from domain.outcomes import Failure


async def use(request: Assignment, name: str, /, **args: Any) -> ToolOutput:
    """Call one of the specialist's tools and emit the call and its end; a `ToolError` goes on to the caller."""
    tool, step = request.tools.get(name), request.step.id
    request.emit(ToolCalled(step=step, tool=name, args=args))
    started = time.perf_counter()
    try:
        output = await tool.call(args)
    except ToolError as error:
        failure = Failure(code=error.code, message=str(error))
        request.emit(ToolReturned(step=step, tool=name, seconds=time.perf_counter() - started, failure=failure))
        raise
    seconds = time.perf_counter() - started
    request.emit(ToolReturned(step=step, tool=name, seconds=seconds, summary=output.text[:200]))
    return output


def has(request: Assignment, *names: str) -> bool:
    """Tell whether the specialist has all of these tools."""
    return all(name in request.tools.tools for name in names)


def materials(request: Assignment, kind: str) -> list[str]:
    """Return the names of the materials of a kind (`document` or `table`)."""
    return [material.name for material in request.briefing.at_hand if material.kind == kind]
