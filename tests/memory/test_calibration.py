import numpy as np
import pytest

from memory.calibration import NEVER_NOVEL, MatchModel, calibrate, choose, novel_below
from memory.encoders import Encoder
from memory.heads import Examples, Likeness, fit

LABELS = np.array([0, 0, 1, 1])


def test_the_signals_are_about_the_highest_score() -> None:
    scores = np.array([[0.2, 0.6, -0.1]], np.float32)
    like = Likeness(np.array([[0.1, 0.3, 0.9, 0.5]], np.float32), np.array([[0.7, 0.0, 0.4, 0.2]], np.float32))
    choice = choose(scores, like, LABELS, lambda row, route: 0.25 if (row, route) == (0, 1) else 1.0)
    score, lead, mass, terms, covered = choice.signals[0]
    assert (choice.route.tolist(), choice.similarity.tolist()) == ([1], pytest.approx([0.9]))
    assert (score, lead, mass) == pytest.approx((0.6, np.sqrt(0.4), 0.8))
    assert (terms, covered) == pytest.approx((0.4, 0.25))


def test_a_model_turns_standardised_signals_into_a_probability() -> None:
    model = MatchModel(mean=(1.0,), scale=(2.0,), weights=(3.0,), intercept=0.0)
    assert model.probability(np.array([[1.0], [3.0]])) == pytest.approx([0.5, 1 / (1 + np.exp(-3))])


def test_what_is_far_beyond_sure_is_a_probability_still() -> None:
    model = MatchModel(mean=(0.0,), scale=(1e-6,), weights=(1e6,), intercept=0.0)
    assert model.probability(np.array([[-1e3], [1e3]])).tolist() == pytest.approx([0, 1])


def test_a_memory_of_the_same_words_over_and_over_does_not_call_the_next_ones_novel() -> None:
    assert novel_below(np.ones(60)) == NEVER_NOVEL
    assert novel_below(np.linspace(0.2, 1, 101)) == pytest.approx(0.208)


def test_a_head_that_finds_none_of_its_examples_is_hardly_believed(wordllama: Encoder) -> None:
    goals = [word for pair in (("red rose", "blue sea"), ("red rose", "blue sea")) for word in pair]
    labels = np.array([0, 0, 1, 1])  # the same goals by either route: the nearest other example is always wrong
    examples = Examples.of(goals, wordllama.encode(goals))
    found = calibrate(goals, examples, labels, fit(examples, labels))
    assert found.accuracy == 0
    assert found.model.probability(np.zeros((1, len(found.model.weights)))) == pytest.approx([0.1])
