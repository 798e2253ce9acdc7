"""Following a thread over connections that break: nothing is missed, nothing comes twice."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from domain.errors import ServiceAway, ServiceError, UnknownThread
from domain.events import Stamped, Whispered
from understudy.client.calls import Calls, Unanswered
from understudy.client.sse import messages

Told = Stamped | Whispered
_WHISPERED = "text_streamed"
_STAMP = frozenset(Stamped.model_fields) - {"event"}
_STEADY = 5.0
"""Seconds after which a connection has been a good one, also where nothing was told."""


async def followed(calls: Calls, thread: str, *, after: int, begins: bool = False) -> AsyncGenerator[Told]:
    """Yield what is stored in a thread, each event once and in order, and what is whispered meanwhile; never ends.

    Args:
        calls: The server.
        thread: The conversation.
        after: Number of the last event that was seen.
        begins: Whether the thread may be unknown yet, because its first run was only just accepted.

    Raises:
        UnknownThread: The workspace has no such thread.
        ServiceAway: The server was away for longer than the patience lasts.
        ServiceError: It does not tell what can be read.
    """
    patience, missed, loop = calls.patience(), -1, asyncio.get_running_loop()
    while True:
        since = loop.time()
        broken = Unanswered(ServiceAway(f"{calls.place} ended the stream of thread {thread!r} time after time"))
        try:
            async with aclosing(_connected(calls, thread, after)) as stream:
                async for told in stream:
                    if isinstance(told, Stamped):
                        if told.seq <= after:
                            continue
                        if told.seq > after + 1 and missed != after:
                            missed = after  # something was lost on the way; what the log itself lacks is not waited for
                            break
                        after = told.seq
                    patience.well()
                    yield told
        except Unanswered as error:
            broken = error
        except UnknownThread as error:
            if not begins or after:
                raise
            broken = Unanswered(error)
        if loop.time() - since > _STEADY:
            patience.well()
        await patience.pause(broken.failure, least=broken.least)


async def _connected(calls: Calls, thread: str, after: int) -> AsyncGenerator[Told]:
    """Yield what one connection tells."""
    async with calls.opened("threads", thread, "stream", after=after) as chunks:
        async for message in messages(chunks):
            try:
                told = told_by(json.loads(message.data))
            except ValueError as error:
                raise ServiceError(f"{calls.place} does not tell events of a thread") from error
            yield told


def told_by(flat: Any) -> Told:
    """Return what was told from its flat JSON object.

    Raises:
        ServiceError: It is nothing that this version knows.
    """
    try:
        stamp = {name: part for name, part in flat.items() if name in _STAMP}
        event = {name: part for name, part in flat.items() if name not in _STAMP}
        kind = Whispered if event.get("type") == _WHISPERED else Stamped
        return kind.model_validate(stamp | {"event": event})
    except (ValueError, AttributeError) as error:  # pydantic's errors are such
        msg = "the server tells what this version of the client does not know; bring both to the same version"
        raise ServiceError(msg) from error
