"""What plays took altogether, and what nobody knows of it."""

import pytest

from evals.results import InvalidResults, SuiteResult, TaskResult, TurnScores, from_json
from evals.scoring.expectations import Score


def turn(number: int, quality: float, **taken: float) -> TurnScores:
    efficiency = [Score(name=f"efficiency.{name}", value=value, kind="efficiency") for name, value in taken.items()]
    return TurnScores(turn=number, scores=[Score(name="quality", value=quality), *efficiency])


ONE = TaskResult(
    suite="s",
    task="one",
    turns=[
        turn(1, 0.5, calls=2, tokens=10, dollars=0.25, model_seconds=1.5, degraded_share=1.0),
        turn(2, 1.0, calls=1, tokens=20, model_seconds=0.5, degraded_share=0.0),
    ],
)
OTHER = TaskResult(suite="s", task="two", turns=[turn(1, 1.0, dollars=0.0, model_seconds=1.0, degraded_share=0.0)])
UNPLAYED = TaskResult(suite="s", task="three", error="not recorded")


def test_what_turns_took_adds_up_and_what_one_of_them_does_not_know_is_left_out() -> None:
    assert ONE.metrics() == {
        "passed": 1.0, "quality": 0.75, "efficiency.calls": 3, "efficiency.tokens": 30, "efficiency.model_seconds": 2.0,
        "efficiency.degraded_share": 0.5,
    }  # fmt: skip


def test_a_suite_tells_seconds_dollars_and_the_degraded_share_of_all_its_plays() -> None:
    told = SuiteResult(name="s", results=[ONE, OTHER, UNPLAYED]).as_json()
    assert {name: told[name] for name in ("calls", "tokens", "model_seconds", "dollars", "degraded_share")} == {
        "calls": 3, "tokens": 30, "model_seconds": 3.0, "dollars": None, "degraded_share": 0.25,
    }  # fmt: skip
    assert SuiteResult(name="s", results=[OTHER, UNPLAYED]).efficiency()["dollars"] == 0.0
    assert set(SuiteResult(name="s", results=[UNPLAYED]).efficiency().values()) == {None}


def test_epochs_are_counted_not_believed() -> None:
    late = SuiteResult(name="s", results=[OTHER.model_copy(update={"epoch": 10**9})])
    assert (late.epochs, late.as_json()["pass_hat"]) == (1, {"1": 1.0})
    with pytest.raises(InvalidResults, match="epoch"):
        from_json({"suites": {"s": {"results": [{"suite": "s", "task": "t", "epoch": 0}]}}})
