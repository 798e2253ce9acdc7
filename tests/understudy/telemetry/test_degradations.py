"""Since when something does not work."""

from pathlib import Path

import pytest

from understudy.telemetry.degradations import Degradations


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=[True, False], ids=["kept", "in this process"])
def degradations(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Degradations:
    return Degradations(clock, tmp_path / "degraded.json" if request.param else None)


def test_a_reason_has_the_time_at_which_it_was_first_seen(degradations: Degradations, clock: Clock) -> None:
    degradations.note(["Redis is away"])
    clock.now += 60
    found = degradations.note(["Redis is away", "Chroma is away"])
    assert [(each.reason, each.since) for each in found] == [("Redis is away", 1000.0), ("Chroma is away", 1060.0)]


def test_a_reason_that_comes_again_has_a_new_time(degradations: Degradations, clock: Clock) -> None:
    degradations.note(["Redis is away"])
    degradations.note([])
    clock.now += 60
    assert degradations.note(["Redis is away"])[0].since == 1060.0


def test_numbers_in_a_reason_may_change_while_it_lasts(degradations: Degradations, clock: Clock) -> None:
    degradations.note(["3 writes wait for Redis"])
    clock.now += 60
    assert degradations.note(["12 writes wait for Redis"])[0].since == 1000.0


def test_one_does_not_end_what_is_wrong_with_another(degradations: Degradations, clock: Clock) -> None:
    degradations.note(["2 notices wait"], about="a")
    clock.now += 60
    degradations.note([], about="b")
    assert degradations.note(["2 notices wait"], about="a")[0].since == 1000.0


def test_times_outlive_the_process_without_the_words(tmp_path: Path, clock: Clock) -> None:
    file = tmp_path / "degraded.json"
    Degradations(clock, file).note(["the host secret.example is away"])
    clock.now += 60
    assert Degradations(clock, file).note(["the host secret.example is away"])[0].since == 1000.0
    assert "secret" not in file.read_text()
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["degraded.json"]


@pytest.mark.parametrize("junk", ["", "{", "[]", '{"a": 1}', '{"a": {"b": "x"}}', '{"a": {"b": null}}'])
def test_a_damaged_file_is_written_anew(junk: str, tmp_path: Path, clock: Clock) -> None:
    file = tmp_path / "degraded.json"
    file.write_text(junk)
    assert Degradations(clock, file).note(["away"])[0].since == 1000.0
    clock.now += 60
    assert Degradations(clock, file).note(["away"])[0].since == 1000.0


def test_a_folder_that_cannot_be_written_costs_only_the_memory(tmp_path: Path, clock: Clock) -> None:
    degradations = Degradations(clock, tmp_path / "missing" / "degraded.json")
    assert degradations.note(["away"])[0].since == 1000.0


def test_a_clock_that_was_set_back_tells_no_time_to_come(degradations: Degradations, clock: Clock) -> None:
    degradations.note(["away"])
    clock.now -= 500
    assert degradations.note(["away"])[0].since == 500.0
