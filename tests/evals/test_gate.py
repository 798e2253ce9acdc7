"""The gate: what was accepted may not get worse, and what got better can be accepted."""

from pathlib import Path

import pytest

from evals.gate import Baseline, InvalidBaseline, held, read_baseline, write_baseline
from evals.results import SuiteResult, TaskResult, TurnScores
from evals.scoring.expectations import Score, right


def result(task: str, *, good: bool = True, calls: int = 10, tokens: int = 1000, epoch: int = 1) -> TaskResult:
    costs = {"efficiency.calls": calls, "efficiency.tokens": tokens}
    scores = [right("route.source", good, "wrong"), *(
        Score(name=name, value=value, kind="efficiency") for name, value in costs.items()
    )]  # fmt: skip
    return TaskResult(suite="s", task=task, epoch=epoch, turns=[TurnScores(turn=1, scores=scores)])


def suite(*results: TaskResult, name: str = "s") -> SuiteResult:
    return SuiteResult(name=name, results=list(results))


BEFORE = Baseline().with_results([suite(result("a"), result("b"), result("c", good=False))], every=True)


@pytest.mark.parametrize(
    ("now", "worse", "better"),
    [
        ([result("a"), result("b"), result("c", good=False)], [], []),
        (
            [result("a", good=False), result("b"), result("c")],
            ["s/a passed and does not any more"],
            ["s/c passes now"],
        ),
        ([result("a"), result("c", good=False)], ["s/b is gone"], []),
        ([result("a"), result("a", good=False, epoch=2), result("b"), result("c", good=False)],
         ["s/a passed and does not any more"], []),
        ([result("a"), result("b"), result("c", good=False), result("d"), result("e", good=False)],
         ["s/e is new and does not pass"], ["s/d is new and passes"]),
        ([result("a", calls=11), result("b"), result("c", good=False)], [], []),
        ([result("a", calls=12), result("b"), result("c", good=False)], ["s: 20 model calls became 22"], []),
        ([result("a", tokens=500), result("b"), result("c", good=False)], [], ["s: 2000 tokens became 1500"]),
    ],
)  # fmt: skip
def test_what_is_worse_and_what_is_better(now: list[TaskResult], worse: list[str], better: list[str]) -> None:
    assert held([suite(*now)], BEFORE, every=True) == (worse, better)


def test_a_suite_that_was_not_run_is_missed_only_where_all_were_wanted() -> None:
    now = [suite(result("x"), name="other")]
    assert held(now, BEFORE, every=True).worse == ["s: the suite is gone"]
    assert held(now, BEFORE, every=False).worse == []
    assert set(BEFORE.with_results(now, every=False).suites) == {"s", "other"}
    assert set(BEFORE.with_results(now, every=True).suites) == {"other"}


def test_a_baseline_is_a_file_that_is_read_back_and_named_when_it_is_broken(tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"
    with pytest.raises(InvalidBaseline, match="there is no baseline .*--accept"):
        read_baseline(path)
    write_baseline(path, BEFORE)
    assert read_baseline(path) == BEFORE
    path.write_text(path.read_text()[:30])
    with pytest.raises(InvalidBaseline, match="baseline.json is no baseline"):
        read_baseline(path)
