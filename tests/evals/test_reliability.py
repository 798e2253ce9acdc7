from pathlib import Path

import pytest

from evals.benchmarks.reliability import Answers, Bin, answers_of, bins, coverage_at, draw, figures

ROWS = [(0.95, True, True), (0.85, True, True), (0.85, False, False), (0.6, True, True), (0.3, False, True)]


@pytest.fixture
def answers() -> Answers:
    return answers_of(ROWS)


def test_the_figures_have_their_fixed_keys(answers: Answers) -> None:
    assert figures(answers) == {
        "accuracy": 0.75,
        "auroc": pytest.approx(4.5 / 6),
        "at_0.8": {"precision": pytest.approx(2 / 3), "coverage": 0.5, "unknown_reused": 1.0},
        "coverage_at_precision": {"0.95": 0.25, "0.98": 0.25},
        "ece": pytest.approx((0.05 + 0.7 + 0.4 + 0.3) / 5),
    }


def test_answers_of_one_confidence_are_not_parted() -> None:
    tied = answers_of([(0.9, True, True), (0.9, False, True), (0.5, True, True)])
    assert coverage_at(tied, 0.95) == 0.0
    assert coverage_at(tied, 0.6) == 1.0


def test_bins_hold_the_answers_of_a_tenth(answers: Answers) -> None:
    assert bins(answers.confidence, answers.right)[-1] == Bin(0.95, 1.0, 0.2)
    assert len(bins(answers.confidence, answers.right)) == 4


def test_nothing_reused_has_no_precision() -> None:
    assert figures(answers_of([(0.1, True, True)]))["at_0.8"] == {
        "precision": None, "coverage": 0.0, "unknown_reused": None,
    }  # fmt: skip


def test_the_diagram_is_a_png(answers: Answers, tmp_path: Path) -> None:
    draw(answers, tmp_path / "r.png")
    assert (tmp_path / "r.png").read_bytes().startswith(b"\x89PNG")
