"""The listeners: models of different ability that the suite's team delegates to, and what each of them finds."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, Field

from evals.suites.audio import precise, quick
from evals.suites.audio.sound import Sound, read

Listener = Literal["studio", "pocket"]
Analysis = Literal["tempo", "pitch", "loudness", "silence", "spectrum", "clipping"]


class Method(NamedTuple):
    """What an analysis finds, and how the two listeners find it."""

    value: str
    """Key of the value in what they find."""
    unit: str
    words: str
    """What the value is, for people."""
    by: Mapping[Listener, Callable[[Sound], dict[str, Any]]]


METHODS: Mapping[Analysis, Method] = {
    "tempo": Method("beats_per_minute", "beats per minute", "tempo", {"studio": precise.tempo, "pocket": quick.tempo}),
    "pitch": Method("hertz", "Hz", "pitch", {"studio": precise.pitch, "pocket": quick.pitch}),
    "loudness": Method(
        "rms_db", "dB of full scale", "loudness (RMS)", {"studio": precise.loudness, "pocket": quick.loudness}
    ),
    "silence": Method("share", "of its length", "silent share", {"studio": precise.silences, "pocket": quick.silences}),
    "spectrum": Method(
        "centroid_hertz", "Hz", "spectral centroid", {"studio": precise.spectrum, "pocket": quick.spectrum}
    ),
    "clipping": Method(
        "clipped_share", "of its samples", "clipped share", {"studio": precise.clipping, "pocket": quick.clipping}
    ),
}


_DETAILS = ("peak_db", "crest_db", "rolloff_hertz", "flatness")


class Reading(BaseModel):
    """What a listener found in one recording."""

    recording: str
    listener: Listener
    analysis: Analysis
    value: float | None = Field(description="None where the recording has nothing of the kind")
    unit: str
    confidence: float = Field(ge=0, le=1)
    peak_db: float | None = None
    crest_db: float | None = None
    rolloff_hertz: float | None = None
    flatness: float | None = None
    columns: list[str] | None = None
    rows: list[list[float]] | None = Field(default=None, description="Of silences: begin and end in seconds")

    @property
    def text(self) -> str:
        """The reading as a sentence, with the recording as its source."""
        words = METHODS[self.analysis].words
        found = f"the {words} is {self.value:g} {self.unit}" if self.value is not None else f"no {words} was found"
        more = [f"{name} {value:g} {unit}".strip() for name, unit, value in self._more() if value is not None]
        more += [f"silent from {begin:g} s to {end:g} s" for begin, end in self.rows or []]
        by = f"(measured by the {self.listener}, confidence {self.confidence:.2f})"
        return "; ".join([f"{self.recording}: {found} [{self.recording}] {by}", *more]) + "."

    def _more(self) -> list[tuple[str, str, float | None]]:
        return [
            ("peak", "dB of full scale", self.peak_db),
            ("crest factor", "dB", self.crest_db),
            ("85 % rolloff", "Hz", self.rolloff_hertz),
            ("flatness", "", self.flatness),
        ]


def heard(listener: Listener, analysis: Analysis, path: Path) -> Reading:
    """Return what a listener finds in a recording, or raise `Unreadable`."""
    method = METHODS[analysis]
    found = method.by[listener](read(path))
    details = {name: found[name] for name in _DETAILS if name in found}
    if "silences" in found:
        rows = [[part["begin"], part["end"]] for part in found["silences"]]
        details |= {"columns": ["begin", "end"], "rows": rows} if rows else {}
    return Reading(
        recording=path.name,
        listener=listener,
        analysis=analysis,
        value=found[method.value],
        unit=method.unit,
        confidence=found["confidence"],
        **details,
    )
