import numpy as np
import pytest

from evals.counterfactual import Estimate, Logged, doubly_robust, inverse_propensity

WORTH = np.array([0.9, 0.4, 0.6])
"""Of three actions."""


def _log(rows: int, *, share: float, bias: float = 0.0, seed: int = 0) -> list[Logged]:
    """Return decisions of a policy that takes action 0 with `share`, seen by one that always takes action 2."""
    rng = np.random.default_rng(seed)
    chances = np.array([share, (1 - share) / 2, (1 - share) / 2])
    actions = rng.choice(3, size=rows, p=chances)
    rewards = (rng.random(rows) < WORTH[actions]).astype(float)
    expected = WORTH + bias
    return [
        Logged(r, float(chances[a]), float(a == 2), float(expected[a]), float(expected[2]))
        for a, r in zip(actions, rewards, strict=True)
    ]


def _holds(estimate: Estimate, truth: float) -> bool:
    assert estimate.interval is not None
    return estimate.interval.low <= truth <= estimate.interval.high


def test_both_estimates_find_the_worth_of_a_policy_that_was_never_followed() -> None:
    rows = _log(4000, share=0.6)
    for estimate in (inverse_propensity(rows), doubly_robust(rows)):
        assert estimate.value == pytest.approx(0.6, abs=0.04)
        assert estimate.unsupported == 0


def test_a_biased_model_is_mended_by_the_propensities() -> None:
    assert doubly_robust(_log(4000, share=0.6, bias=0.3)).value == pytest.approx(0.6, abs=0.05)


def test_the_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    held = sum(_holds(inverse_propensity(_log(300, share=0.5, seed=seed)), 0.6) for seed in range(100))
    assert held >= 88


def test_rewards_that_are_all_alike_are_no_certainty() -> None:
    rows = [Logged(1.0, 0.5, 1.0, 1.0, 1.0)] * 20
    for estimate in (inverse_propensity(rows), doubly_robust(rows)):
        assert estimate.value == 1
        assert estimate.interval
        assert estimate.interval.low == pytest.approx(0.839, abs=1e-3)


def test_a_log_without_the_policys_actions_gives_no_estimate() -> None:
    rows = [Logged(1.0, 1.0, 0.0, 0.5, 0.5, reachable=0.0)] * 500
    for estimate in (inverse_propensity(rows), doubly_robust(rows)):
        assert estimate.value is None
        assert estimate.interval is None
        assert estimate.unsupported == 1
        assert "too few" in estimate.note


def test_what_was_never_tried_is_told() -> None:
    rows = [Logged(1.0, 1.0, 1.0)] * 30 + [Logged(0.0, 1.0, 0.0, reachable=0.0)] * 10
    estimate = inverse_propensity(rows)
    assert estimate.value == 1.0
    assert estimate.unsupported == 0.25
    assert "25%" in estimate.note


def test_an_empty_log_gives_no_estimate() -> None:
    assert inverse_propensity([]).value is None


def test_a_rare_row_cannot_decide_everything() -> None:
    rows = [Logged(0.0, 0.5, 0.5)] * 200 + [Logged(1.0, 1e-9, 1.0)]
    value = inverse_propensity(rows).value
    assert value is not None
    assert value < 0.1


@pytest.mark.parametrize("row", [Logged(1, 0, 1), Logged(1, 1.5, 1), Logged(1, 0.5, -0.1), Logged(1, float("nan"), 1)])
def test_what_is_no_probability_is_refused(row: Logged) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        inverse_propensity([row])


def test_a_doubly_robust_estimate_needs_a_model() -> None:
    with pytest.raises(ValueError, match="model"):
        doubly_robust([Logged(1.0, 0.5, 0.5)])
