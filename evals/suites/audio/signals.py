"""Signals whose tempo, pitch, loudness and silences are known, because they are made here; and WAV files of them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.io import wavfile  # type: ignore[import-untyped]  # ships no types

Signal = npt.NDArray[Any]
"""Samples in -1..1, shape [samples] for mono, [samples, channels] otherwise."""
RATE = 12_000
"""Samples a second of what is made here: enough for what is measured, and small files."""


def tone(hertz: float, seconds: float, *, level: float = -12.0, partials: Sequence[float] = (1.0, 0.5, 0.25)) -> Signal:
    """Return a tone with overtones.

    Args:
        hertz: Its fundamental.
        seconds: Its length.
        level: Root mean square in dB of full scale.
        partials: Amplitudes of the fundamental and its overtones; a first one of 0 leaves a pitch that is only heard.
    """
    time = np.arange(round(seconds * RATE)) / RATE
    parts = [a * np.sin(2 * np.pi * hertz * n * time) for n, a in enumerate(partials, 1)]
    return at_level(np.sum(parts, axis=0), level)


def clicks(beats: float, seconds: float, *, level: float = -32.0, accent: int = 4, seed: int = 0) -> Signal:
    """Return a beat of short noise bursts, every `accent`-th one louder.

    Args:
        beats: A minute.
        seconds: Length of the whole.
        level: Root mean square in dB of full scale.
        accent: Beats of a bar.
        seed: Of the noise.
    """
    signal = np.zeros(round(seconds * RATE))
    burst = np.random.default_rng(seed).normal(size=RATE // 40) * np.exp(-np.linspace(0, 6, RATE // 40))
    for beat in range(int(seconds * beats / 60) + 1):
        start = round(beat * 60 / beats * RATE)
        part = burst[: max(0, len(signal) - start)]
        signal[start : start + len(part)] += part * (1.0 if beat % accent == 0 else 0.4)
    return at_level(signal, level)


def noise(seconds: float, *, level: float = -30.0, seed: int = 0) -> Signal:
    """Return white noise at a level in dB of full scale (root mean square)."""
    return at_level(np.random.default_rng(seed).normal(size=round(seconds * RATE)), level)


def silence(seconds: float) -> Signal:
    """Return nothing, for a while."""
    return np.zeros(round(seconds * RATE))


def speech(bursts: Sequence[tuple[float, float]], *, level: float = -20.0, seed: int = 0) -> Signal:
    """Return bursts of syllables with nothing between them.

    Args:
        bursts: Seconds of each burst and of the silence behind it.
        level: Root mean square of a burst in dB of full scale.
        seed: Of the breath in the voice.
    """
    parts = []
    for number, (seconds, pause) in enumerate(bursts):
        time = np.arange(round(seconds * RATE)) / RATE
        voiced = tone(110 + 15 * (number % 3), seconds, partials=(0.6, 1.0, 0.7, 0.4, 0.2))[: len(time)]
        breathy = voiced + noise(seconds, level=-32, seed=seed + number)[: len(time)]
        parts += [at_level(breathy * (0.55 + 0.45 * np.sin(2 * np.pi * 4 * time)), level), silence(pause)]
    return np.concatenate(parts)


def overdriven(signal: Signal, ceiling: float, *, after: float = 0.0) -> Signal:
    """Return a signal whose peaks are cut off at a ceiling in 0..1, turned down by `after` dB behind that."""
    cut: Signal = np.clip(signal, -ceiling, ceiling) * 10 ** (-after / 20)
    return cut


def peaking_at(signal: Signal, peak: float) -> Signal:
    """Return a signal scaled so that its highest peak is at a level in dB of full scale."""
    scaled: Signal = signal / np.abs(signal).max() * 10 ** (peak / 20)
    return scaled


def at_level(signal: Signal, level: float) -> Signal:
    """Return a signal scaled to a root mean square in dB of full scale; what would clip is cut."""
    rms = float(np.sqrt(np.mean(signal**2)))
    return np.clip(signal * (10 ** (level / 20) / rms), -1.0, 1.0) if rms else signal


def write_wav(path: Path, signal: Signal, *, rate: int = RATE) -> None:
    """Write a signal as 16-bit PCM."""
    wavfile.write(path, rate, np.round(np.clip(signal, -1, 1) * 32_767).astype(np.int16))
