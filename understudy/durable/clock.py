"""A clock that a jump of the machine's wall clock does not move.

Deadlines are points in time that must outlive a process, so a clock that counts since the boot is not enough; and the
wall clock may be set to another day while a question waits. So the wall clock is believed once for each boot: that
moment, the anchor, stays in a small file, and from then on the time that has passed since counts, sleep included.

What cannot be told: a jump while the machine was off looks like time that passed, so after a boot the wall clock is
believed, but never earlier than the time that was last seen. A wall clock that was wrong when the anchor was made stays
wrong until the next boot; what lasts an hour lasts an hour all the same. Machines that share one PostgreSQL each go by
their own clock, so a deadline may fire on the machine that is ahead. Where the system does not name its boot (other
than Linux), each process believes the wall clock when it starts.
"""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from filelock import FileLock

FILE = "clock.json"
"""Name of the anchor's file in the data folder."""
BEAT_SECONDS = 30.0
"""How often the time that was last seen is written down."""
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class _Anchor(NamedTuple):
    boot: str
    """Which boot of the machine; empty where it is not known."""
    passed: float
    """Seconds since that boot when the wall clock was believed."""
    time: float
    """Unix time that it showed."""
    seen: float
    """Latest unix time that is known to have been."""


def since_boot() -> float:
    """Return the seconds since the machine's start, with those that it slept."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


def boot_id() -> str:
    """Return the name of this boot of the machine, or nothing where the system does not tell."""
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""


class SteadyClock:
    """Unix time in seconds that never goes back; all processes with one data folder agree on it. Call it to read it."""

    def __init__(
        self,
        folder: Path,
        *,
        wall: Callable[[], float] = time.time,
        passed: Callable[[], float] = since_boot,
        boot: Callable[[], str] = boot_id,
    ) -> None:
        """Take the anchor of this boot from the folder, or make it.

        Args:
            folder: The data folder; it exists.
            wall: The machine's wall clock, in unix seconds.
            passed: Seconds since the boot; a jump of the wall clock does not move it.
            boot: Names the boot.
        """
        self._path, self._passed = folder / FILE, passed
        self._lock = FileLock(folder / f"{FILE}.lock", thread_local=False, mode=0o600)
        with self._lock:
            self._anchor = self._anchored(wall(), boot())
            _write(self._path, self._anchor)
        self._last = self._written = self._anchor.seen

    def __call__(self) -> float:
        """Return the time, and now and then write down that it was seen."""
        now = self._anchor.time + self._passed() - self._anchor.passed
        self._last = max(self._last, now)
        if self._last - self._written >= BEAT_SECONDS:
            self._written = self._last
            self._beat()
        return self._last

    def _anchored(self, wall: float, boot: str) -> _Anchor:
        """Return the anchor of this boot: the one in the file, else a new one that is not before what was seen."""
        known, passed = _read(self._path), self._passed()
        if known and boot and known.boot == boot and known.passed <= passed:
            return known._replace(seen=max(known.seen, known.time + passed - known.passed))
        start = max(wall, known.seen) if known else wall
        return _Anchor(boot, passed, start, start)

    def _beat(self) -> None:
        """Write down the time that was seen, unless another process does so at this moment or the disk refuses."""
        try:
            with self._lock.acquire(blocking=False):
                known = _read(self._path)
                if known is None or known.boot == self._anchor.boot:
                    _write(self._path, self._anchor._replace(seen=self._last))
        except (OSError, TimeoutError):
            return  # the next beat tries again; without any, only a boot with a wrong wall clock goes unnoticed


def _read(path: Path) -> _Anchor | None:
    """Return the anchor in the file; None where there is none that can be read."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return _Anchor(str(found["boot"]), *(float(found[name]) for name in ("passed", "time", "seen")))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _write(path: Path, anchor: _Anchor) -> None:
    draft = path.with_name(f"{path.name}.{os.getpid()}.new")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump(anchor._asdict(), file)
    draft.replace(path)
