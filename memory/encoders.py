"""Encoders: texts to unit vectors. The default travels with its package and needs neither network nor key."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
from pydantic import SecretStr

from domain.errors import EncoderAway, InvalidSettings

Vectors = npt.NDArray[np.float32]
"""Unit rows, shape [texts, dimension]."""

DEFAULT_ENCODER = "wordllama"
ENCODERS = (DEFAULT_ENCODER, "chroma-default")
"""The built-in ones that are not services."""
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
        """Return one unit row per text; blocking, so call it off the event loop.

        Raises:
            EncoderAway: It cannot be loaded or reached now.
        """


@dataclass(frozen=True)
class Access:
    """How an encoder that is a service is reached."""

    api_key: SecretStr | None = None
    base_url: str | None = None
    """Any OpenAI-compatible server; None takes the provider's own."""
    timeout: float = 15.0
    """Seconds without a byte from the server."""
    max_retries: int = 2
    clock: Callable[[], float] = time.monotonic
    """Returns seconds that never go back."""


class Loadable(NamedTuple):
    """An encoder that something else brings along."""

    dimension: int
    """Length of a vector."""
    load: "Callable[[], _Embed]"
    """Returns what turns texts into one vector each; called at the first text, in a thread."""


def encoder_from(name: str, loadable: Loadable) -> Encoder:
    """Return an encoder of this name, whose vectors are checked and scaled; nothing is loaded yet."""
    return _LazyEncoder(name, loadable.dimension, loadable.load)


def encoder(name: str = DEFAULT_ENCODER, access: Access | None = None) -> Encoder:
    """Return the encoder called `wordllama`, `chroma-default` or `openai:<model>`; nothing is loaded yet.

    Raises:
        InvalidSettings: There is no such encoder.
    """
    if name == "wordllama":
        return _LazyEncoder(name, 256, _wordllama)
    if name == "chroma-default":
        return _LazyEncoder(name, 384, _chroma_default)
    model = name.removeprefix("openai:")
    if model != name and model in _OPENAI_DIMENSIONS:
        return _LazyEncoder(name, _OPENAI_DIMENSIONS[model], lambda: _openai(model, access or Access()))
    choices = [*ENCODERS, *(f"openai:{m}" for m in _OPENAI_DIMENSIONS)]
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
        self._loading = threading.Lock()

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return one unit row per text."""
        if not texts:
            return np.zeros((0, self.dimension), np.float32)
        with self._loading:
            self._embed = self._embed or self._load()
        # An empty text would make a pooling divide by zero, and a service refuse the request.
        return _unit_rows(self._checked(self._embed([text if text.strip() else "." for text in texts]), len(texts)))

    def _checked(self, found: Any, count: int) -> Vectors:
        """Return the rows, or raise where they are not one vector of this encoder's per text."""
        widths = {len(row) for row in found}
        if len(found) != count or widths != {self.dimension}:
            told = f"{len(found)} vectors of {', '.join(map(str, sorted(widths)))} numbers for {count} texts"
            raise EncoderAway(f"{self.id} answered with {told}, not of {self.dimension}: another model answers there")
        rows = np.asarray(found, np.float32)
        if not np.isfinite(rows).all():
            raise EncoderAway(f"{self.id} answered with what is no number")
        return rows


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
    embed: _Embed = model.embed
    return embed


def _chroma_default() -> _Embed:
    from memory.minilm import minilm

    return minilm()


def _openai(model: str, access: Access) -> _Embed:
    from memory.embedding_service import EmbeddingService

    service = EmbeddingService(
        model,
        api_key=access.api_key,
        base_url=access.base_url,
        timeout=access.timeout,
        max_retries=access.max_retries,
        clock=access.clock,
    )
    return service.embed
