import numpy as np
import pytest

from memory.vocabulary import Vocabulary, vocabulary_of

GOALS = ["turn the volume up", "raise the volume", "turn the radio off"]


@pytest.fixture
def vocabulary() -> Vocabulary:
    return vocabulary_of(GOALS, np.array([0, 0, 2]))


@pytest.mark.parametrize(
    ("goal", "route", "share"),
    [
        pytest.param("Raise the VOLUME, raise it!", 0, 3 / 4, id="each word once, in any case"),
        pytest.param("lower the volume", 0, 2 / 3, id="a word that the route never had"),
        pytest.param("lower the volume", 2, 1 / 3, id="another route's words"),
        pytest.param("lower the volume", 1, 0.0, id="a route without examples"),
        pytest.param("?!", 0, 0.0, id="no word"),
    ],
)
def test_the_share_of_a_goals_words_that_a_route_has(
    vocabulary: Vocabulary, goal: str, route: int, share: float
) -> None:
    assert vocabulary.share(goal, route) == pytest.approx(share)


def test_an_example_is_no_witness_of_its_own_words(vocabulary: Vocabulary) -> None:
    assert vocabulary.share(GOALS[0], 0) == 1.0
    assert vocabulary.share(GOALS[0], 0, own=True) == pytest.approx(2 / 4)
