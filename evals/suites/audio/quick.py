"""The quick analyser: one look at the spectrum and at the loudest moments, and wrong where these mislead.

It refuses what is long or has several channels. Every finding has a `confidence` in 0-1, which it overestimates.
"""

from typing import Any

import numpy as np

from evals.suites.audio.sound import Sound, Unreadable

MAX_SECONDS = 8.0
_WINDOW = 0.25
"""Seconds of a look at the level."""
_BELOW_PEAK = 0.01
"""Share of the highest peak below which a moment is silent."""
_FULL = 0.989
"""Size from which a sample is at full scale: -0.1 dB."""


def pitch(sound: Sound) -> dict[str, Any]:
    """Return the strongest frequency in hertz: a missing or weak fundamental puts it an octave or more off."""
    _check(sound)
    power = np.abs(np.fft.rfft(sound.samples * np.hanning(len(sound.samples)))) ** 2
    frequencies = np.fft.rfftfreq(len(sound.samples), 1 / sound.rate)
    power[frequencies <= 20] = 0.0
    if not power.any():
        return {"hertz": None, "confidence": 0.0}
    best = int(np.argmax(power))
    share = power[max(0, best - 2) : best + 3].sum() / power.sum()
    return {"hertz": round(float(frequencies[best]), 1), "confidence": round(float(share), 3)}


def tempo(sound: Sound) -> dict[str, Any]:
    """Return beats a minute by counting loud moments: quiet beats are overlooked, noise is counted."""
    _check(sound)
    size = sound.rate // 20
    parts = len(sound.samples) // size
    if not parts:
        return {"beats_per_minute": None, "confidence": 0.0}
    level = np.abs(sound.samples[: parts * size]).reshape(parts, size).max(axis=1)
    if not level.any():
        return {"beats_per_minute": None, "confidence": 0.0}
    loud = level > 0.7 * level.max()
    begins = np.flatnonzero(loud & ~np.concatenate([[False], loud[:-1]]))
    gaps = np.diff(begins)
    even = 1 - min(1.0, float(gaps.std() / gaps.mean())) if len(gaps) else 0.0
    return {"beats_per_minute": round(60 * len(begins) / sound.seconds, 1), "confidence": round(even, 3)}


def loudness(sound: Sound) -> dict[str, Any]:
    """Return the root mean square in dB of full scale, to the nearest dB."""
    _check(sound)
    rms = float(np.sqrt(np.mean(sound.samples**2)))
    return {"rms_db": round(20 * np.log10(max(rms, 1e-6))), "confidence": 0.9}


def silences(sound: Sound) -> dict[str, Any]:
    """Return the silent stretches to the quarter of a second: short ones are overlooked, a faint noise is silence."""
    _check(sound)
    size = max(1, round(_WINDOW * sound.rate))
    parts = len(sound.samples) // size
    level = np.abs(sound.samples[: parts * size]).reshape(parts, size).max(axis=1)
    silent = level <= _BELOW_PEAK * np.abs(sound.samples).max()
    edges = np.flatnonzero(np.diff(np.concatenate([[0], silent.astype(int), [0]])))
    found = [{"begin": float(a) * _WINDOW, "end": float(b) * _WINDOW} for a, b in edges.reshape(-1, 2)]
    share = round(float(silent.mean()), 3) if parts else 0.0
    return {"silences": found, "share": share, "confidence": 0.8}


def spectrum(sound: Sound) -> dict[str, Any]:
    """Return the centroid in hertz as it is guessed from how often the signal crosses zero: noise moves it far."""
    _check(sound)
    crossings = int((np.diff(np.signbit(sound.samples)) != 0).sum())
    hertz = crossings / 2 / sound.seconds
    return {"centroid_hertz": round(hertz, 1) if crossings else None, "confidence": 0.7 if crossings else 0.0}


def clipping(sound: Sound) -> dict[str, Any]:
    """Return the share of samples at full scale: loud is taken for cut off, and turned down for sound."""
    _check(sound)
    size = np.abs(sound.samples)
    peak = round(20 * float(np.log10(max(size.max(), 1e-6))), 1)
    return {"clipped_share": round(float((size >= _FULL).mean()), 4), "peak_db": peak, "confidence": 0.85}


def _check(sound: Sound) -> None:
    if sound.channels > 1:
        msg = "this analyser takes one channel"
        raise Unreadable(msg)
    if sound.seconds > MAX_SECONDS:
        msg = f"this analyser takes at most {MAX_SECONDS:g} s"
        raise Unreadable(msg)
