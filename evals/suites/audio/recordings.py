"""The suite's recordings, made anew: `python -m evals.suites.audio.recordings`."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from evals.suites.audio.room import RECORDINGS
from evals.suites.audio.signals import Signal, clicks, noise, overdriven, peaking_at, speech, tone, write_wav

BROKEN = "broken.wav"
"""A file that was cut short while it was copied."""
INTERVIEW = ((1.2, 0.8), (0.7, 0.35), (1.1, 1.0))
"""Seconds of each burst of speech and of the silence behind it."""

MADE: Mapping[str, Callable[[], Signal]] = {
    "drums.wav": lambda: clicks(120, 6) + noise(6, level=-70),
    "waltz.wav": lambda: clicks(90, 8.5, accent=3, seed=1) + noise(8.5, level=-70, seed=1),
    "metronome.wav": lambda: clicks(100, 6, accent=1, seed=2),
    "flute.wav": lambda: tone(440, 1.5, level=-20),
    "bassoon.wav": lambda: tone(110, 1.5, level=-22, partials=(0.05, 1.0, 0.8, 0.5)),
    "duet.wav": lambda: np.stack([tone(330, 1.2, level=-18), tone(330, 1.2, level=-20)], axis=1),
    "interview.wav": lambda: speech(INTERVIEW, level=-23),
    "overdriven.wav": lambda: overdriven(tone(196, 1.5, level=-6), 0.6, after=3),
    "guitar.wav": lambda: peaking_at(tone(247, 1.5), -0.05),
    "whisper.wav": lambda: noise(1.5, level=-64, seed=3),
}


def write_all(folder: Path) -> None:
    """Write every recording into a folder."""
    for name, made in MADE.items():
        write_wav(folder / name, made())
    whole = (folder / "metronome.wav").read_bytes()
    (folder / BROKEN).write_bytes(whole[:30])


if __name__ == "__main__":
    write_all(RECORDINGS)
