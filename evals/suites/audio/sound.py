"""WAV files as samples, whatever their number format."""

import struct
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.io import wavfile  # type: ignore[import-untyped]  # ships no types

from evals.suites.audio.signals import Signal

MAX_BYTES = 50_000_000
_SCALES = {"int16": 2.0**15, "int32": 2.0**31, "uint8": 2.0**7}


class Unreadable(ValueError):
    """A file that is no sound, is too large or holds nothing."""


class Sound(NamedTuple):
    """A sound."""

    samples: Signal
    """Mean of the channels, in -1..1, shape [samples]."""
    rate: int
    """Samples a second."""
    channels: int

    @property
    def seconds(self) -> float:
        """Its length."""
        return len(self.samples) / self.rate


def read(path: Path) -> Sound:
    """Return the sound in a WAV file, or raise `Unreadable`."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise Unreadable(f"{path.name} is larger than {MAX_BYTES // 1_000_000} MB")
        rate, raw = wavfile.read(path)
    except (OSError, ValueError, EOFError, struct.error) as error:
        raise Unreadable(f"{path.name} is no WAV file that can be read: {error}") from error
    samples = raw.astype(float)
    if raw.dtype.name == "uint8":
        samples -= 128.0
    samples /= _SCALES.get(raw.dtype.name, 1.0)
    channels = samples.shape[1] if samples.ndim > 1 else 1
    mono = samples.mean(axis=1) if samples.ndim > 1 else samples
    if not len(mono) or not np.isfinite(mono).all():
        raise Unreadable(f"{path.name} holds no sound")
    return Sound(mono, int(rate), channels)
