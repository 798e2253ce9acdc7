"""What is told at once and may be lost: that a log has grown, that a run is to stop, what a model writes just now.

Everything that must not be lost stands in the records or the database; the bus only saves asking there time after time.
One process has its own; processes that share a Redis server share the bus.
"""

import asyncio
import json
import logging
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from pydantic import SecretStr
from redis.asyncio import Redis
from redis.exceptions import RedisError

Message = dict[str, Any]
_MOST = 1000
"""Messages that a listener who does not listen keeps; the oldest are lost first."""
_CHANNEL = "understudy:bus:"
_AGAIN = 0.1
_PAUSE = 1.0
"""Seconds before a server that is away is looked for again."""


class Listener:
    """Hears one topic."""

    def __init__(self) -> None:
        self._heard: deque[Message] = deque(maxlen=_MOST)
        self._some = asyncio.Event()

    def hear(self, message: Message) -> None:
        """Take a message."""
        self._heard.append(message)
        self._some.set()

    async def wait(self, seconds: float) -> list[Message]:
        """Return what was heard since the last time; waits at most so long, and may return nothing."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._some.wait()
        self._some.clear()
        heard = list(self._heard)
        self._heard.clear()
        return heard


class Bus:
    """The bus of one process."""

    def __init__(self) -> None:
        self._listeners: dict[str, set[Listener]] = {}

    def publish(self, topic: str, message: Message) -> None:
        """Tell everybody who listens now; never waits, never fails."""
        for listener in self._listeners.get(topic, ()):
            listener.hear(message)

    @asynccontextmanager
    async def listen(self, topic: str) -> AsyncIterator[Listener]:
        """Hear a topic for the length of the block."""
        listener = Listener()
        self._listeners.setdefault(topic, set()).add(listener)
        try:
            await self._begun(topic)
            yield listener
        finally:
            self._listeners[topic].discard(listener)
            if not self._listeners[topic]:
                del self._listeners[topic]
                await self._ended(topic)

    async def _begun(self, topic: str) -> None:
        """Have messages of a topic arrive here."""

    async def _ended(self, topic: str) -> None:
        """Have them arrive no more."""


class RedisBus(Bus):
    """The bus of all processes on one Redis server. Open it with `open_bus`."""

    def __init__(self, client: Redis) -> None:
        super().__init__()
        self._client = client
        self._pubsub = client.pubsub(ignore_subscribe_messages=True)
        self._outgoing: asyncio.Queue[tuple[str, Message]] = asyncio.Queue(_MOST)
        self._subscribed = asyncio.Event()

    def publish(self, topic: str, message: Message) -> None:
        """Tell everybody; what the server cannot be told in time is lost."""
        with suppress(asyncio.QueueFull):
            self._outgoing.put_nowait((topic, message))

    async def _begun(self, topic: str) -> None:
        with suppress(RedisError, OSError):
            await self._pubsub.subscribe(_CHANNEL + topic)
            self._subscribed.set()

    async def _ended(self, topic: str) -> None:
        with suppress(RedisError, OSError):
            await self._pubsub.unsubscribe(_CHANNEL + topic)

    async def send_for_ever(self) -> None:
        """Send what is published, all that waits with one call."""
        while True:
            waiting = [await self._outgoing.get()]
            while not self._outgoing.empty():
                waiting.append(self._outgoing.get_nowait())
            pipeline = self._client.pipeline(transaction=False)
            for topic, message in waiting:
                pipeline.publish(_CHANNEL + topic, json.dumps(message))
            try:
                await pipeline.execute()
            except (RedisError, OSError) as error:
                logging.getLogger(__name__).debug("the bus lost %d messages: %s", len(waiting), type(error).__name__)

    async def hear_for_ever(self) -> None:
        """Hand on what arrives; a server that is away is looked for until it is back."""
        while True:
            await self._subscribed.wait()
            try:
                heard = await self._pubsub.get_message(timeout=_PAUSE)
            except (RedisError, OSError):
                await asyncio.sleep(_PAUSE)
                continue
            except RuntimeError:  # nothing is subscribed any more
                self._subscribed.clear()
                continue
            if heard is not None:
                super().publish(heard["channel"].removeprefix(_CHANNEL), json.loads(heard["data"]))


@asynccontextmanager
async def open_bus(url: SecretStr | None) -> AsyncIterator[Bus]:
    """Open the bus of this process, on a Redis server where there is one; it need not be there now."""
    if url is None:
        yield Bus()
        return
    client = Redis.from_url(url.get_secret_value(), decode_responses=True)
    bus = RedisBus(client)
    tasks = {asyncio.create_task(bus.send_for_ever()), asyncio.create_task(bus.hear_for_ever())}
    try:
        yield bus
    finally:
        await ended(tasks)
        with suppress(RedisError, OSError):
            await bus._pubsub.aclose()  # type: ignore[no-untyped-call]  # redis-py leaves it untyped
            await client.aclose()


async def ended(tasks: set[asyncio.Task[None]]) -> None:
    """Cancel tasks until they have ended: what they wait for may swallow a cancellation that comes with its result."""
    while tasks:
        for task in tasks:
            task.cancel()
        _, tasks = await asyncio.wait(tasks, timeout=_AGAIN)


def thread_topic(workspace: str, thread: str) -> str:
    """Return where it is told what happens in a thread."""
    return f"thread:{workspace}:{thread}"
