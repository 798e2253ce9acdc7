from math import inf

import numpy as np
import pytest

from evals.statistics import difference, holm, pass_hat_k, wilson


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"), [(8, 10, 0.4902, 0.9433), (0, 20, 0.0, 0.1611), (40, 40, 0.9124, 1.0)]
)
def test_rates_have_wilsons_interval(successes: int, trials: int, low: float, high: float) -> None:
    assert wilson(successes, trials) == pytest.approx((low, high), abs=1e-4)


def test_no_trials_say_nothing() -> None:
    assert wilson(0, 0) == (0.0, 1.0)
    with pytest.raises(ValueError, match="3 successes in 2 trials"):
        wilson(3, 2)


def test_k_in_a_row_is_estimated_without_bias() -> None:
    assert pass_hat_k(3, 4, 1) == 0.75
    assert pass_hat_k(3, 4, 2) == 0.5
    assert pass_hat_k(1, 4, 2) == 0
    draws = np.random.default_rng(0).binomial(8, 0.7, size=20_000)
    assert np.mean([pass_hat_k(int(c), 8, 3) for c in draws]) == pytest.approx(0.7**3, abs=0.01)
    with pytest.raises(ValueError, match="in a row"):
        pass_hat_k(1, 2, 3)


@pytest.mark.parametrize("seed", range(100))
def test_identical_versions_are_never_told_apart(seed: int) -> None:
    scores = np.random.default_rng(seed).random(40).tolist()
    assert difference(scores, scores, seed=seed).verdict == "same"


def test_a_drop_of_ten_points_is_found_whichever_tasks_it_hits() -> None:
    rng = np.random.default_rng(1)
    for seed in range(20):
        hit = rng.permutation(40) < 4
        found = difference([1.0] * 40, (~hit).astype(float).tolist(), seed=seed)
        assert found.mean == pytest.approx(-0.1)
        assert found.verdict == "worse"


def test_one_task_that_flips_each_way_is_unclear() -> None:
    before, after = [1.0] * 40, [1.0] * 40
    before[0], after[1] = 0.0, 0.0
    assert difference(before, after).verdict == "unclear"


def test_less_can_be_better() -> None:
    assert difference([5, 6, 7, 8, 9, 9], [1, 2, 3, 4, 5, 5], higher_is_better=False).verdict == "better"


def test_a_handful_of_tasks_tells_nothing() -> None:
    assert difference([1.0] * 5, [0.0] * 5).verdict == "unclear"
    assert difference([1.0] * 6, [0.0] * 6).verdict == "worse"
    assert difference([1.0] * 60, [0.0] * 60, groups=[n % 5 for n in range(60)]).verdict == "unclear"
    assert difference([1.0], [0.0]) == (-1.0, None, "unclear", 1, 1.0)


def test_the_interval_of_few_tasks_is_as_wide_as_it_promises() -> None:
    held = 0
    for seed in range(100):
        before, after = np.random.default_rng(seed).exponential(size=(2, 8))
        interval = difference(before.tolist(), after.tolist(), seed=seed).interval
        assert interval
        held += interval.low <= 0 <= interval.high
    assert held >= 90


def test_half_of_six_tasks_that_fail_tell_nothing() -> None:
    found = difference([1.0] * 6, [0.0] * 3 + [1.0] * 3)
    assert found.verdict == "unclear"
    assert found.p > 0.05


def test_many_metrics_are_judged_together() -> None:
    weak = difference([1.0] * 40, [0.0] * 4 + [1.0] * 36)
    strong = difference([1.0] * 40, [0.0] * 20 + [1.0] * 20)
    same = difference([1.0] * 40, [1.0] * 40)
    assert [weak.verdict, strong.verdict] == ["worse", "worse"]
    assert [found.verdict for found in holm([weak, same, same])] == ["worse", "same", "same"]
    assert [found.verdict for found in holm([weak, weak, same, strong])] == ["unclear", "unclear", "same", "worse"]
    few = difference([1.0] * 5, [0.0] * 5)
    assert [found.verdict for found in holm([few, weak, few])] == ["unclear", "worse", "unclear"]


def test_epochs_of_one_task_do_not_count_as_many_tasks() -> None:
    change = [0.0] * 90 + [-1.0] * 10
    alone = difference([0.0] * 100, change)
    together = difference([0.0] * 100, change, groups=[i // 10 for i in range(100)])
    assert alone.verdict == "worse"
    assert together.verdict == "unclear"
    assert together.mean == alone.mean


def test_the_same_seed_gives_the_same_interval() -> None:
    before, after = [0.1, 0.5, 0.9, 0.3], [0.2, 0.4, 0.8, 0.9]
    assert difference(before, after, seed=3) == difference(before, after, seed=3)


@pytest.mark.parametrize(
    ("before", "after", "groups"),
    [
        ([], [], None),
        ([1.0], [1.0, 2.0], None),
        ([float("nan")], [1.0], None),
        ([inf], [1.0], None),
        ([1.0], [1.0], []),
    ],
)
def test_what_cannot_be_compared_is_refused(before: list[float], after: list[float], groups: list[int] | None) -> None:
    with pytest.raises(ValueError, match=r"compared|groups"):
        difference(before, after, groups=groups)
