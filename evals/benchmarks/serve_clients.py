"""A client of the service's streams that is never restarted by hand, and counts what it misses or hears twice.

It says what it wants with an idempotency key, and joins again with the number of the last event that it has seen, at
the next API process where one does not answer.
"""

import asyncio
import json
import time
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import httpx

LAST = {"run_finished", "approval_requested", "run_stopped"}
"""Types of the events with which a run comes to rest."""
PATIENCE_SECONDS = 120.0
"""After so long without a new event a client gives up: somebody would have to restart it."""
_PAUSE = 0.3
_WARM_ROUNDS, _WARM_AT_ONCE = 3, 8
_STALE = {httpx.codes.CONFLICT, httpx.codes.NOT_FOUND, httpx.codes.TOO_MANY_REQUESTS}
"""What is answered while another process is about to begin the run."""


class GivenUp(Exception):
    """A client saw nothing new for too long."""


class Turn(NamedTuple):
    """What became of one message."""

    seconds: float
    """From sending it until the end of its run was heard."""
    first: float
    """Until the first event was heard."""
    events: list[dict[str, Any]]
    """The stored ones."""
    joined: int
    """How often the client had to join again."""

    @property
    def status(self) -> str:
        """How the run ended; where it did not end, the last event's type."""
        last = self.events[-1]
        return str(last["outcome"]["status"]) if last["type"] == "run_finished" else str(last["type"])

    @property
    def calls(self) -> list[dict[str, Any]]:
        """The model's calls."""
        return [event for event in self.events if event["type"] == "model_called"]

    @property
    def model_seconds(self) -> float:
        """What the model took on the way from the message to the end: steps side by side count once."""
        alone = sum(call["seconds"] for call in self.calls if call["step"] is None)
        spans = sorted((call["time"] - call["seconds"], call["time"]) for call in self.calls if call["step"])
        until = 0.0
        for begin, end in spans:
            alone += max(0.0, end - max(begin, until))
            until = max(until, end)
        return float(alone)


@dataclass
class Session:
    """One conversation."""

    http: httpx.AsyncClient
    urls: Sequence[str]
    """The API processes, the preferred one first."""
    thread: str = field(default_factory=lambda: uuid.uuid4().hex[:12])
    seen: int = 0
    """Number of the last event."""
    missed: int = 0
    """Events whose number was left out."""
    twice: int = 0
    """Events that came again."""
    joined: int = 0
    _at: int = 0

    async def say(self, message: str) -> Turn:
        """Say something, and return what came of it.

        Raises:
            GivenUp: Nothing new came for too long.
        """
        key, began, joined = uuid.uuid4().hex, time.perf_counter(), self.joined
        events: list[dict[str, Any]] = []
        first, heard = 0.0, time.monotonic()
        while not events or events[-1]["type"] not in LAST:
            try:
                async for event in self._connected(message, key, run=events[0]["run"] if events else None):
                    first = first or time.perf_counter() - began
                    heard = time.monotonic()
                    if self._is_new(event):
                        events.append(event)
            except httpx.HTTPError:
                self._at += 1
            if not events or events[-1]["type"] not in LAST:
                self.joined += 1
                if time.monotonic() - heard > PATIENCE_SECONDS:
                    raise GivenUp(f"thread {self.thread} heard nothing after event {self.seen}")
                await asyncio.sleep(_PAUSE)
        return Turn(time.perf_counter() - began, first, events, self.joined - joined)

    async def join(self, *, after: int, at: str) -> AsyncGenerator[dict[str, Any]]:
        """Follow the conversation from a number on at one API process, and yield its stored events."""
        request = self.http.stream("GET", f"{at}/threads/{self.thread}/stream", headers={"Last-Event-ID": str(after)})
        async with request as answer:
            answer.raise_for_status()
            async for event in _stored(answer):
                yield event

    async def _connected(self, message: str, key: str, *, run: str | None) -> AsyncIterator[dict[str, Any]]:
        """Yield the stored events that one connection tells; nothing where it is too early."""
        at, headers = self.urls[self._at % len(self.urls)], {"Last-Event-ID": str(self.seen)} if self.seen else {}
        if run is None:
            body = {"message": message, "thread": self.thread}
            request = self.http.stream("POST", f"{at}/chat/stream", json=body, headers={"Idempotency-Key": key})
        else:
            where = f"{at}/threads/{self.thread}/stream"
            request = self.http.stream("GET", where, params={"run": run}, headers=headers)
        async with request as answer:
            if answer.status_code in _STALE:
                return
            answer.raise_for_status()
            async for event in _stored(answer):
                yield event

    def _is_new(self, event: dict[str, Any]) -> bool:
        number = event["seq"]
        if number <= self.seen:
            self.twice += 1
            return False
        self.missed += number - self.seen - 1
        self.seen = number
        return True


async def _stored(answer: httpx.Response) -> AsyncIterator[dict[str, Any]]:
    """Yield the events of a stream that have a number."""
    numbered = False
    async for line in answer.aiter_lines():
        if line.startswith("id:"):
            numbered = True
        elif line.startswith("data:") and numbered:
            numbered = False
            yield json.loads(line.removeprefix("data:"))


@asynccontextmanager
async def open_http(urls: Sequence[str]) -> AsyncIterator[httpx.AsyncClient]:
    """Open what all sessions connect with; the first request to each API process, which loads much, is made here."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    timeout = httpx.Timeout(30.0, read=60.0, pool=None)
    async with httpx.AsyncClient(limits=limits, timeout=timeout, trust_env=False) as http:
        for url in urls:
            (await http.get(f"{url}/threads")).raise_for_status()
        yield http


async def warm(urls: Sequence[str], http: httpx.AsyncClient, message: str) -> None:
    """Have every process load what it loads at its first run."""
    for _ in range(_WARM_ROUNDS):
        await asyncio.gather(*(Session(http, [url]).say(message) for url in urls for _ in range(_WARM_AT_ONCE)))


def quantile(values: Sequence[float], share: float) -> float:
    """Return the value below which a share of the values is; NaN where there are none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")
