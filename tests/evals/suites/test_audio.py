from pathlib import Path

import numpy as np
import pytest

from evals.suites.audio import precise, quick
from evals.suites.audio.listeners import METHODS
from evals.suites.audio.signals import RATE, clicks, noise, overdriven, peaking_at, silence, speech, tone, write_wav
from evals.suites.audio.sound import Sound, Unreadable, read


def sound(samples: np.ndarray) -> Sound:
    return Sound(samples, RATE, 1)


@pytest.mark.parametrize("hertz", [82.4, 220.0, 440.0, 987.8])
@pytest.mark.parametrize("partials", [(1.0, 0.5, 0.25), (0.0, 1.0, 0.8, 0.6), (0.2, 1.0, 0.5)])
def test_the_careful_analyser_hears_the_pitch_whatever_the_overtones(hertz: float, partials: tuple[float, ...]) -> None:
    found = precise.pitch(sound(tone(hertz, 1.5, partials=partials) + noise(1.5, level=-45)))["hertz"]
    assert found == pytest.approx(hertz, rel=0.02)


def test_the_quick_one_takes_the_strongest_overtone_for_the_pitch() -> None:
    assert quick.pitch(sound(tone(220, 1.5)))["hertz"] == pytest.approx(220, rel=0.01)
    assert quick.pitch(sound(tone(220, 1.5, partials=(0.2, 1.0, 0.5))))["hertz"] == pytest.approx(440, rel=0.01)


@pytest.mark.parametrize("beats", [60, 84, 97, 120, 140, 174])
def test_the_careful_analyser_finds_the_tempo(beats: int) -> None:
    found = precise.tempo(sound(clicks(beats, 12) + noise(12, level=-60)))["beats_per_minute"]
    assert found == pytest.approx(beats, rel=0.02)


def test_the_quick_one_overlooks_quiet_beats() -> None:
    found = quick.tempo(sound(clicks(120, 8)))["beats_per_minute"]
    assert found == pytest.approx(30, abs=5)  # the accents alone
    assert quick.tempo(sound(clicks(120, 8, accent=1)))["beats_per_minute"] == pytest.approx(120, abs=5)


@pytest.mark.parametrize("level", [-40.0, -18.0, -12.0])
def test_loudness_is_what_was_made(level: float) -> None:
    assert precise.loudness(sound(noise(2, level=level)))["rms_db"] == pytest.approx(level, abs=0.3)
    assert quick.loudness(sound(noise(2, level=level)))["rms_db"] == pytest.approx(level, abs=0.6)


def test_silences_are_found_where_they_are() -> None:
    whole = np.concatenate([tone(300, 1), silence(0.8), tone(300, 1), silence(0.1), tone(300, 1)])
    found = precise.silences(sound(whole))
    (part,) = found["silences"]
    assert part["begin"] == pytest.approx(1.0, abs=0.05)
    assert part["end"] == pytest.approx(1.8, abs=0.05)
    assert found["share"] == pytest.approx(0.8 / 3.9, abs=0.02)


def test_the_spectrum_tells_a_tone_from_noise() -> None:
    tonal, noisy = precise.spectrum(sound(tone(440, 2))), precise.spectrum(sound(noise(2)))
    assert tonal["flatness"] < 0.05 < 0.8 < noisy["flatness"]
    assert tonal["centroid_hertz"] < 1000 < noisy["centroid_hertz"]
    assert noisy["rolloff_hertz"] == pytest.approx(0.85 * RATE / 2, rel=0.05)


def test_only_the_careful_analyser_finds_what_was_cut_off_and_turned_down() -> None:
    whole = tone(196, 1.5, level=-6)
    cut, loud = sound(overdriven(whole, 0.5, after=6)), sound(peaking_at(whole, -0.05))
    assert precise.clipping(cut)["clipped_share"] == pytest.approx((np.abs(whole) >= 0.5).mean(), abs=0.02)
    assert quick.clipping(cut)["clipped_share"] == 0
    assert precise.clipping(loud)["clipped_share"] == 0 < quick.clipping(loud)["clipped_share"]


def test_the_quick_one_overlooks_short_silences_and_takes_faint_noise_for_none() -> None:
    talk = speech(((0.9, 0.6), (1.3, 0.36), (0.84, 0.0)))
    assert [len(found["silences"]) for found in (precise.silences(sound(talk)), quick.silences(sound(talk)))] == [2, 1]
    assert (
        quick.silences(sound(noise(2, level=-70)))["share"] == 0 < precise.silences(sound(noise(2, level=-70)))["share"]
    )


def test_the_quick_one_guesses_the_centroid_of_a_tone_only() -> None:
    for found in (
        precise.spectrum(sound(tone(600, 2, partials=(1.0,)))),
        quick.spectrum(sound(tone(600, 2, partials=(1.0,)))),
    ):
        assert found["centroid_hertz"] == pytest.approx(600, rel=0.02)
    both = sound(tone(300, 2, partials=(1.0,)) + tone(2400, 2, partials=(1.0,)))
    assert precise.spectrum(both)["centroid_hertz"] == pytest.approx(1350, rel=0.02)
    assert quick.spectrum(both)["centroid_hertz"] > 1600


@pytest.mark.parametrize("analyse", [method.by[who] for method in METHODS.values() for who in method.by])
@pytest.mark.parametrize("samples", [np.zeros(RATE), np.zeros(1), np.full(50, 0.5)], ids=["silence", "one", "short"])
def test_hardly_any_sound_breaks_nothing(analyse: object, samples: np.ndarray) -> None:
    assert callable(analyse)
    assert 0 <= analyse(sound(samples))["confidence"] <= 1


def test_what_is_written_is_read_in_any_number_format(tmp_path: Path) -> None:
    samples = tone(440, 0.5)
    write_wav(tmp_path / "a.wav", samples)
    found = read(tmp_path / "a.wav")
    assert (found.rate, found.channels, found.seconds) == (RATE, 1, 0.5)
    assert np.abs(found.samples - samples).max() < 1e-4
    write_wav(tmp_path / "b.wav", np.stack([samples, -samples], axis=1))
    assert read(tmp_path / "b.wav").channels == 2
    assert np.abs(read(tmp_path / "b.wav").samples).max() < 1e-4


@pytest.mark.parametrize("content", [b"", b"RIFF", b"not a sound at all", b"RIFF\x24\x00\x00\x00WAVEfmt "])
def test_what_is_no_sound_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.wav").write_bytes(content)
    with pytest.raises(Unreadable, match=r"x\.wav"):
        read(tmp_path / "x.wav")


def test_the_quick_one_refuses_what_is_long_or_has_channels() -> None:
    with pytest.raises(Unreadable, match="8 s"):
        quick.loudness(sound(noise(9)))
    with pytest.raises(Unreadable, match="one channel"):
        quick.pitch(Sound(noise(1), RATE, 2))
