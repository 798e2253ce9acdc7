"""A tiny ONNX model in the place of MiniLM: the same inputs and outputs, weights drawn at random, 40 KB in all."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

WORDS = ("[PAD]", "[UNK]", "write", "a", "blog", "heat", "pumps")
FLOAT, INT64 = 1, 7


def write_minilm(folder: Path) -> None:
    """Write everything that Chroma's class looks for."""
    folder.mkdir(parents=True)
    for name in ("config.json", "special_tokens_map.json", "tokenizer_config.json", "vocab.txt"):
        (folder / name).write_text("{}")
    tokenizer = Tokenizer(WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "model.onnx").write_bytes(_model())


def _model() -> bytes:
    """Return `last_hidden_state = weights[input_ids]`, written as protocol buffers by ONNX's field numbers."""
    weights = np.random.default_rng(0).standard_normal((len(WORDS), 384), np.float32)
    tensor = _numbers(1, weights.shape) + _number(2, FLOAT) + _text(8, "weights") + _bytes(9, weights.tobytes())
    node = _text(1, "weights") + _text(1, "input_ids") + _text(2, "last_hidden_state") + _text(4, "Gather")
    names = ("input_ids", "attention_mask", "token_type_ids")
    graph = (
        _bytes(1, node)
        + _text(2, "tiny")
        + _bytes(5, tensor)
        + b"".join(_bytes(11, _value(name, INT64, ("batch", "words"))) for name in names)
        + _bytes(12, _value("last_hidden_state", FLOAT, ("batch", "words", 384)))
    )
    return _number(1, 8) + _bytes(7, graph) + _bytes(8, _text(1, "") + _number(2, 13))


def _value(name: str, kind: int, shape: tuple[str | int, ...]) -> bytes:
    sizes = b"".join(_bytes(1, _number(1, s) if isinstance(s, int) else _text(2, s)) for s in shape)
    return _text(1, name) + _bytes(2, _bytes(1, _number(1, kind) + _bytes(2, sizes)))


def _varint(value: int) -> bytes:
    low, rest = value & 0x7F, value >> 7
    return bytes([low | 0x80]) + _varint(rest) if rest else bytes([low])


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _numbers(field: int, values: Iterable[int]) -> bytes:
    return b"".join(_number(field, value) for value in values)


def _bytes(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(value)) + value


def _text(field: int, value: str) -> bytes:
    return _bytes(field, value.encode())
