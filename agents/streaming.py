"""What a model writes, told to who watches while it comes: said around the work, as who pays for it is.

Whoever starts work opens `heard_by(...)` around it; what a model writes in there as prose is told piece by piece, and
only as a courtesy: what counts is the whole answer, which nothing here changes.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import NamedTuple

from agents.exchanges.keeping import asker
from domain.events import TextStreamed
from domain.secrets import Secrets

PAUSE = 0.05
"""Seconds between two pieces, so that watching costs little however fast a model writes."""

Shown = Callable[[str], str]
"""Returns what a person may see of an answer as far as it has come."""


class Listener(NamedTuple):
    """Who watches."""

    hear: Callable[[TextStreamed], None]
    secrets: Secrets
    """What must not be shown, not even in two pieces."""
    clock: Callable[[], float] = time.monotonic


@dataclass
class Writing:
    """An answer that is asked for, perhaps more than once."""

    shown: Shown
    streams: bool = True
    """Whether it is asked for piece by piece; a server that could not is asked for the whole."""


_LISTENER: ContextVar[Listener | None] = ContextVar("streaming_listener", default=None)
_WRITING: ContextVar[Writing | None] = ContextVar("streaming_writing", default=None)


@contextmanager
def heard_by(listener: Listener | None) -> Iterator[None]:
    """Have `listener` told of what models write in this block, and in the tasks that it starts."""
    token = _LISTENER.set(listener)
    try:
        yield
    finally:
        _LISTENER.reset(token)


@contextmanager
def written_as(shown: Shown | None) -> Iterator[None]:
    """Say what may be shown of the answer that is asked for in this block; None: nothing before it is whole."""
    token = _WRITING.set(Writing(shown) if shown else None)
    try:
        yield
    finally:
        _WRITING.reset(token)


def writing() -> Writing | None:
    """Return the answer that is told while it comes, or None where nobody watches or nothing may be shown."""
    return _WRITING.get() if _LISTENER.get() is not None else None


def as_it_stands(text: str) -> str:
    """Return the whole text: for answers that are nothing but prose."""
    return text


@dataclass
class Telling:
    """Tells one answer while it comes, coalesced."""

    listener: Listener
    shown: Shown
    role: str
    step: str | None = None
    _parts: list[str] = field(default_factory=list)
    _told: str = ""
    _at: float = float("-inf")

    @classmethod
    def begun(cls, written: Writing) -> "Telling | None":
        """Return what tells an answer from its beginning, or None where nobody watches."""
        listener, who = _LISTENER.get(), asker()
        return None if listener is None else cls(listener, written.shown, who.role, who.step or None)

    @property
    def has_begun(self) -> bool:
        """Whether something has come."""
        return bool(self._parts)

    def take(self, piece: str) -> None:
        """Take what came, and tell it if the last telling is long enough ago."""
        self._parts.append(piece)
        if self.listener.clock() - self._at >= PAUSE:
            text = self._shown()
            self._tell(text[: len(text) - self.listener.secrets.pending(text)])

    def end(self) -> None:
        """Tell what is left."""
        self._tell(self._shown())

    def _shown(self) -> str:
        self._parts = ["".join(self._parts)]
        return self.shown(self._parts[0])

    def _tell(self, text: str) -> None:
        text = self.listener.secrets.text(text)
        if text in ("", self._told):
            return
        goes_on = bool(self._told) and text.startswith(self._told)
        added = text[len(self._told) :] if goes_on else text
        self.listener.hear(TextStreamed(role=self.role, step=self.step, text=added, first=not goes_on))
        self._told, self._at = text, self.listener.clock()
