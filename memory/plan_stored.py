"""What a memory has learnt about plans, as a record: numbers and ids in JSON, every one checked when it is read.

Goals, arguments and tasks are not in it; they are in the remembered tasks alone, and are forgotten with them.
"""

import base64
import binascii
import logging
import zlib
from collections.abc import Mapping
from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from memory.encoders import Vectors
from memory.heads import Array, Examples
from memory.plan_choice import NONE_FEATURES, Weights
from memory.plan_features import FEATURES
from memory.plan_forms import Form, Forms
from memory.plan_ranker import MAX_NODES, MAX_PLANS, PlanRanker
from memory.plan_shapes import Node
from memory.records import Value
from memory.stored_numbers import LEAST_SCALE, Number, StoredModel

SIGNALS = 2

Plain = Annotated[list[Number], Field(min_length=FEATURES, max_length=FEATURES)]
Place = Annotated[int, Field(ge=0, lt=MAX_NODES)]


class _Weights(BaseModel):
    model_config = ConfigDict(extra="forbid")

    mean: Plain
    scale: Plain
    plan: Plain
    none: Annotated[list[Number], Field(min_length=NONE_FEATURES, max_length=NONE_FEATURES)]


class _Stored(BaseModel):
    model_config = ConfigDict(extra="forbid")

    format: Literal[1] = 1
    """Version of the stored form; another one is learnt anew."""
    encoder: str
    size: int = Field(ge=0)
    tasks: list[str] = Field(max_length=MAX_PLANS)
    nodes: list[tuple[str, str | None, int]] = Field(max_length=MAX_NODES)
    forms: list[tuple[list[Place], list[tuple[Place, Place]]]]
    """Nodes and edges by task, as places in `nodes`."""
    alpha: str
    mean: list[Number]
    weights: _Weights
    model: StoredModel
    novel_below: Number

    @model_validator(mode="after")
    def _fits_together(self) -> "_Stored":
        if len(self.forms) != len(self.tasks) or len(self.mean) != len(self.nodes) + 1 or len(self.tasks) < 2:
            raise ValueError("the parts are of different lengths")
        if len(set(self.tasks)) < len(self.tasks):
            raise ValueError("a task is there twice")
        for nodes, edges in self.forms:
            if not nodes or max(nodes) >= len(self.nodes) or not {n for edge in edges for n in edge} <= set(nodes):
                raise ValueError("a form has nodes that are not there")
        if min(self.weights.scale) < LEAST_SCALE:
            raise ValueError("a scale is not positive")
        self.model.check(SIGNALS)
        return self


def stored(ranker: PlanRanker) -> Value:
    """Return what was learnt as a record."""
    weights = _Weights.model_validate({name: part.tolist() for name, part in ranker.weights._asdict().items()})
    record = _Stored(
        encoder=ranker.encoder,
        size=ranker.size,
        tasks=list(ranker.tasks),
        nodes=[tuple(node) for node in ranker.forms.nodes],
        forms=[(sorted(form.nodes), sorted(form.edges)) for form in ranker.forms.forms],
        alpha=base64.b64encode(zlib.compress(ranker.alpha.astype(np.float16).tobytes(), 1)).decode(),
        mean=ranker.mean.tolist(),
        weights=weights,
        model=StoredModel.model_validate({**ranker.model._asdict()}),
        novel_below=ranker.novel_below,
    )
    return record.model_dump(mode="json")


def restored(value: Value, goals: Mapping[str, str], vectors: Mapping[str, Vectors], encoder: str) -> PlanRanker | None:
    """Return what was stored, with the goals and vectors of its tasks by id.

    None where it was stored otherwise, is damaged, or too few of its tasks are left: then it is learnt anew. Blocking:
    the goals' words are taken anew.
    """
    try:
        record = _Stored.model_validate(value)
        alpha = _alpha(record)
    except (ValidationError, ValueError, zlib.error, binascii.Error) as error:
        logging.getLogger(__name__).warning("what was learnt about plans cannot be read: %s", type(error).__name__)
        return None
    living = [i for i, task in enumerate(record.tasks) if task in goals]
    if record.encoder != encoder or len(living) < 2:
        return None
    tasks = [record.tasks[i] for i in living]
    forms = [Form(frozenset(nodes), frozenset(edges)) for nodes, edges in (record.forms[i] for i in living)]
    return PlanRanker(
        encoder=encoder,
        tasks=tasks,
        forms=Forms([Node(*node) for node in record.nodes], forms),
        examples=Examples.of([goals[task] for task in tasks], np.stack([vectors[task] for task in tasks])),
        alpha=alpha[living],
        mean=np.array(record.mean, np.float32),
        weights=Weights(*(np.array(part) for part in dict(record.weights).values())),
        model=record.model.model(),
        novel_below=record.novel_below,
        size=record.size,
    )


def _alpha(record: _Stored) -> Array:
    """Return the head, no larger than it can be and with no number that is none."""
    rows, columns = len(record.tasks), len(record.nodes) + 1
    packed = base64.b64decode(record.alpha, validate=True)
    plain = zlib.decompressobj().decompress(packed, rows * columns * 2 + 1)
    alpha = np.frombuffer(plain, np.float16).astype(np.float32).reshape(rows, columns)
    if not np.isfinite(alpha).all():
        raise ValueError("a number of the head is none")
    return alpha
