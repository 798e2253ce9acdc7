"""Answers by schema: ask a model for a Pydantic model, and let it mend an answer that does not fit."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any, TypeVar

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from pydantic import BaseModel, ValidationError

from agents.contracts import Emit
from agents.models import Model, conversation
from agents.streaming import Shown
from domain.errors import MalformedAnswer
from prompts.loader import Rendered

REPAIRS = 2
"""Times a model may mend an answer that does not fit."""

_SHOWN_ERRORS = 10

T = TypeVar("T", bound=BaseModel)


async def ask(
    model: Model, prompt: Rendered, answer: type[T], *, role: str, emit: Emit,
    context: Mapping[str, Any] | None = None, shown: Shown | None = None,
) -> T:  # fmt: skip
    """Return the model's answer as `answer`, whose validators may read `context`.

    Args:
        model: Who is asked.
        prompt: The question.
        answer: Form of the answer.
        role: Who asks.
        emit: Takes events.
        context: For the validators.
        shown: What who watches may see of the JSON while it comes; None: nothing.

    Raises:
        MalformedAnswer: It did not fit after `REPAIRS` repairs.
        ModelError: The model failed otherwise.
    """
    messages = conversation(prompt)
    for _ in range(1 + REPAIRS):
        form = response_format(answer)
        reply = await model.call(
            messages, role=role, emit=emit, response_format=form, prompt=prompt.template, shown=shown
        )
        try:
            return answer.model_validate_json(unfenced(str(reply.text)), context=dict(context or {}))
        except ValidationError as error:
            misfit = _explained(error)
            messages += _correction(reply, misfit)
    msg = f"{model.spec} as {role} did not fit {answer.__name__} after {REPAIRS} repairs: {misfit}"
    raise MalformedAnswer(msg)


@cache
def response_format(answer: type[BaseModel]) -> dict[str, Any]:
    """Return the chat-completions form of a wanted answer.

    Not strict, since strict schemas forbid the open objects that a step's arguments are.
    """
    schema = {"name": answer.__name__, "schema": untitled(answer.model_json_schema()), "strict": False}
    return {"type": "json_schema", "json_schema": schema}


def untitled(schema: Any) -> Any:
    """Return a JSON schema without the titles that Pydantic writes, which tell a model nothing."""
    if isinstance(schema, list):
        return [untitled(item) for item in schema]
    if not isinstance(schema, Mapping):
        return schema
    return {k: untitled(v) for k, v in schema.items() if not (k == "title" and isinstance(v, str))}


_FENCED = re.compile(r"\s*```[a-z]*\n(?P<body>.*)\n\s*```\s*", re.DOTALL | re.IGNORECASE)


def unfenced(text: str) -> str:
    """Return the text without a code fence around the whole of it."""
    match = _FENCED.fullmatch(text)
    return match["body"] if match else text


def _correction(reply: AIMessage, misfit: str) -> list[BaseMessage]:
    wanted = f"Your answer does not fit:\n{misfit}\nReturn the whole corrected JSON and nothing else."
    return [AIMessage(str(reply.text)), HumanMessage(wanted)]


def _explained(error: ValidationError) -> str:
    """Return one line per misfit: place, code, message."""
    lines = [f"- {'.'.join(map(str, e['loc'])) or '(root)'}: {e['type']}: {e['msg']}" for e in error.errors()]
    return "\n".join(lines[:_SHOWN_ERRORS])
