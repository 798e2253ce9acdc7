"""The pipes to an MCP server that runs as a process of our own: messages are lines of bounded length.

The `mcp` package's own transport keeps a line of any length and hands the server's error output to the terminal.
"""

import asyncio
import os
import signal
import sys
from collections import deque
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.client.stdio import get_default_environment
from mcp.shared.message import SessionMessage
from mcp.types import JSONRPCMessage
from pydantic import ValidationError

from domain.errors import MalformedOutput, OutputTooLarge, ToolAway, ToolCrashed, ToolError

T = TypeVar("T")

MAX_MESSAGE_BYTES = 8_000_000
STOP_SECONDS = 2.0
"""That a process has to end after its input was closed, and again after SIGTERM."""
_STDERR_LINES = 5
_STDERR_CHARS = 300


@dataclass
class Line:
    """Whether a server can still be spoken to."""

    ended: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when it is not to be used any more."""
    fault: ToolError | None = None
    """Why, where it was not our own wish."""

    def end(self, fault: ToolError | None = None) -> None:
        """Say that it cannot be used any more; the first reason counts."""
        self.fault = self.fault or fault
        self.ended.set()


class Pipes(NamedTuple):
    """The messages of a running server."""

    read: MemoryObjectReceiveStream[SessionMessage | Exception]
    write: MemoryObjectSendStream[SessionMessage]


@asynccontextmanager
async def piped(command: Sequence[str], secrets: Mapping[str, str], line: Line) -> AsyncIterator[Pipes]:
    """Run a server for the length of the block.

    Its environment is what any program needs to start and `secrets`; nothing else of ours is handed to it. `python` is
    the interpreter that we run on, whose packages a server in Python may need. What ends it ends `line`, and one whose
    line has ended is not asked to end by itself.

    Raises:
        ToolAway: It cannot be started.
    """
    try:
        # Not cut short by a lack of patience: a process that is half started would be left to itself.
        process, cancelled = await _in_full(_started(command, secrets))
    except OSError as error:
        msg = f"{command[0]!r:.100} cannot be started: {error.strerror or error}"
        raise ToolAway(msg) from error
    incoming, read = anyio.create_memory_object_stream[SessionMessage | Exception](0)
    write, outgoing = anyio.create_memory_object_stream[SessionMessage](0)
    said = deque[str](maxlen=_STDERR_LINES)
    errors = asyncio.create_task(_keep_errors(process, said))
    tasks = [
        asyncio.create_task(_hear(process, incoming, line, said, errors)),
        asyncio.create_task(_speak(process, outgoing)),
        errors,
    ]
    try:
        if cancelled is not None:
            line.end()
            raise cancelled
        yield Pipes(read, write)
    finally:
        for task in tasks[:2]:
            task.cancel()
        try:
            await _asked_to_end(process, at_once=line.ended.is_set())
        finally:
            _, cut_short = await _in_full(_ended(process, tasks))
            for stream in (incoming, read, write, outgoing):
                stream.close()
        if cut_short is not None:
            raise cut_short


async def _started(command: Sequence[str], secrets: Mapping[str, str]) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable if command[0] == "python" else command[0], *command[1:]),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=get_default_environment() | dict(secrets),
        limit=MAX_MESSAGE_BYTES,
        start_new_session=True,
    )


async def _in_full(work: Coroutine[Any, Any, T]) -> tuple[T, asyncio.CancelledError | None]:
    """Return what work comes to, and the cancellation that came meanwhile, which did not cut it short.

    anyio's shields hold off its own cancellations, and not those of asyncio's tasks.
    """
    task, cancelled = asyncio.create_task(work), None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as error:
            cancelled = error
    return task.result(), cancelled


async def _hear(
    process: asyncio.subprocess.Process,
    incoming: MemoryObjectSendStream[SessionMessage | Exception],
    line: Line,
    said: deque[str],
    errors: asyncio.Task[None],
) -> None:
    assert process.stdout is not None
    try:
        with incoming:
            while text := await process.stdout.readuntil():
                await incoming.send(SessionMessage(JSONRPCMessage.model_validate_json(text)))
    except asyncio.LimitOverrunError:
        line.end(OutputTooLarge(f"the server sent a message of more than {MAX_MESSAGE_BYTES:,} bytes"))
    except (ValidationError, ValueError):
        line.end(MalformedOutput("the server sent something that is not a message of the protocol"))
    except (asyncio.IncompleteReadError, anyio.BrokenResourceError, anyio.ClosedResourceError):
        await asyncio.wait({errors}, timeout=STOP_SECONDS)  # its last words may come after its end
        last = " / ".join(said)
        line.end(ToolCrashed(f"the server ended{f': {last}' if last else ''}"))


async def _speak(process: asyncio.subprocess.Process, outgoing: MemoryObjectReceiveStream[SessionMessage]) -> None:
    assert process.stdin is not None
    with outgoing, suppress(ConnectionError, anyio.ClosedResourceError):  # its end is seen by who listens
        async for message in outgoing:
            text = message.message.model_dump_json(by_alias=True, exclude_none=True)
            process.stdin.write(text.encode() + b"\n")
            await process.stdin.drain()


async def _keep_errors(process: asyncio.subprocess.Process, said: deque[str]) -> None:
    """Keep the last lines of what the server complains about; it must be read, or the server would wait for that."""
    assert process.stderr is not None
    while chunk := await process.stderr.read(65_536):
        lines = chunk.decode(errors="replace").splitlines()
        said.extend(line.strip()[:_STDERR_CHARS] for line in lines if line.strip())


async def _asked_to_end(process: asyncio.subprocess.Process, *, at_once: bool) -> None:
    """Ask a server to end: by closing its input, then by SIGTERM.

    Args:
        process: The leader of a process group.
        at_once: Whether nobody is asked, because it is broken or hangs.
    """
    assert process.stdin is not None
    process.stdin.close()
    if not at_once:
        await _waited(process)
        _signalled(process, signal.SIGTERM)
        await _waited(process)


async def _ended(process: asyncio.subprocess.Process, tasks: Sequence[asyncio.Task[None]]) -> None:
    """End a server and what it has started, with who listens to it; what was killed takes a moment to be gone."""
    assert process.stdout is not None
    _signalled(process, signal.SIGKILL)
    await _waited(process)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    with suppress(TimeoutError):  # its pipe closes when everything was read
        async with asyncio.timeout(STOP_SECONDS):
            while await process.stdout.read(1 << 20):
                pass


async def _waited(process: asyncio.subprocess.Process) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(process.wait(), STOP_SECONDS)


def _signalled(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    """Signal the whole group; one that has ended left nothing but perhaps processes that it had started."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)
