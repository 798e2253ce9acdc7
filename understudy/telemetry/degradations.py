"""What does not work as it should, and since when it has been so."""

import hashlib
import json
import os
import re
import tempfile
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

MOST = 200
"""Reasons of one, and those who have any, that are kept."""
FILE = "degraded.json"
"""Name of the file in the data folder."""
_NUMBER = re.compile(r"\d+")
Known = dict[str, dict[str, float]]
"""Unix time by reason, by whose it is; both as hashes."""
_KEPT = TypeAdapter(Known)


class Degraded(BaseModel):
    """One thing that does not work."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    reason: str
    """In words."""
    since: float
    """Unix time at which it was first seen; seen, as nobody may have looked before."""


class Degradations:
    """Remembers when each reason was first seen, and forgets it when it is gone."""

    def __init__(self, clock: Callable[[], float], file: Path | None = None) -> None:
        """Set up the memory.

        Args:
            clock: Unix time in seconds.
            file: Where it outlives this process, as hashes of the reasons; None keeps it in the process alone.
        """
        self._clock, self._file = clock, file
        self._known: Known = {}
        self._lock = threading.Lock()

    def note(self, reasons: Sequence[str], *, about: str = "") -> list[Degraded]:
        """Take everything that is wrong now, and return it with the time since when it is.

        Args:
            reasons: In words; those of an earlier call that are missing are over.
            about: Whose they are, such as a workspace; those of others are not touched.
        """
        now, place = self._clock(), key_of(about)
        with self._lock:
            known = _read(self._file) if self._file else self._known
            before = known.pop(place, {})
            found = {key: min(before.get(key, now), now) for key in map(key_of, reasons[:MOST])}
            self._known = dict([*known.items(), (place, found)][-MOST:]) if found else known
            if found != before and self._file:
                _write(self._file, self._known)
        return [Degraded(reason=reason, since=found.get(key_of(reason), now)) for reason in reasons]


def key_of(reason: str) -> str:
    """Return what tells a reason from others: its words, as the numbers in it change while it lasts."""
    return hashlib.sha256(_NUMBER.sub("#", reason).encode("utf-8", "replace")).hexdigest()[:16]


def _read(file: Path) -> Known:
    """Return what is kept; a file that is missing or damaged says nothing."""
    with suppress(OSError, ValidationError):
        return _KEPT.validate_json(file.read_bytes())
    return {}


def _write(file: Path, known: Known) -> None:
    """Put the file in place whole; where that cannot be done, the next look has the time of its own."""
    with suppress(OSError):
        number, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
        try:
            with os.fdopen(number, "w") as half:
                json.dump(known, half)
            Path(name).replace(file)
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise
