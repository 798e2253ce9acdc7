"""Where the code of tools runs: bounded in time and size, and unable to take the process down with it.

A tool runs in a task of its own. What it raises ends there and becomes one of `domain.errors`, `SystemExit` and
`KeyboardInterrupt` included; a tool that does not stop when it is cancelled is left behind.
"""

import asyncio
from collections.abc import Awaitable, Mapping
from typing import Any, TypeVar

from pydantic_core import PydanticSerializationError, to_jsonable_python

from domain.errors import MalformedOutput, OutputTooLarge, ToolCrashed, ToolTimeout, UnderstudyError

T = TypeVar("T")

STOP_SECONDS = 1.0
"""What a tool has to tidy up when its time is over or its run is cancelled."""
MAX_CHARS = 1_000_000
"""Characters of text, and of data as JSON, that one output may have."""


async def contained(work: Awaitable[T], name: str, seconds: float) -> T:
    """Return what a tool gives.

    Args:
        work: The tool's work, not yet begun.
        name: The tool, for messages.
        seconds: The time it has.

    Raises:
        ToolTimeout: It did not end in time, or says so itself.
        ToolCrashed: It raised something that is not one of our errors, or tried to end the process.
        UnderstudyError: What it raised on purpose.
    """
    task = asyncio.ensure_future(_kept_inside(work, name))
    try:
        await asyncio.wait({task}, timeout=seconds)
    except asyncio.CancelledError:
        await _stopped(task)
        raise
    if not task.done():
        await _stopped(task)
        raise out_of_time(name, seconds)
    return _outcome(task, name)


def out_of_time(name: str, seconds: float) -> ToolTimeout:
    """Return what a tool ends with that does not end in time."""
    return ToolTimeout(f"{name} did not answer within {seconds:g} s")


async def _kept_inside(work: Awaitable[T], name: str) -> T:
    try:
        return await work
    except (SystemExit, KeyboardInterrupt) as error:  # a task that raises these would end the event loop
        raise _crash(name, error) from error


async def _stopped(task: "asyncio.Task[Any]") -> None:
    """Cancel a task and wait a moment for it; its outcome is of no interest any more."""
    task.cancel()
    await asyncio.wait({task}, timeout=STOP_SECONDS)
    task.add_done_callback(lambda ended: ended.cancelled() or ended.exception())


def _outcome(task: "asyncio.Task[T]", name: str) -> T:
    if task.cancelled():  # nobody here cancelled it
        msg = f"{name} broke down: it cancelled itself"
        raise ToolCrashed(msg)
    error = task.exception()
    if error is None:
        return task.result()
    if isinstance(error, UnderstudyError):
        raise error
    raise as_ours(error, name) from error


def as_ours(error: BaseException, name: str) -> UnderstudyError:
    """Return what a tool raised as one of our errors."""
    if isinstance(error, UnderstudyError):
        return error
    return ToolTimeout(f"{name} did not answer in time") if isinstance(error, TimeoutError) else _crash(name, error)


def _crash(name: str, error: BaseException) -> ToolCrashed:
    return ToolCrashed(f"{name} broke down: {type(error).__name__}: {error!s:.500}")


def cut(text: str) -> str:
    """Return a text of at most `MAX_CHARS` characters; one that was cut says so."""
    if len(text) <= MAX_CHARS:
        return text
    return f"{text[:MAX_CHARS]}\n[cut: {len(text):,} characters, of which the first {MAX_CHARS:,} are kept]"


def checked_data(data: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return an output's data as JSON.

    Raises:
        OutputTooLarge: It is larger than `MAX_CHARS`, or nested without end.
        MalformedOutput: It holds something that is not JSON.
    """
    if _exceeds(data, MAX_CHARS):
        msg = f"{name} gave more than {MAX_CHARS:,} characters of data; ask for less"
        raise OutputTooLarge(msg)
    try:
        return dict(to_jsonable_python(data, inf_nan_mode="null"))
    except (PydanticSerializationError, ValueError, RecursionError) as error:
        msg = f"{name} gave data that is not JSON: {error!s:.200}"
        raise MalformedOutput(msg) from error


def _exceeds(data: Any, limit: int) -> bool:
    """Return whether a value is larger than `limit`, looking no further than that.

    Without recursion, as the value may nest deeply or hold itself.
    """
    left, waiting = limit, [data]
    while waiting and left >= 0:
        value = waiting.pop()
        left -= 1
        if isinstance(value, str | bytes):
            left -= len(value)
        elif isinstance(value, Mapping):
            left -= len(value)
            waiting += [part for item in list(value.items())[: left + 1] for part in item] if left > 0 else []
        elif isinstance(value, list | tuple | set | frozenset):
            waiting += list(value)[: left + 1] if left > 0 else []
    return left < 0
