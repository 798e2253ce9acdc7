"""Who asks, and who keeps what was asked: said around the work, as who pays for it is (`agents.budget`).

Whoever starts work opens `exchanges_kept(...)` around it; every exchange with a model or a declared tool in there, in
whatever task, is told to its keeper.
"""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple

from agents.exchanges.calls import RecordedCall, RecordedTool

Exchange = RecordedCall | RecordedTool
Keep = Callable[[Exchange], Awaitable[None]]
"""Takes an exchange that has ended; raises nothing that would end the work."""


class Asker(NamedTuple):
    """Who asks."""

    role: str = ""
    step: str = ""
    """Step of the plan that it works for."""
    prompt: str = ""
    """Name and version of the template that the conversation began with: `name@version`."""


_KEEP: ContextVar[Keep | None] = ContextVar("exchanges_kept", default=None)
_ASKER: ContextVar[Asker | None] = ContextVar("exchanges_asker", default=None)


@contextmanager
def exchanges_kept(keep: Keep | None) -> Iterator[None]:
    """Have `keep` told of every exchange with a model or a tool in this block, and in the tasks that it starts."""
    token = _KEEP.set(keep)
    try:
        yield
    finally:
        _KEEP.reset(token)


@contextmanager
def asked_by(**told: str) -> Iterator[None]:
    """Say who asks in this block: `role`, `step`, `prompt`; what is left out stays as it was said around it."""
    token = _ASKER.set(asker()._replace(**told))
    try:
        yield
    finally:
        _ASKER.reset(token)


def asker() -> Asker:
    """Return who asks here."""
    return _ASKER.get() or Asker()


def keeper() -> Keep | None:
    """Return who keeps what is asked here, or None where nobody does."""
    return _KEEP.get()
