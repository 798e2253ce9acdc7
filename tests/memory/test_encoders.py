import numpy as np
import pytest

from domain.errors import InvalidSettings
from memory.encoders import Encoder, encoder


def test_rows_are_unit_vectors(wordllama: Encoder) -> None:
    rows = wordllama.encode(["write a blog", "", "  ", "🙂", "x" * 20_000])
    assert rows.shape == (5, wordllama.dimension)
    assert np.linalg.norm(rows, axis=1) == pytest.approx([1.0] * 5, abs=1e-5)


def test_near_texts_are_nearer_than_far_ones(wordllama: Encoder) -> None:
    blog, post, coffee = wordllama.encode(["write a blog", "draft a blog post", "make me a coffee"])
    assert blog @ post > blog @ coffee + 0.3


def test_no_text_gives_no_row(wordllama: Encoder) -> None:
    assert wordllama.encode([]).shape == (0, 256)


@pytest.mark.parametrize(
    ("name", "dimension"),
    [("wordllama", 256), ("chroma-default", 384), ("openai:text-embedding-3-small", 1536)],
)
def test_an_encoder_is_known_by_name_before_anything_is_loaded(name: str, dimension: int) -> None:
    chosen = encoder(name)
    assert (chosen.id, chosen.dimension) == (name, dimension)


@pytest.mark.parametrize("name", ["", "word2vec", "openai:", "openai:gpt-4o", "text-embedding-3-small"])
def test_an_unknown_encoder_names_the_choices(name: str) -> None:
    with pytest.raises(InvalidSettings, match="wordllama, chroma-default, openai:text-embedding-3-small"):
        encoder(name)
