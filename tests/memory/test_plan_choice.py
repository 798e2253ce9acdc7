import numpy as np
import pytest

from memory.plan_choice import Rival, Weights, calibrated, chosen, fit
from memory.plan_features import FEATURES
from memory.plan_forms import Form

FORMS = [Form(frozenset({i}), frozenset()) for i in range(3)]


def rivals(count: int, *, clear: bool = True) -> list[Rival]:
    """Return goals whose right plan has the highest first feature, or nothing to know it by."""
    chance = np.random.default_rng(0)
    made = []
    for _ in range(count):
        features = chance.normal(size=(3, FEATURES))
        right = int(features[:, 0].argmax()) if clear else int(chance.integers(3))
        made.append(Rival(FORMS, features, np.array([1.0, 0.5, 0.0]), right))
    return made


@pytest.fixture(scope="module")
def weights() -> Weights:
    return fit(rivals(300))


def probability(asked: list[Rival], weights: Weights) -> float:
    """Return the mean calibrated probability of what is chosen."""
    model, choices = calibrated(asked, 3), [chosen(rival, weights, 3) for rival in asked]
    return float(np.mean([model.probability(choice.signals)[choice.order[0]] for choice in choices]))


def test_the_plan_with_what_mattered_before_is_chosen(weights: Weights) -> None:
    new = rivals(350)[300:]
    hits = [chosen(rival, weights, 3).order[0] == rival.right for rival in new]
    assert np.mean(hits) > 0.9


def test_probabilities_leave_room_for_none_of_the_plans(weights: Weights) -> None:
    choice = chosen(rivals(1)[0], weights, 3)
    assert 0 < choice.probabilities.sum() < 1


def test_a_plan_that_shares_steps_with_likely_ones_is_chosen_over_a_lonely_one() -> None:
    pair = [
        Form(frozenset({0, 1}), frozenset()),
        Form(frozenset({0, 2}), frozenset()),
        Form(frozenset({3}), frozenset()),
    ]
    features = np.zeros((3, FEATURES))
    features[:, 0] = [0.0, 0.0, 0.2]
    flat = Weights(np.zeros(FEATURES), np.ones(FEATURES), np.eye(FEATURES)[0], np.zeros(3))
    choice = chosen(Rival(pair, features, np.zeros(3)), flat, 4)
    assert int(choice.probabilities.argmax()) == 2
    assert choice.order[0] in (0, 1)


def test_the_calibrated_probability_is_low_where_nothing_tells_the_plans_apart() -> None:
    unclear, clear = rivals(100, clear=False), rivals(100)
    assert probability(unclear, fit(unclear)) < 0.5
    assert probability(clear, fit(clear)) > 0.8


def test_a_memory_where_no_plan_was_ever_right_is_never_sure() -> None:
    hopeless = [rival._replace(right=None) for rival in rivals(60)]
    assert probability(hopeless, fit(hopeless)) < 0.1
