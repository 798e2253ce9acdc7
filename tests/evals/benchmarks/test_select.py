import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from domain.errors import InvalidSettings, UserError
from evals.benchmarks.outcome_rows import Stream, read_stream
from evals.benchmarks.select import chosen_policies, replay, run
from memory.encoders import encoder
from understudy.cli.main import app

EASY = {
    "task_type": "easy",
    "goal": "Add 1 and 1",
    "outcomes": {"weak": 1, "strong": 1},
    "cost": {"weak": 1, "strong": 9},
}
HARD = {"task_type": "hard", "goal": "Prove it", "outcomes": {"weak": 0, "strong": 1}, "cost": {"weak": 1, "strong": 9}}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "outcomes.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in [EASY, HARD] * 150) + "\n\n")
    return path


@pytest.fixture
def stream(file: Path) -> Stream:
    return read_stream(file, encoder())


def test_the_figures_are_those_of_a_pencil(stream: Stream) -> None:
    figures = run(stream, policies=["greedy"], price=0.1, seeds=2).figures
    weak = 0.1 / 9
    assert figures["arms"]["strong"] == pytest.approx({"quality": 1.0, "cost": 9.0, "utility": 0.9})
    assert figures["arms"]["weak"] == pytest.approx({"quality": 0.5, "cost": 1.0, "utility": 0.5 - weak})
    assert figures["oracle"] == pytest.approx({"quality": 1.0, "cost": 5.0, "utility": 0.95 - weak / 2})
    assert figures["best_fixed"] == "strong"


def test_regret_and_utility_tell_the_same(stream: Stream) -> None:
    figures = run(stream, policies=["greedy", "source"], price=0.1, seeds=3).figures
    for of in figures["policies"].values():
        for regret, best in (("best_fixed", figures["arms"]["strong"]), ("oracle", figures["oracle"])):
            assert of[f"regret_{regret}"] / 300 == pytest.approx(best["utility"] - of["utility"])
        assert of["utility"] == pytest.approx(of["quality"] - 0.1 * of["cost"] / 9)


def test_the_default_beats_the_best_fixed_arm_where_kinds_differ(stream: Stream) -> None:
    report = run(stream, policies=["shared-linear"], seeds=3)
    assert report.passed
    assert report.figures["policies"]["shared-linear"]["regret_best_fixed"] < -3


def test_a_seed_gives_the_same_replay_and_another_one_another(stream: Stream) -> None:
    first, again, other = (replay(stream, "shared-linear", price=0.1, seed=seed) for seed in (1, 1, 2))
    assert (first[0].tolist(), first[1].tolist()) == (again[0].tolist(), again[1].tolist())
    assert first[0].tolist() != other[0].tolist()
    assert sorted(first[0]) == list(range(300))


def test_the_command_prints_one_object_and_draws(file: Path, tmp_path: Path) -> None:
    png = tmp_path / "curves.png"
    given = ["bench", "select", "--outcomes", str(file), "--policy", "all", "--seeds", "2", "--png", str(png), "--json"]
    done = CliRunner().invoke(app, given)
    printed = json.loads(done.stdout)
    assert done.exit_code == 0
    assert set(printed["policies"]) == {"shared-linear", "thompson", "linear", "neighbours", "greedy", "source"}
    wanted = {"quality", "cost", "utility", "regret_best_fixed", "regret_oracle"}
    assert all(wanted <= set(figures) for figures in printed["policies"].values())
    assert printed["default"] == "shared-linear"
    assert png.read_bytes().startswith(b"\x89PNG")


def test_an_unknown_policy_is_refused() -> None:
    with pytest.raises(InvalidSettings, match="no selection policy 'oracle'"):
        chosen_policies(["greedy", "oracle"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"outcomes": {"weak": 1}}, "line 2: every row has an outcome and a cost of the same arms"),
        ({"cost": {"weak": 1, "strong": -1}}, "line 2: task_type and goal are texts"),
        ({"outcomes": {"weak": 1, "strong": 3}}, "line 2: outcomes lie in 0..1"),
        ({"goal": 7}, "line 2: task_type and goal are texts"),
        ({"latency": {"weak": 1}}, "line 2: every row"),
        ({"outcomes": [1, 2]}, "line 2 is not"),
        ({"cost": {"weak": "x", "strong": 1}}, "line 2 is not"),
    ],
    ids=lambda value: json.dumps(value) if isinstance(value, dict) else "",
)
def test_a_bad_row_is_named(tmp_path: Path, change: Mapping[str, Any], message: str) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text(json.dumps(EASY) + "\n" + json.dumps(EASY | dict(change)))
    with pytest.raises(UserError, match=message):
        read_stream(path, encoder())


@pytest.mark.parametrize("text", ["", "{"], ids=["empty", "no JSON"])
def test_a_file_without_rows_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text(text)
    with pytest.raises(UserError):
        read_stream(path, encoder())


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="none.jsonl cannot be read"):
        read_stream(tmp_path / "none.jsonl", encoder())
