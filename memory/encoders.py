"""Encoders: texts to unit vectors. The default travels with its package and needs neither network nor key."""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from domain.errors import InvalidSettings

Vectors = npt.NDArray[np.float32]
"""Unit rows, shape [texts, dimension]."""

DEFAULT_ENCODER = "wordllama"
_OPENAI_DIMENSIONS = {
    "text-embedding-3-small": 1536,
    "text-embedding-3-large": 3072,
    "text-embedding-ada-002": 1536,
}


class Encoder(Protocol):
    """Turns texts into vectors whose dot product is their cosine similarity."""

    @property
    def id(self) -> str:
        """Stable name; part of the name of every collection built with it."""

    @property
    def dimension(self) -> int:
        """Length of a vector."""

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return one unit row per text; blocking, so call it off the event loop."""


def encoder(name: str = DEFAULT_ENCODER) -> Encoder:
    """Return the encoder called `wordllama`, `chroma-default` or `openai:<model>`; nothing is loaded yet."""
    if name == "wordllama":
        return _LazyEncoder(name, 256, _wordllama)
    if name == "chroma-default":
        return _LazyEncoder(name, 384, _chroma_default)
    model = name.removeprefix("openai:")
    if model != name and model in _OPENAI_DIMENSIONS:
        return _LazyEncoder(name, _OPENAI_DIMENSIONS[model], lambda: _openai(model))
    choices = ["wordllama", "chroma-default", *(f"openai:{m}" for m in _OPENAI_DIMENSIONS)]
    msg = f"there is no encoder {name!r}; choose one of {', '.join(choices)}"
    raise InvalidSettings(msg)


_Embed = Callable[[list[str]], Any]


class _LazyEncoder:
    """An encoder that loads its weights, or connects, at the first text."""

    def __init__(self, name: str, dimension: int, load: Callable[[], _Embed]) -> None:
        self.id = name
        self.dimension = dimension
        self._load = load
        self._embed: _Embed | None = None

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return one unit row per text."""
        if not texts:
            return np.zeros((0, self.dimension), np.float32)
        self._embed = self._embed or self._load()
        return _unit_rows(np.asarray(self._embed(list(texts)), np.float32))


def _unit_rows(rows: Vectors) -> Vectors:
    """Return the rows scaled to length 1; a text without a known word gets the first axis, near to nothing."""
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    empty = norms[:, 0] == 0
    units = np.asarray(rows / np.where(norms == 0, 1, norms), np.float32)
    units[empty, 0] = 1.0
    return units


def _wordllama() -> _Embed:
    guard = logging.NullHandler()
    logging.getLogger().addHandler(guard)  # its import would set the whole process to log everything on stderr
    try:
        import wordllama  # type: ignore[import-untyped]  # ships no types
    finally:
        logging.getLogger().removeHandler(guard)

    model = wordllama.WordLlama.load(cache_dir=Path(wordllama.__file__).parent, disable_download=True)
    # An empty text would make its pooling divide by zero.
    return lambda texts: model.embed([text if text.strip() else "." for text in texts])


def _chroma_default() -> _Embed:
    from chromadb.utils.embedding_functions import DefaultEmbeddingFunction

    return DefaultEmbeddingFunction()


def _openai(model: str) -> _Embed:
    from langchain_openai import OpenAIEmbeddings

    # Without the length check no tokenizer is fetched: goals are far below the model's limit.
    return OpenAIEmbeddings(model=model, check_embedding_ctx_length=False).embed_documents
