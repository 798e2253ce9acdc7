import numpy as np
import pytest

from memory.calibration import MatchModel, choose
from memory.heads import Likeness

LABELS = np.array([0, 0, 1, 1])


def test_the_signals_are_about_the_highest_score() -> None:
    scores = np.array([[0.2, 0.6, -0.1]], np.float32)
    like = Likeness(np.array([[0.1, 0.3, 0.9, 0.5]], np.float32), np.array([[0.7, 0.0, 0.4, 0.2]], np.float32))
    choice = choose(scores, like, LABELS)
    score, lead, ratio, mass, cosine, terms, votes, nearest = choice.signals[0]
    assert (choice.route.tolist(), choice.similarity.tolist()) == ([1], pytest.approx([0.9]))
    assert (score, lead, mass) == pytest.approx((0.6, 0.4, 0.8))
    assert ratio == pytest.approx(np.log(3))
    assert (cosine, terms, nearest) == pytest.approx((0.9, 0.4, (0.9 + 0.5 - 1) / 3))
    assert votes == pytest.approx(sum(np.exp([3.6, 2.0])) / sum(np.exp([3.6, 2.0, 1.2, 0.4])))


def test_a_model_turns_standardised_signals_into_a_probability() -> None:
    model = MatchModel(mean=(1.0,), scale=(2.0,), weights=(3.0,), intercept=0.0)
    assert model.probability(np.array([[1.0], [3.0]])) == pytest.approx([0.5, 1 / (1 + np.exp(-3))])
