"""Event streams: server-sent events made of the stored log, joined again at any number, on any node."""

import json
import re
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Annotated, Any, Literal, NamedTuple

from fastapi import Header, Query
from sse_starlette import EventSourceResponse, ServerSentEvent

from domain.errors import InvalidRequest
from domain.events import RunFinished, Stamped, Whispered, comes_to_rest
from understudy.orchestrator import Orchestrator
from understudy.service.agui import Translator

Form = Literal["understudy", "ag-ui"]
Format = Annotated[
    Form,
    Query(alias="format", description="`ag-ui` tells the events under the names of the AG-UI protocol."),
]
LastEventId = Annotated[
    str | None, Header(description="Number of the last event that was seen; what came after it is told.")
]
AS_STREAM: dict[int | str, dict[str, Any]] = {
    200: {"description": "Events as they come.", "content": {"text/event-stream": {"schema": {"type": "string"}}}}
}
"""How the document describes streams."""
LAST_NUMBER = 10**12 - 1
"""No event has a higher one."""
RETRY_MS = 500
"""How long a client waits before it joins again."""
_SEND_SECONDS = 60.0
"""A client that takes nothing for so long is let go; it can join again."""


class Seen(NamedTuple):
    """Up to where a client has seen a thread."""

    seq: int
    """Number of the last event of which it has seen everything."""
    parts: int = 0
    """How many it has seen of what is told in place of the next one."""


def seen(last_event_id: str | None, after: int) -> Seen:
    """Return up to where a client has seen a thread.

    Raises:
        InvalidRequest: The header holds nothing that this service has given.
    """
    if not last_event_id:
        return Seen(after)
    if not re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,3})?", last_event_id):
        msg = "Last-Event-ID is the id of an event"
        raise InvalidRequest(msg)
    number, _, part = last_event_id.partition(".")
    return Seen(int(number) - 1, int(part) + 1) if part else Seen(int(number))


async def last_seen(orchestrator: Orchestrator, thread: str, place: Seen) -> Stamped | None:
    """Return the last event of which a client has seen something; None where it has seen nothing.

    Raises:
        UnknownThread: The workspace has no such thread.
        InvalidRequest: The thread has no event of this number.
    """
    number = place.seq + bool(place.parts)
    found = await orchestrator.events(thread, after=number - 1, limit=1) if number else []
    if number and not found:
        msg = f"the thread has no event {number}"
        raise InvalidRequest(msg)
    return found[0] if found else None


def is_end(last: Stamped | None, run: str | None) -> bool:
    """Return whether nothing comes after an event of a stream that ends with a run: then nobody is to join it again."""
    return last is not None and last.run == run and isinstance(last.event, RunFinished)


def streamed(
    orchestrator: Orchestrator, thread: str, *, seen: Seen, run: str | None, form: Form, ping: float
) -> EventSourceResponse:
    """Return the answer that tells what happens in a thread.

    Args:
        orchestrator: Of whoever asks.
        thread: The conversation.
        seen: Up to where the client has seen it.
        run: Ends the stream where this run ends, waits for a person or is stopped; None tells for ever.
        form: Under which names.
        ping: Seconds of silence after which a comment is sent.
    """
    told = (
        _translated(orchestrator, thread, seen, run) if form == "ag-ui" else _told(orchestrator, thread, seen.seq, run)
    )
    return EventSourceResponse(
        told, ping=max(1, round(ping)), headers={"X-Accel-Buffering": "no"}, send_timeout=_SEND_SECONDS
    )


async def _told(orchestrator: Orchestrator, thread: str, after: int, run: str | None) -> AsyncIterator[ServerSentEvent]:
    yield _joined()
    async with aclosing(orchestrator.follow(thread, after=after)) as followed:
        async for told in followed:
            number = str(told.seq) if isinstance(told, Stamped) else None
            yield ServerSentEvent(data=_json(told.flat()), event=told.event.type, id=number)
            if _is_stop(told, run):
                return


async def _translated(
    orchestrator: Orchestrator, thread: str, seen: Seen, run: str | None
) -> AsyncIterator[ServerSentEvent]:
    """Tell a thread under other names; the translator hears it from its beginning, whatever was seen of it."""
    translator = Translator()
    yield _joined()
    async with aclosing(orchestrator.follow(thread)) as followed:
        async for told in followed:
            events = translator.translated(told)
            for event in events if isinstance(told, Whispered) else []:
                yield ServerSentEvent(data=_json(event), event=event["type"])
            if isinstance(told, Stamped) and told.seq > seen.seq:
                done = seen.parts if told.seq == seen.seq + 1 else 0
                for part, event in list(enumerate(events))[done:]:
                    number = f"{told.seq}" if part == len(events) - 1 else f"{told.seq}.{part}"
                    yield ServerSentEvent(data=_json(event), event=event["type"], id=number)
                if _is_stop(told, run):
                    return


def _joined() -> ServerSentEvent:
    return ServerSentEvent(comment="joined", retry=RETRY_MS)


def _is_stop(told: Stamped | Whispered, run: str | None) -> bool:
    return run is not None and told.run == run and isinstance(told, Stamped) and comes_to_rest(told.event)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
