"""What the models and tools of a thread were asked and answered, kept so that a session can be recorded later.

Append-only, one log per workspace and thread. Entries are packed: a conversation's prompts repeat each other, and each
may be as long as a document.
"""

import asyncio
import base64
import json
import zlib
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

from memory.records import Records, Value
from memory.workspaces import checked_workspace

Kind = Literal["model", "tool"]
_LEVEL = 1
"""Of compression: the fastest; higher ones save a tenth more and take three times as long."""
_MANY_CHARS = 100_000
"""What is longer is packed off the event loop."""


class LoggedCall(NamedTuple):
    """One entry of the log."""

    run: str
    time: float
    """Unix time in seconds at which it ended."""
    kind: Kind
    exchange: Value
    """What was asked and answered (`agents.exchanges.calls`)."""


class CallLog:
    """The logs of all threads."""

    def __init__(self, records: Records, clock: Callable[[], float]) -> None:
        """Set up the logs.

        Args:
            records: Where they are kept.
            clock: Returns unix time in seconds.
        """
        self._records, self._clock = records, clock

    async def append(self, workspace: str, thread: str, run: str, kind: Kind, exchange: Value) -> int:
        """Store one exchange that has ended, and return its number: 1, 2, 3, ..."""
        text = json.dumps(exchange, separators=(",", ":"))
        packed = await asyncio.to_thread(_packed, text) if len(text) > _MANY_CHARS else _packed(text)
        entry = {"run": run, "time": self._clock(), "kind": kind, "packed": packed}
        return await self._records.append(_log(workspace, thread), entry)

    async def read(self, workspace: str, thread: str) -> list[LoggedCall]:
        """Return the exchanges of a thread in the order in which they ended; none for an unknown thread."""
        entries = await self._records.read(_log(workspace, thread))
        return await asyncio.to_thread(lambda: [_logged(value) for _, value in entries])

    async def forget(self, workspace: str, thread: str) -> None:
        """Delete a thread's log for good."""
        await self._records.drop(_log(workspace, thread))


def _log(workspace: str, thread: str) -> str:
    return f"calls:{checked_workspace(workspace)}:{thread}"


def _packed(text: str) -> str:
    return base64.b64encode(zlib.compress(text.encode(), _LEVEL)).decode()


def _logged(value: Value) -> LoggedCall:
    exchange: dict[str, Any] = json.loads(zlib.decompress(base64.b64decode(value["packed"])))
    return LoggedCall(value["run"], value["time"], value["kind"], exchange)
