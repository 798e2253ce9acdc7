from collections.abc import Callable
from typing import Any

import pytest
from pydantic import BaseModel

from agents.structured import REPAIRS, ask, unfenced
from domain.errors import MalformedAnswer, ModelRefused
from prompts.loader import Rendered

Opened = Callable[..., Any]


class Sum(BaseModel):
    total: int


async def asked(stage: Any) -> Sum:
    return await ask(stage.model, Rendered("You add.", "2 and 2"), Sum, role="adder", emit=stage.events.append)


async def test_answer_fits(stage: Opened) -> None:
    on = stage({"content": {"total": 4}})
    assert await asked(on) == Sum(total=4)
    schema = {"type": "object", "properties": {"total": {"type": "integer"}}, "required": ["total"]}
    assert on.sent()[0]["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "Sum", "schema": schema, "strict": False},
    }


async def test_misfit_is_repaired(stage: Opened) -> None:
    on = stage({"content": {"total": "four"}}, {"content": '```json\n{"total": 4}\n```'})
    assert await asked(on) == Sum(total=4)
    assert len(on.events) == 2
    answer, correction = on.sent()[1]["messages"][2:]
    assert answer == {"role": "assistant", "content": '{"total": "four"}'}
    assert "- total: int_parsing: " in correction["content"]


async def test_malformed_json_is_repaired(stage: Opened) -> None:
    on = stage({"content": '{"total": 4'}, {"content": {"total": 4}})
    assert await asked(on) == Sum(total=4)
    assert "- (root): json_invalid: " in on.sent()[1]["messages"][3]["content"]


async def test_misfit_after_all_repairs(stage: Opened) -> None:
    on = stage(*[{"content": {"sum": 4}}] * (1 + REPAIRS))
    with pytest.raises(MalformedAnswer, match="openai:lead as adder did not fit Sum after 2 repairs: - total: missing"):
        await asked(on)


async def test_refusal_is_not_repaired(stage: Opened) -> None:
    with pytest.raises(ModelRefused):
        await asked(stage({"refusal": "I do not add."}))


@pytest.mark.parametrize(
    ("text", "inside"),
    [
        ('{"a": 1}', '{"a": 1}'),
        ('```json\n{"a": 1}\n```', '{"a": 1}'),
        ('\n```\n{"a": 1}\n```\n', '{"a": 1}'),
        ('See ```json\n{"a": 1}\n```', 'See ```json\n{"a": 1}\n```'),
    ],
    ids=["bare", "json", "unnamed", "not-the-whole"],
)
def test_unfenced(text: str, inside: str) -> None:
    assert unfenced(text) == inside
