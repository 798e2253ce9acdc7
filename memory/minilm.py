"""Chroma's default encoder: all-MiniLM-L6-v2 as an ONNX file, fetched once; imported when it is first used."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
from chromadb.utils.embedding_functions.onnx_mini_lm_l6_v2 import ONNXMiniLM_L6_V2
from onnxruntime.capi.onnxruntime_pybind11_state import (  # type: ignore[import-untyped]  # ships no types
    Fail,
    InvalidArgument,
    InvalidGraph,
    InvalidProtobuf,
    RuntimeException,
)

from domain.errors import EncoderAway


def minilm() -> Callable[[list[str]], Any]:
    """Return what turns texts into vectors of 384 numbers.

    Its files are looked for in `~/.cache/chroma/onnx_models/all-MiniLM-L6-v2/onnx`, and fetched where they are missing.

    Raises:
        EncoderAway: They cannot be fetched, or are damaged; the message says what to do.
    """
    embed = ONNXMiniLM_L6_V2(preferred_providers=["CPUExecutionProvider"])
    folder = Path.home() / ".cache" / "chroma" / "onnx_models" / embed.MODEL_NAME
    embed.DOWNLOAD_PATH = folder  # as the class says, for who the user is now
    archive = folder / embed.ARCHIVE_FILENAME
    try:
        embed._download_model_if_not_exists()
    except (httpx.HTTPError, OSError, ValueError) as error:
        archive.unlink(missing_ok=True)  # a part of it
        raise EncoderAway(
            f"the encoder chroma-default is not on this machine and cannot be fetched "
            f"({type(error).__name__}: {error}); fetch {embed.MODEL_DOWNLOAD_URL} elsewhere and put it at {archive}, "
            "or choose the encoder wordllama, which needs no network"
        ) from error
    try:
        json.loads((folder / embed.EXTRACTED_FOLDER_NAME / "tokenizer.json").read_bytes())
        embed(["."])
    except (OSError, ValueError, Fail, InvalidArgument, InvalidGraph, InvalidProtobuf, RuntimeException) as error:
        raise EncoderAway(
            f"the files of the encoder chroma-default in {folder} cannot be used ({error}); delete the folder to have "
            "them fetched again, or choose the encoder wordllama"
        ) from error
    return embed
