"""What tests ask of conversations over HTTP."""

import asyncio
from typing import Any

import httpx


async def stored_events(api: httpx.AsyncClient, thread: str) -> list[dict[str, Any]]:
    return list((await api.get(f"/threads/{thread}/events")).json()["events"])


async def until_told(api: httpx.AsyncClient, thread: str, kind: str, *, times: int = 1) -> None:
    """Wait until a thread has told something so often."""
    while True:
        answer = await api.get(f"/threads/{thread}/events")
        if [event["type"] for event in answer.json().get("events", [])].count(kind) >= times:
            return
        await asyncio.sleep(0.01)


async def asked_at(api: httpx.AsyncClient, thread: str) -> int:
    return max(int(event["seq"]) for event in await stored_events(api, thread) if event["type"] == "approval_requested")


async def said_in(api: httpx.AsyncClient, thread: str) -> list[str]:
    """Return what a person said in a thread, as it stands in the conversation."""
    messages = (await api.get(f"/threads/{thread}/state")).json()["values"]["messages"]
    return [message["content"] for message in messages if message["type"] == "human"]
