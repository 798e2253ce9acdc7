"""Following a thread: its log is read from any place on, and read again whenever there is more."""

from collections.abc import AsyncGenerator, Awaitable
from typing import Protocol

from domain.events import Stamped, Whispered
from understudy.bus import Listener
from understudy.stored import whispered_of

PAGE = 200
"""Events that are read at once."""
LOOK_SECONDS = 2.0
"""Time after which the log is read though nobody said that there is more: what the bus tells may be lost."""


class Read(Protocol):
    """Reads a log."""

    def __call__(self, *, after: int, limit: int) -> Awaitable[list[Stamped]]:
        """Return the first `limit` events after a number."""


async def followed(read: Read, listener: Listener, *, after: int) -> AsyncGenerator[Stamped | Whispered]:
    """Yield the events of a log after a number, each once and in order, and what is whispered meanwhile; never ends.

    Args:
        read: Reads the log.
        listener: Hears that there is more; it listens already, so that nothing falls between.
        after: Number of the last event that was seen.
    """
    while True:
        while page := await read(after=after, limit=PAGE):
            for stamped in page:
                yield stamped
            after = page[-1].seq
        for message in await listener.wait(LOOK_SECONDS):
            if "whispered" in message and (whispered := whispered_of(message["whispered"])):
                yield whispered
