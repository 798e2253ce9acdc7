"""How well each listener does each analysis on signals whose truth is known: `python -m evals.suites.audio.measure`."""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, get_args

import numpy as np

from evals.suites.audio.listeners import METHODS, Analysis, Listener, heard
from evals.suites.audio.signals import (
    RATE,
    Signal,
    clicks,
    noise,
    overdriven,
    peaking_at,
    silence,
    speech,
    tone,
    write_wav,
)
from evals.suites.audio.sound import Unreadable


class Known(NamedTuple):
    """A signal and what is true of it."""

    signal: Signal
    truth: float


class Measured(NamedTuple):
    """How a listener did one analysis."""

    listener: Listener
    analysis: Analysis
    error: float
    """Median over the signals, in the unit of `TOLERANCES`."""
    right: float
    """Share of all signals that it got within the tolerance; one that it refused is not right."""
    refused: float
    """Share of the signals."""
    confidence: float
    """Mean of what it said of those that it took."""
    milliseconds: float
    """Median."""


TOLERANCES: Mapping[Analysis, tuple[float, str]] = {
    "tempo": (0.02, "relative"),
    "pitch": (0.02, "relative"),
    "loudness": (0.3, "dB"),
    "silence": (0.03, "share"),
    "spectrum": (0.1, "relative"),
    "clipping": (0.02, "share"),
}
"""Within what a value counts as right."""
_LENGTHS = (6.0, 10.0)
"""Seconds; the second one is too long for the pocket listener."""


def known(analysis: Analysis) -> Sequence[Known]:
    """Return the signals for an analysis."""
    return list(_MADE[analysis]())


def measured(listener: Listener, analysis: Analysis, signals: Sequence[Known]) -> Measured:
    """Return how a listener does an analysis."""
    tolerance, unit = TOLERANCES[analysis]
    errors, sure, seconds = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        for signal, truth in signals:
            path = Path(folder) / "signal.wav"
            write_wav(path, signal)
            began = time.perf_counter()
            try:
                reading = heard(listener, analysis, path)
            except Unreadable:
                continue
            taken = time.perf_counter() - began
            off = abs((reading.value if reading.value is not None else 0.0) - truth)
            errors.append(off / abs(truth) if unit == "relative" else off)
            sure.append(reading.confidence)
            seconds.append(taken)
    return Measured(
        listener,
        analysis,
        statistics.median(errors),
        sum(error <= tolerance for error in errors) / len(signals),
        1 - len(errors) / len(signals),
        statistics.fmean(sure),
        1000 * statistics.median(seconds),
    )


def table(rows: Sequence[Measured]) -> str:
    """Return what was measured as a Markdown table."""
    lines = [
        "| analysis | listener | median error | within tolerance | refused | own confidence | median time |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        tolerance, unit = TOLERANCES[row.analysis]
        error = f"{row.error:.1%}" if unit == "relative" else f"{row.error:.3f} {unit}"
        within = f"{tolerance:.0%}" if unit == "relative" else f"{tolerance:g} {unit}"
        lines.append(
            f"| {row.analysis} | {row.listener} | {error} | {row.right:.0%} (of {within}) | {row.refused:.0%} "
            f"| {row.confidence:.2f} | {row.milliseconds:.1f} ms |"
        )
    return "\n".join(lines)


def _tempos() -> Iterator[Known]:
    for length in _LENGTHS:
        for beats in (66, 84, 97, 120, 138, 160):
            for accent in (1, 3, 4):
                yield Known(clicks(beats, length, accent=accent, seed=beats) + noise(length, level=-60), beats)


def _pitches() -> Iterator[Known]:
    for hertz in (98.0, 165.0, 220.0, 440.0, 659.3, 880.0):
        for partials in ((1.0, 0.5, 0.25), (0.0, 1.0, 0.8, 0.6), (0.3, 1.0, 0.5)):
            yield Known(tone(hertz, 1.5, partials=partials) + noise(1.5, level=-45), hertz)
        both = np.stack([tone(hertz, 1.5)] * 2, axis=1)
        yield Known(both, hertz)


def _levels() -> Iterator[Known]:
    for level in (-41.3, -33.8, -26.6, -18.2, -12.4):
        yield Known(noise(2, level=level), level)
        yield Known(tone(300, 2, level=level), level)


def _silences() -> Iterator[Known]:
    for pause in (0.35, 0.6, 0.9, 1.4):
        for level in (-20.0, -32.0):
            talk = speech(((0.9, pause), (1.3, pause), (0.8, 0.0)), level=level)
            yield Known(talk, 2 * pause / (3.0 + 2 * pause))
            breathing = talk + noise(len(talk) / RATE, level=-66)
            yield Known(breathing, 2 * pause / (3.0 + 2 * pause))


def _spectra() -> Iterator[Known]:
    """Yield sums of tones, whose centroid is the mean of their frequencies weighed by their power."""
    for hertz in (150.0, 300.0, 600.0, 900.0):
        for partials in ((1.0,), (1.0, 0.5, 0.25), (0.2, 0.5, 1.0)):
            power = np.array(partials) ** 2
            centre = float((hertz * np.arange(1, len(partials) + 1) * power).sum() / power.sum())
            yield Known(tone(hertz, 2, partials=partials), centre)


def _clippings() -> Iterator[Known]:
    for hertz in (110.0, 196.0, 330.0):
        whole = tone(hertz, 1.5, level=-6)
        yield Known(peaking_at(whole, -0.05), 0.0)
        yield Known(whole * 0.3, 0.0)
        for ceiling, after in ((0.6, 0.0), (0.6, 6.0), (0.4, 12.0)):
            yield Known(overdriven(whole, ceiling, after=after), float((np.abs(whole) >= ceiling).mean()))
    yield Known(np.concatenate([silence(0.5), noise(1, level=-64)]), 0.0)


_MADE: Mapping[Analysis, Callable[[], Iterator[Known]]] = {
    "tempo": _tempos,
    "pitch": _pitches,
    "loudness": _levels,
    "silence": _silences,
    "spectrum": _spectra,
    "clipping": _clippings,
}


def main() -> None:
    """Measure every listener at every analysis and print the table."""
    signals = {analysis: known(analysis) for analysis in METHODS}
    rows = [measured(who, what, signals[what]) for what in METHODS for who in get_args(Listener)]
    sys.stdout.write(f"{table(rows)}\n")


if __name__ == "__main__":
    main()
