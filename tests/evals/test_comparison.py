import json

import pytest

from evals.comparison import NothingInCommon, compared
from evals.results import SuiteResult, TaskResult, TurnScores, as_json
from evals.scoring.expectations import Score


def result(number: int, *, good: bool = True, calls: float = 5, epoch: int = 1, suite: str = "home") -> TaskResult:
    scores = [
        Score(name="route.source", value=float(good), passed=good, detail="" if good else "planner, not memory"),
        Score(name="efficiency.calls", value=calls, kind="efficiency"),
    ]
    turns = [TurnScores(turn=1, scores=scores)]
    return TaskResult(suite=suite, task=f"task-{number:02}", epoch=epoch, turns=turns)


@pytest.mark.parametrize("seed", range(100))
def test_a_version_compared_with_itself_raises_no_alarm(seed: int) -> None:
    results = [result(n, good=n % 3 > 0, calls=n) for n in range(40)]
    assert {m.verdict for m in compared(results, results, seed=seed).metrics} == {"same"}


def test_a_planted_drop_is_found_with_the_tasks_that_flipped() -> None:
    before = [result(n) for n in range(40)]
    after = [result(n, good=n % 10 > 0) for n in range(40)]
    found = compared(before, after)
    verdicts = {m.metric: m.verdict for m in found.metrics}
    assert verdicts == {"passed": "worse", "route.source": "worse", "efficiency.calls": "same"}
    assert found.regressed
    assert [(f.task, f.to) for f in found.flips] == [(f"task-{n:02}", "fails") for n in (0, 10, 20, 30)]
    assert "planner, not memory" in found.flips[0].why[0]
    assert not compared(after, before).regressed


def test_a_single_task_tells_nothing_of_a_version() -> None:
    found = compared([result(1)], [result(1, good=False)])
    assert [(m.interval, m.verdict) for m in found.metrics if m.change] == [(None, "unclear")] * 2
    assert [flip.task for flip in found.flips] == ["task-01"]
    assert not found.regressed


def test_fewer_calls_are_better() -> None:
    found = compared([result(n, calls=8) for n in range(20)], [result(n, calls=6) for n in range(20)])
    assert {m.metric: m.verdict for m in found.metrics}["efficiency.calls"] == "better"


def test_tasks_without_a_pair_are_named() -> None:
    found = compared([result(1), result(2)], [result(2), result(3)])
    assert (found.only_before, found.only_after) == (["home/task-01"], ["home/task-03"])
    assert found.metrics[0].tasks == 1


def test_nothing_in_common_cannot_be_compared() -> None:
    with pytest.raises(NothingInCommon, match="1 plays before, 0 after"):
        compared([result(1)], [])


def test_a_task_passes_when_every_epoch_does() -> None:
    suite = SuiteResult(name="home", results=[result(1, epoch=e, good=e != 2) for e in (1, 2, 3)] + [result(2)])
    assert (suite.passed, len(suite.tasks)) == (1, 2)
    assert suite.pass_hat(2) is None
    first = SuiteResult(name="home", results=[result(1, epoch=e, good=e != 2) for e in (1, 2, 3)])
    assert first.pass_hat(1) == pytest.approx(2 / 3)
    assert first.pass_hat(2) == pytest.approx(1 / 3)


def test_failures_come_first_and_the_same_results_give_the_same_bytes() -> None:
    results = [result(1), result(2, good=False)]
    one = as_json([SuiteResult(name="home", results=results)])
    other = as_json([SuiteResult(name="home", results=results[::-1])])
    assert json.dumps(one) == json.dumps(other)
    assert one["suites"]["home"]["results"][0]["task"] == "task-02"
    assert (one["tasks"], one["passed"]) == (2, 1)


def test_a_task_that_broke_down_did_not_pass() -> None:
    broken = TaskResult(suite="home", task="t", error="calls.json, line 3: not JSON")
    assert not broken.passed
    assert broken.failures == ["calls.json, line 3: not JSON"]
