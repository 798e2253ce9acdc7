import numpy as np
import pytest

from memory.encoders import Encoder
from memory.heads import Array, Examples, Terms, fit

GOALS = [
    "write a blog about bees",
    "write a blog about tea",
    "draft a blog post on rain",
    "refund the last order",
    "refund my ticket please",
    "give the money back for the order",
    "play some jazz",
    "play the radio",
    "put on some music",
]
LABELS = np.array([0, 0, 0, 1, 1, 1, 2, 2, 2])


@pytest.fixture
def examples(wordllama: Encoder) -> Examples:
    return Examples.of(GOALS, wordllama.encode(GOALS))


def without(examples: Examples, gone: list[int], asked: int) -> Array:
    """Fit anew without some examples and return the scores of one of them."""
    kept = np.array([i not in gone for i in range(len(GOALS))])
    part = examples.kept(kept)
    labels = np.unique(LABELS[kept], return_inverse=True)[1]
    like = part.terms.rows @ examples.terms.rows[asked].T
    cosines = part.vectors @ examples.vectors[asked]
    kernel = (np.exp(2 * (cosines - 1)) + like.toarray()[:, 0]) / 2
    return np.asarray(kernel @ fit(part, labels).alpha)


def test_the_scores_without_an_example_are_those_of_a_head_that_never_saw_it(examples: Examples) -> None:
    fitted = fit(examples, LABELS)
    for i in range(len(GOALS)):
        assert fitted.without_example[i] == pytest.approx(without(examples, [i], i), abs=1e-4)


def test_the_scores_without_a_route_are_those_of_a_head_that_never_saw_the_route(examples: Examples) -> None:
    fitted = fit(examples, LABELS)
    assert fitted.without_route[4, 1] == -1
    assert fitted.without_route[4, [0, 2]] == pytest.approx(without(examples, [3, 4, 5], 4), abs=1e-4)


def test_a_goal_is_most_like_itself(examples: Examples) -> None:
    like = examples.likeness(GOALS[4], examples.vectors[4])
    assert like.kernel[0].argmax() == 4
    assert like.terms[0, 4] == pytest.approx(1.0, abs=1e-5)
    assert like.kernel[0, 4] == pytest.approx(1.0, abs=1e-5)


def test_a_goal_of_unknown_words_is_like_nothing() -> None:
    assert Terms(GOALS).likeness("xyzzy") == pytest.approx(np.zeros(len(GOALS)))
