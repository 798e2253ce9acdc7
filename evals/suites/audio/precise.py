"""The careful analyser: slower, right about missing fundamentals, quiet beats, and peaks that were cut off.

Every finding has a `confidence` in 0-1: how plainly the signal shows it.
"""

import math
from typing import Any

import numpy as np
from scipy import signal as dsp  # type: ignore[import-untyped]  # ships no types

from evals.suites.audio.signals import Signal
from evals.suites.audio.sound import Sound

_FRAME = 0.09
"""Seconds of a frame, about."""
_OVERLAP = 4
"""Frames that each sample is in."""
_LOWEST, _HIGHEST = 50.0, 2000.0
"""Hertz between which a pitch is looked for."""
_DIP = 0.15
"""Threshold of the first dip (YIN's step 4)."""
_VOICED = 0.25
"""Depth of a dip from which a frame counts as pitched."""
_SLOWEST, _FASTEST = 40.0, 220.0
"""Beats a minute."""
_FLOOR = -50.0
"""dB of full scale below which a frame is silent."""
_SHORTEST = 0.3
"""Seconds from which silence is reported."""
_FLAT = 3
"""Equal samples in a row that make a flat top, and flat tops that leave no doubt."""
_QUIETEST_TOP = 0.01
"""Peak below which nothing counts as cut off."""


def pitch(sound: Sound) -> dict[str, Any]:
    """Return the median pitch in hertz of the pitched frames; the confidence is their share.

    The method is YIN (de Cheveigne, Kawahara, 2002).
    """
    frames = _frames(sound.samples, _size(sound.rate))
    found = [hertz for frame in frames if (hertz := _yin(frame, sound.rate)) is not None]
    return {
        "hertz": round(float(np.median(found)), 2) if found else None,
        "confidence": round(len(found) / len(frames), 3),
    }


def tempo(sound: Sound) -> dict[str, Any]:
    """Return beats a minute from the autocorrelation of the spectral flux, and how alike the beats are.

    Slow and fast multiples are weighed by a log-normal preference around 120 beats a minute (Ellis, 2007).
    """
    size = _size(sound.rate)
    onsets, rate = _flux(sound, size) if len(sound.samples) > size else np.zeros(1), _OVERLAP * sound.rate / size
    if not onsets.any():
        return {"beats_per_minute": None, "confidence": 0.0}
    spread = np.correlate(onsets, onsets, "full")[len(onsets) - 1 :]
    lags = np.arange(1, len(spread))
    beats = 60 * rate / lags
    inside = (beats >= _SLOWEST) & (beats <= _FASTEST)
    if not inside.any():
        return {"beats_per_minute": None, "confidence": 0.0}
    weight = np.exp(-0.5 * (np.log2(beats / 120) / 1.0) ** 2)
    best = int(lags[inside][np.argmax((spread[1:] * weight)[inside])])
    lag = _refined(spread, best)
    return {
        "beats_per_minute": round(60 * rate / lag, 1),
        "confidence": round(float(np.clip(spread[best] / spread[0], 0, 1)), 3),
    }


def loudness(sound: Sound) -> dict[str, Any]:
    """Return root mean square and peak in dB of full scale, and the crest factor in dB."""
    rms, peak = _decibels(np.sqrt(np.mean(sound.samples**2))), _decibels(np.abs(sound.samples).max())
    return {"rms_db": rms, "peak_db": peak, "crest_db": round(peak - rms, 2), "confidence": 1.0}


def silences(sound: Sound) -> dict[str, Any]:
    """Return the silent stretches with begin and end in seconds, and their share of the whole."""
    hop = _size(sound.rate) // _OVERLAP
    level = np.array([_decibels(np.sqrt(np.mean(frame**2))) for frame in _frames(sound.samples, hop, overlap=1)])
    edges = np.flatnonzero(np.diff(np.concatenate([[0], (level < _FLOOR).astype(int), [0]])))
    second = hop / sound.rate
    found = [(a * second, min(b * second, sound.seconds)) for a, b in edges.reshape(-1, 2)]
    kept = [{"begin": round(a, 2), "end": round(b, 2)} for a, b in found if b - a >= _SHORTEST]
    total = sum(part["end"] - part["begin"] for part in kept)
    return {"silences": kept, "share": round(total / sound.seconds, 3), "confidence": 0.95}


def spectrum(sound: Sound) -> dict[str, Any]:
    """Return centroid, 85 % rolloff in hertz and flatness (0 a tone, 1 white noise) of the mean power spectrum."""
    frequencies, power = dsp.welch(sound.samples, sound.rate, nperseg=min(_size(sound.rate), len(sound.samples)))
    total = power.sum()
    if not total:
        return {"centroid_hertz": None, "rolloff_hertz": None, "flatness": None, "confidence": 0.0}
    rolled = frequencies[np.searchsorted(np.cumsum(power), 0.85 * total)]
    flat = np.exp(np.mean(np.log(power + 1e-20))) / np.mean(power)
    return {
        "centroid_hertz": round(float((frequencies * power).sum() / total), 1),
        "rolloff_hertz": round(float(rolled), 1),
        "flatness": round(float(flat), 4),
        "confidence": 0.95,
    }


def clipping(sound: Sound) -> dict[str, Any]:
    """Return the share of samples in flat tops: peaks that were cut off, even if the whole was turned down since."""
    size, peak = np.abs(sound.samples), float(np.abs(sound.samples).max())
    # Whatever is as quiet as this has many equal samples because numbers are whole.
    top = size >= peak - 1.5 / 2**15 if peak > _QUIETEST_TOP else np.zeros(len(size), bool)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], top.astype(int), [0]])))
    runs = [int(b - a) for a, b in edges.reshape(-1, 2) if b - a >= _FLAT]
    return {
        "clipped_share": round(sum(runs) / len(size), 4),
        "peak_db": _decibels(peak),
        "confidence": 0.95 if not runs or len(runs) >= _FLAT else 0.6,
    }


def _yin(frame: Signal, rate: int) -> float | None:
    """Return the pitch of a frame in hertz, or None where it has none."""
    longest = min(int(rate / _LOWEST), len(frame) // 2)
    width = len(frame) - longest
    energy = np.concatenate([[0.0], np.cumsum(frame**2)])
    if energy[-1] < 1e-8:
        return None
    cross = dsp.correlate(frame, frame[:width], "valid")[: longest + 1]
    lags = np.arange(longest + 1)
    apart = energy[width] + (energy[lags + width] - energy[lags]) - 2 * cross
    sums = np.cumsum(apart[1:])
    normal = np.concatenate([[1.0], apart[1:] * lags[1:] / np.maximum(sums, 1e-12)])
    shortest = max(2, int(rate / _HIGHEST))
    dips = np.flatnonzero(normal[shortest:] < _DIP)
    lag = shortest + int(dips[0]) if len(dips) else shortest + int(np.argmin(normal[shortest:]))
    while lag + 1 < len(normal) and normal[lag + 1] < normal[lag]:
        lag += 1
    return rate / _refined(-normal, lag) if normal[lag] < _VOICED else None


def _flux(sound: Sound, size: int) -> Signal:
    """Return how much energy begins in each frame, summed over log-compressed frequencies."""
    power = np.abs(dsp.stft(sound.samples, sound.rate, nperseg=size, noverlap=size - size // _OVERLAP)[2])
    rising = np.maximum(np.diff(np.log1p(100 * power), axis=1), 0).sum(axis=0)
    flux: Signal = np.maximum(rising - rising.mean(), 0)
    return flux


def _refined(curve: Signal, peak: int) -> float:
    """Return the place of a peak between samples, by the parabola through its neighbours."""
    if not 0 < peak < len(curve) - 1:
        return float(peak)
    left, middle, right = (float(curve[peak + d]) for d in (-1, 0, 1))
    bend = left - 2 * middle + right
    return peak + (0.5 * (left - right) / bend if bend else 0.0)


def _size(rate: int) -> int:
    """Return the samples of a frame: a power of two."""
    return max(64, 1 << round(math.log2(_FRAME * rate)))


def _frames(samples: Signal, size: int, *, overlap: int = _OVERLAP) -> Signal:
    """Return overlapping frames, shape [frames, size]; a short signal is one padded frame."""
    if len(samples) < size:
        return np.pad(samples, (0, size - len(samples)))[None]
    frames: Signal = np.lib.stride_tricks.sliding_window_view(samples, size)[:: size // overlap]
    return frames


def _decibels(value: float) -> float:
    return round(float(20 * np.log10(max(float(value), 1e-6))), 2) + 0.0  # never a negative zero
