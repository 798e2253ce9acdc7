"""Embeddings on the wire: one vector per text, the same each time, nearer for texts that share words."""

import base64
import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt


def embeddings(reply: Mapping[str, Any], request: Mapping[str, Any]) -> dict[str, Any]:
    """Return vectors of `reply["embeddings"]` numbers for the request's input, in the form that it asks for."""
    given = request["input"]
    texts = [given] if isinstance(given, str) else list(given)
    packed = request.get("encoding_format") == "base64"
    data = []
    for index, text in enumerate(texts):
        row = vector(text, reply["embeddings"])
        data.append({
            "object": "embedding", "index": index,
            "embedding": base64.b64encode(row.tobytes()).decode() if packed else row.tolist(),
        })  # fmt: skip
    tokens = sum(len(text.split()) for text in texts)
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return {"object": "list", "model": request.get("model", ""), "data": data, "usage": usage}


def vector(text: str, dimension: int) -> npt.NDArray[np.float32]:
    """Return the mean of one fixed random direction per word, shape [dimension]."""
    rows = [_direction(word, dimension) for word in text.casefold().split() or [""]]
    return np.asarray(np.mean(rows, axis=0), np.float32)


def _direction(word: str, dimension: int) -> npt.NDArray[np.float32]:
    seed = int.from_bytes(hashlib.sha256(word.encode("utf-8", "surrogatepass")).digest()[:8])
    return np.random.default_rng(seed).standard_normal(dimension, np.float32)
