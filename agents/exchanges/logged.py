"""Exchanges in the log of a thread: written as they end, without known secrets, and read again."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from agents.exchanges.calls import RecordedCall, RecordedTool
from agents.exchanges.keeping import Exchange
from domain.errors import StorageError
from domain.secrets import Secrets
from memory.call_log import CallLog, Kind, LoggedCall


class Logged(NamedTuple):
    """An exchange and when it ended."""

    run: str
    time: float
    """Unix time in seconds."""
    exchange: Exchange


@dataclass(frozen=True)
class LogKeeper:
    """Keeps the exchanges of a run; what cannot be kept is told to the log of the program, and the run goes on."""

    log: CallLog
    workspace: str
    thread: str
    run: str
    secrets: Secrets

    async def __call__(self, exchange: Exchange) -> None:
        """Keep one exchange."""
        kind: Kind = "model" if isinstance(exchange, RecordedCall) else "tool"
        try:
            value = exchange.model_dump(mode="json", exclude_defaults=True)
            await self.log.append(self.workspace, self.thread, self.run, kind, hidden(value, self.secrets.value))
        except (StorageError, ValueError, RecursionError) as error:  # what a model wrote may nest without end
            logging.getLogger(__name__).warning("a call in thread %s is not kept: %s", self.thread, error)


async def exchanges_of(log: CallLog, workspace: str, thread: str) -> list[Logged]:
    """Return what the models and tools of a thread were asked and answered, in the order in which it ended."""
    return [Logged(entry.run, entry.time, _exchange(entry)) for entry in await log.read(workspace, thread)]


def hidden(value: Any, hide: Callable[[Any], Any]) -> Any:
    """Return JSON with every secret hidden, one that goes over several lines of a text, too.

    Args:
        value: Exchanges, or what else keeps texts as lists of lines.
        hide: Returns a text, a number or a name without secrets.
    """
    if isinstance(value, dict):
        pairs = value.items()
        return {hide(key): _without(part, hide) if key == "lines" else hidden(part, hide) for key, part in pairs}
    return [hidden(part, hide) for part in value] if isinstance(value, list) else hide(value)


def _without(lines: Any, hide: Callable[[Any], Any]) -> Any:
    """Return the lines of a text that was hidden as a whole; a tool may call anything else `lines`."""
    if not (isinstance(lines, list) and lines and all(isinstance(line, str) and "\n" not in line for line in lines)):
        return hidden(lines, hide)
    return str(hide("\n".join(lines))).split("\n")


def _exchange(entry: LoggedCall) -> Exchange:
    kind: type[Exchange] = RecordedCall if entry.kind == "model" else RecordedTool
    return kind.model_validate(entry.exchange)
