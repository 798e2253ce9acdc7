import base64
import zlib
from copy import deepcopy
from typing import Any

import pytest

from memory.encoders import Encoder
from memory.learnt import Example, learn
from memory.learnt_stored import restored, stored
from memory.records import Value
from tests.memory.conftest import House, OpenHouse, success
from tests.memory.requests import requests, successes

EXAMPLES = [Example(f"t{i}", goal, kind) for i, (goal, kind) in enumerate(requests())]
KNOWN = "please refund the blue jacket"


@pytest.fixture(scope="module")
def value(wordllama: Encoder) -> Value:
    vectors = wordllama.encode([e.goal for e in EXAMPLES])
    return stored(learn(EXAMPLES, vectors, encoder="wordllama", size=len(EXAMPLES)))


def packed(*numbers: bytes) -> str:
    return base64.b64encode(zlib.compress(b"".join(numbers))).decode()


def changed(value: Value, path: str, to: object) -> Value:
    copy = deepcopy(value)
    part: Any = copy
    *way, last = path.split(".")
    for name in way:
        part = part[name]
    part[last] = to
    return copy


def usable(value: Value, wordllama: Encoder) -> bool:
    goals = {e.task: e.goal for e in EXAMPLES}
    vectors = dict(zip(goals, wordllama.encode(list(goals.values())), strict=True))
    return restored(value, goals, vectors, "wordllama") is not None


@pytest.mark.parametrize(
    ("path", "to"),
    [
        pytest.param("format", 1, id="another form"),
        pytest.param("alpha", "?", id="no base64"),
        pytest.param("alpha", base64.b64encode(b"no zlib").decode(), id="not packed"),
        pytest.param("alpha", packed(b"ab"), id="too short"),
        pytest.param("alpha", packed(bytes(50_000_000)), id="far too long"),
        pytest.param("alpha", packed(b"\x00\x7e" * 360), id="numbers that are none"),
        pytest.param("labels", [7] * 120, id="a route that is not there"),
        pytest.param("labels", [-1] * 120, id="a negative route"),
        pytest.param("labels", [0], id="too few labels"),
        pytest.param("tasks", ["t0"] * 120, id="a task twice"),
        pytest.param("tasks", 3, id="no list"),
        pytest.param("model.scale", [1.0, 1.0, 0.0, 1.0, 1.0], id="a scale of nothing"),
        pytest.param("model.weights", [1.0], id="too few weights"),
        pytest.param("model.mean", [float("nan")] * 5, id="not a number"),
        pytest.param("model.intercept", 1e300, id="a huge number"),
        pytest.param("novel_below", float("inf"), id="endless"),
        pytest.param("more", 1, id="more than was stored"),
    ],
)
def test_what_is_damaged_is_not_used(value: Value, wordllama: Encoder, path: str, to: object) -> None:
    assert usable(value, wordllama)
    assert not usable(changed(value, path, to), wordllama)


@pytest.mark.parametrize("damage", [{}, {"format": 2}, {"tasks": [["a"], 3, "a"], "format": 2, "encoder": "wordllama"}])
async def test_recall_goes_on_with_a_damaged_record_and_the_next_task_has_it_learnt_anew(
    house: House, reopen: OpenHouse, damage: Value
) -> None:
    await house.tasks.remember_many("acme", successes(requests()))
    await house.tasks.close()
    [(key, _)] = await house.records.scan("memory:calibration:")
    await house.records.put(key, damage)
    house = await reopen()
    assert "learnt from" not in (await house.tasks.recall("acme", "marketing", KNOWN)).explanation
    await house.tasks.remember(success("refund the kite", "refunds"))
    await house.tasks.close()
    assert "learnt from 121 tasks here" in (await house.tasks.recall("acme", "marketing", KNOWN)).explanation
