import numpy as np
import pytest

from memory.picture import pictured


def test_the_axes_are_those_along_which_vectors_differ_most() -> None:
    vectors = np.array([[0, 0, 0], [10, 0, 0], [0, 3, 0], [10, 3, 0.1]], np.float32)
    places = pictured(vectors).places
    assert abs(places[1, 0] - places[0, 0]) > abs(places[2, 1] - places[0, 1]) > 0
    assert places[:, 0].argmax() in (1, 3)
    assert np.abs(places).max() == pytest.approx(1)


def test_the_same_vectors_have_the_same_places_bit_by_bit() -> None:
    vectors = np.random.default_rng(1).normal(size=(50, 16)).astype(np.float32)
    assert pictured(vectors).places.tobytes() == pictured(vectors.copy()).places.tobytes()


@pytest.mark.parametrize("vectors", [np.zeros((0, 4)), np.ones((1, 4)), np.ones((5, 4))])
def test_what_cannot_be_told_apart_is_in_the_middle(vectors: np.ndarray) -> None:
    places = pictured(vectors.astype(np.float32)).places
    assert places.shape == (len(vectors), 2)
    assert not places.any()


def test_vectors_of_one_dimension_have_a_second_coordinate_of_nothing() -> None:
    places = pictured(np.array([[1.0], [2.0], [4.0]], np.float32)).places
    assert not places[:, 1].any()
    assert list(places[:, 0]) == sorted(places[:, 0])
