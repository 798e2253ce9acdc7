"""What a memory has learnt about routes, as a record: numbers and ids in JSON, every one checked when it is read.

Goals are not in it; they are in the remembered tasks alone, and are forgotten with them.
"""

import base64
import binascii
import logging
import zlib
from collections.abc import Mapping
from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from memory.calibration import SIGNALS, Calibration
from memory.encoders import Vectors
from memory.heads import Array, Examples
from memory.learnt import MAX_EXAMPLES, Learnt
from memory.records import Value
from memory.stored_numbers import Number, StoredModel


class _Stored(BaseModel):
    model_config = ConfigDict(extra="forbid")

    format: Literal[2] = 2
    """Version of the stored form; another one is learnt anew."""
    encoder: str
    size: int = Field(ge=0)
    tasks: list[str] = Field(max_length=MAX_EXAMPLES)
    routes: list[str] = Field(max_length=MAX_EXAMPLES)
    labels: list[Annotated[int, Field(ge=0, lt=MAX_EXAMPLES)]]
    """By task, as places in `routes`."""
    alpha: str
    model: StoredModel
    novel_below: Number
    accuracy: float = Field(ge=0, le=1)

    @model_validator(mode="after")
    def _fits_together(self) -> "_Stored":
        if len(self.labels) != len(self.tasks) or max(self.labels, default=0) >= len(self.routes):
            raise ValueError("the parts are of different lengths")
        if len(set(self.tasks)) < len(self.tasks):
            raise ValueError("a task is there twice")
        self.model.check(SIGNALS)
        return self


def stored(learnt: Learnt) -> Value:
    """Return what was learnt as a record; the examples are in it by their ids alone, without their words."""
    record = _Stored(
        encoder=learnt.encoder,
        size=learnt.size,
        tasks=list(learnt.tasks),
        routes=list(learnt.routes),
        labels=learnt.labels.tolist(),
        alpha=base64.b64encode(zlib.compress(learnt.alpha.astype(np.float16).tobytes(), 1)).decode(),
        model=StoredModel.model_validate(learnt.calibration.model._asdict()),
        novel_below=learnt.calibration.novel_below,
        accuracy=learnt.calibration.accuracy,
    )
    return record.model_dump(mode="json")


def restored(value: Value, goals: Mapping[str, str], vectors: Mapping[str, Vectors], encoder: str) -> Learnt | None:
    """Return what was stored, with the goals and vectors of its tasks by id.

    None where it was stored otherwise, is damaged, or fewer than two routes keep a task: then it is learnt anew.
    Blocking: the goals' words are taken anew.
    """
    try:
        record = _Stored.model_validate(value)
        alpha = _alpha(record)
    except (ValidationError, ValueError, zlib.error, binascii.Error) as error:
        logging.getLogger(__name__).warning("what was learnt about routes cannot be read: %s", type(error).__name__)
        return None
    living = [i for i, task in enumerate(record.tasks) if task in goals]
    labels = np.array(record.labels, np.int64)[living]
    if record.encoder != encoder or len(set(labels.tolist())) < 2:
        return None
    tasks = [record.tasks[i] for i in living]
    texts = [goals[task] for task in tasks]
    return Learnt(
        encoder=encoder,
        tasks=tasks,
        goals=texts,
        routes=record.routes,
        labels=labels,
        examples=Examples.of(texts, np.stack([vectors[task] for task in tasks])),
        alpha=alpha[living],
        calibration=Calibration(record.model.model(), record.novel_below, record.accuracy),
        size=record.size,
    )


def _alpha(record: _Stored) -> Array:
    """Return the head, no larger than it can be and with no number that is none."""
    rows, columns = len(record.tasks), len(record.routes)
    packed = base64.b64decode(record.alpha, validate=True)
    plain = zlib.decompressobj().decompress(packed, rows * columns * 2 + 1)
    alpha = np.frombuffer(plain, np.float16).astype(np.float32).reshape(rows, columns)
    if not np.isfinite(alpha).all():
        raise ValueError("a number of the head is none")
    return alpha
