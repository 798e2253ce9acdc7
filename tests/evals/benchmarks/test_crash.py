from collections import Counter
from pathlib import Path

from evals.benchmarks.crash import run
from evals.benchmarks.crash_world import World, expected
from understudy.crashing import worker


def test_killed_runs_are_carried_on_and_their_effects_happen_once() -> None:
    told: list[int] = []
    report = run(worker, kills=10, progress=told.append)
    figures = report.as_json()
    assert report.passed, figures
    assert figures["kills"] == told[-1] == 10
    assert {name: figures[name] for name in ("lost_runs", "duplicate_effects", "open_unknowns")} == {
        "lost_runs": 0, "duplicate_effects": 0, "open_unknowns": 0,
    }  # fmt: skip
    assert figures["boundaries_killed_at"] >= 3
    assert figures["effects"] >= 2 * figures["runs"]


def test_what_is_expected_of_a_rollback_is_each_effect_and_its_undoing() -> None:
    assert expected("rollback", "r") == Counter(["+r.a", "+r.b", "-r.a", "-r.b"])
    assert expected("chain", "r") == Counter(["+r.a", "+r.b"])


def test_the_world_knows_what_stands(tmp_path: Path) -> None:
    world = World(tmp_path / "effects")
    assert not world.stands("a")
    world.add("+", "a", "key")
    assert world.stands("a")
    world.add("-", "a", "key")
    assert not world.stands("a")
    world.add("+", "a", "key")
    assert world.happened() == {"+a": 2, "-a": 1}
