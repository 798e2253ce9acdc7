"""The room that the listeners work in: its recordings, who is away, and the masters that were made.

    {"away": {"studio": 2}, "masters": []}

`away` says for how many calls a listener cannot be reached. Without a simulated world everybody is there and nothing
can be mastered.
"""

from contextlib import suppress
from pathlib import Path
from typing import Any

from evals.suites.audio.listeners import Listener
from evals.suites.audio.precise import loudness
from evals.suites.audio.signals import write_wav
from evals.suites.audio.sound import read
from evals.suites.state_file import NoWorld, changing, seen, world_path

RECORDINGS = Path(__file__).parent / "data"
MASTERS = "masters"
"""Folder of the masters, beside the world's file."""
MOST_GAIN = 24.0
"""dB, up or down."""


class Away(RuntimeError):
    """A listener cannot be reached now."""


class Impossible(ValueError):
    """There is no such recording, or it cannot be mastered like this."""


def recording(name: str) -> Path:
    """Return the file of a recording, or raise `Impossible`."""
    known = {path.name: path for path in RECORDINGS.glob("*.wav")}
    if name not in known:
        msg = f"there is no recording {name!r:.80}; there are {', '.join(sorted(known))}"
        raise Impossible(msg)
    return known[name]


def require_present(listener: Listener) -> None:
    """Raise `Away` where a listener cannot be reached; each call that finds it away brings its return nearer."""
    with suppress(NoWorld):
        if seen(world_path()).get("away", {}).get(listener, 0) < 1:
            return
        with changing(world_path()) as world:
            world["away"][listener] -= 1
        msg = f"{listener} is away: nobody answers there"
        raise Away(msg)


def master(name: str, gain_db: float) -> dict[str, Any]:
    """Write a copy of a recording with another level, and return its loudness and peak.

    Raises:
        Impossible: There is no such recording, it has several channels, or the gain is too large or cuts off peaks.
        NoWorld: There is no world to keep it in.
        Unreadable: The recording cannot be read.
    """
    sound = read(recording(name))
    if sound.channels > 1:
        msg = f"{name} has {sound.channels} channels; only recordings of one channel are mastered here"
        raise Impossible(msg)
    if not abs(gain_db) <= MOST_GAIN:
        msg = f"a gain lies between -{MOST_GAIN:g} and {MOST_GAIN:g} dB, not at {gain_db}"
        raise Impossible(msg)
    made = sound._replace(samples=sound.samples * 10 ** (gain_db / 20))
    found = loudness(made)
    if found["peak_db"] > 0:
        msg = f"a gain of {gain_db:g} dB would put the peaks of {name} at {found['peak_db']:g} dB and cut them off"
        raise Impossible(msg)
    with changing(world_path()) as world:
        _master_path(name).parent.mkdir(exist_ok=True)
        write_wav(_master_path(name), made.samples, rate=made.rate)
        entry = {"recording": name, "gain_db": gain_db, "rms_db": found["rms_db"], "peak_db": found["peak_db"]}
        world["masters"] = [*_without(world, name), entry]
    return entry


def was_mastered(recording: str, gain_db: float) -> bool:
    """Return whether a call of `master` had its effect; named as the tool's arguments are."""
    known = seen(world_path()).get("masters", [])
    return any((entry["recording"], entry["gain_db"]) == (recording, gain_db) for entry in known)


def discard_master(recording: str, gain_db: float) -> str:
    """Delete a master that a call of `master` has made.

    Raises:
        Impossible: There is none with this gain.
    """
    if not was_mastered(recording, gain_db):
        msg = f"there is no master of {recording} with a gain of {gain_db:g} dB"
        raise Impossible(msg)
    with changing(world_path()) as world:
        world["masters"] = _without(world, recording)
        _master_path(recording).unlink(missing_ok=True)
    return f"the master of {recording} is deleted"


def _without(world: dict[str, Any], name: str) -> list[dict[str, Any]]:
    return [entry for entry in world.get("masters", []) if entry["recording"] != name]


def _master_path(name: str) -> Path:
    return world_path().parent / MASTERS / name
