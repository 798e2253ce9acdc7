"""Reading event streams in tests."""

import json
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import httpx


class Event(NamedTuple):
    """One server-sent event."""

    id: str | None
    type: str
    data: dict[str, Any]


async def events_of(response: httpx.Response) -> AsyncIterator[Event]:
    """Yield the events of a stream as they come."""
    fields: dict[str, str] = {}
    async for line in response.aiter_lines():
        if not line:
            if "data" in fields:
                yield Event(fields.get("id"), fields.get("event", "message"), json.loads(fields["data"]))
            fields = {}
        elif not line.startswith(":"):
            name, _, value = line.partition(": ")
            fields[name] = value


async def all_events(client: httpx.AsyncClient, method: str, url: str, **given: Any) -> list[Event]:
    """Return the events of a stream that ends."""
    async with client.stream(method, url, **given) as response:
        assert response.status_code == 200, await response.aread()
        return [event async for event in events_of(response)]
