import pickle
import traceback
from collections.abc import Callable
from typing import Any, cast

import pytest
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage
from langgraph.graph import START, StateGraph
from pydantic import SecretStr
from typing_extensions import TypedDict

from agents.model_settings import ModelSettings
from agents.models import GARBLED_TRIES, Models, text_of, usage_of
from domain.errors import InvalidSettings, MalformedAnswer, ModelError, ModelRefused, ModelUnavailable
from domain.events import ModelCalled
from domain.outcomes import Usage

Opened = Callable[..., Any]
"""Starts a scripted server and gives the `Stage` on it."""

FUNCTION = {"type": "function", "function": {"name": "read", "description": "", "parameters": {"type": "object"}}}
FORM = {"type": "json_schema", "json_schema": {"name": "A", "schema": {"type": "object"}, "strict": False}}


async def called(stage: Any, **options: Any) -> AIMessage:
    answer: AIMessage = await stage.model.call([HumanMessage("hi")], role="r", emit=stage.events.append, **options)
    return answer


async def test_plain_answer(stage: Opened) -> None:
    on = stage({"content": "Hello."})
    assert text_of(await called(on)) == "Hello."
    assert on.sent() == [{"model": "lead", "messages": [{"role": "user", "content": "hi"}], "stream": False}]


async def test_call_is_reported_with_its_tokens(stage: Opened) -> None:
    on = stage({"content": "Hello.", "usage": [31, 7]})
    answer = await called(on)
    event = on.events[0]
    assert event.seconds > 0
    assert event == ModelCalled(role="r", model="openai:lead", seconds=event.seconds, input_tokens=31, output_tokens=7)
    assert usage_of(answer) == Usage(calls=1, input_tokens=31, output_tokens=7)


async def test_server_that_counts_no_tokens(stage: Opened) -> None:
    on = stage({"raw": '{"choices": [{"message": {"role": "assistant", "content": "Hello."}}]}'})
    assert usage_of(await called(on)) == Usage(calls=1)


async def test_tool_calls(stage: Opened) -> None:
    on = stage({"tool_calls": [{"name": "read", "args": {"path": "a"}}, {"name": "read", "args": "{broken"}]})
    answer = await called(on, tools=[FUNCTION])
    assert [c["args"] for c in answer.tool_calls] == [{"path": "a"}]
    assert [c["args"] for c in answer.invalid_tool_calls] == ["{broken"]
    assert on.sent()[0]["tools"] == [FUNCTION]


class Talk(TypedDict):
    text: str


@pytest.mark.parametrize("options", [{}, {"response_format": FORM}], ids=["text", "structured"])
async def test_streams_through_langgraph(stage: Opened, options: dict[str, Any]) -> None:
    on = stage({"content": '{"greeting": "good morning"}'})

    async def talk(state: Talk) -> Talk:
        return {"text": text_of(await called(on, **options))}

    graph = StateGraph(Talk).add_node(talk).add_edge(START, "talk").compile()
    streamed: list[AnyMessage] = []
    final: Any = None
    async for mode, update in graph.astream({"text": ""}, stream_mode=["messages", "values"]):
        if mode == "messages":
            streamed.append(cast("tuple[AnyMessage, Any]", update)[0])
        else:
            final = update
    assert final == {"text": '{"greeting": "good morning"}'}
    assert len([m for m in streamed if m.text]) == 3
    assert on.sent()[0]["stream"] is True
    assert (on.events[0].input_tokens, on.events[0].output_tokens) == (10, 5)


@pytest.mark.parametrize(
    ("reply", "error", "says"),
    [
        ({"refusal": "I will not."}, ModelRefused, "I will not."),
        ({"content": "Well", "finish_reason": "content_filter"}, ModelRefused, "content filter"),
        ({"status": 400, "body": {"error": {"message": "no", "code": "content_filter"}}}, ModelRefused, "400"),
        ({"content": "Once upon", "finish_reason": "length"}, MalformedAnswer, "cut off"),
        ({"raw": '{"choices": ['}, MalformedAnswer, "JSONDecodeError"),
        ({"raw": '{"choices": []}'}, MalformedAnswer, "IndexError"),
        ({"raw": "{}"}, MalformedAnswer, "choices"),
        ({"raw": "<html>gateway</html>"}, MalformedAnswer, "JSONDecodeError"),
        ({"status": 401}, ModelUnavailable, "401"),
        ({"status": 404}, ModelUnavailable, "404"),
        ({"status": 429}, ModelUnavailable, "429"),
        ({"status": 500}, ModelUnavailable, "500"),
        ({"drop": True}, ModelUnavailable, "Connection error"),
        ({"content": "half of it", "drop": True}, ModelUnavailable, "Connection error"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
)
async def test_failures_are_translated(stage: Opened, reply: Any, error: type[ModelError], says: str) -> None:
    on = stage(*([reply] * GARBLED_TRIES if "raw" in reply else [reply]))
    with pytest.raises(error, match=says):
        await called(on)
    assert on.events[0].failure.code == error.code
    assert says in on.events[0].failure.message


@pytest.mark.parametrize(
    "body", ["{}", "[]", "null", '"text"', '{"choices": [{}]}', '{"choices": [{"message": null}]}']
)
@pytest.mark.parametrize("options", [{}, {"response_format": FORM}], ids=["text", "structured"])
async def test_body_that_is_no_completion(stage: Opened, body: str, options: dict[str, Any]) -> None:
    with pytest.raises(MalformedAnswer):
        await called(stage(*[{"raw": body}] * GARBLED_TRIES), **options)


@pytest.mark.parametrize("reply", [{"raw": '{"choices": ['}, {"content": " "}], ids=["garbled", "empty"])
async def test_what_is_no_answer_is_asked_for_once_more(stage: Opened, reply: Any) -> None:
    on = stage(reply, {"content": "Good morning."})
    assert (await called(on)).text == "Good morning."
    assert [event.failure.code if event.failure else "" for event in on.events] == ["malformed_answer", ""]


async def test_hang_ends_with_the_read_timeout(stage: Opened) -> None:
    with pytest.raises(ModelUnavailable, match="timed out"):
        await called(stage({"hang": 5}, read_timeout=0.4))


async def test_retries_end_with_the_total_timeout(stage: Opened) -> None:
    replies = [{"status": 500, "headers": {"Retry-After": "30"}}]
    with pytest.raises(ModelUnavailable, match=r"did not answer within 0\.8 s"):
        await called(stage(*replies, total_timeout=0.8, max_retries=5))


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_passing_failure_is_retried(stage: Opened, status: int) -> None:
    on = stage({"status": status, "headers": {"Retry-After": "0.05"}}, {"content": "Hello."}, max_retries=1)
    assert text_of(await called(on)) == "Hello."
    assert len(on.events) == 1


async def test_wrong_key_is_not_retried(stage: Opened) -> None:
    on = stage({"status": 401}, max_retries=3)
    with pytest.raises(ModelUnavailable):
        await called(on)
    assert len(on.sent()) == 1


async def test_key_that_the_server_echoes_does_not_leak(stage: Opened) -> None:
    on = stage({"status": 401, "body": {"error": {"message": "bad key sk-secret-of-the-test", "code": "auth"}}})
    with pytest.raises(ModelUnavailable, match=r"bad key \[key\]") as caught:
        await called(on)
    shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value) + repr(on.events)
    assert on.key not in shown
    assert on.key not in repr(vars(caught.value)) + str(pickle.dumps(caught.value))


def test_key_does_not_show_in_settings() -> None:
    settings = ModelSettings(default="openai:x", api_key=SecretStr("sk-hidden"))
    assert "sk-hidden" not in repr(settings) + str(settings) + repr(Models(settings).named("openai:y"))


async def test_models_share_one_client(stage: Opened) -> None:
    on = stage({"match": "hi", "content": "a"}, {"match": "hi", "content": "b"}, jobs={"critic": "openai:judge"})
    await called(on)
    await on.models.for_job("critic").call([HumanMessage("hi")], role="critic", emit=on.events.append)
    lead, judge = [(await on.models.resolved(spec))[0] for spec in ("openai:lead", "openai:judge")]
    assert lead.inner.http_async_client is judge.inner.http_async_client
    assert [request["model"] for request in on.sent()] == ["lead", "judge"]


@pytest.mark.parametrize("spec", ["gpt", "openai:", "acme:gpt", ""])
def test_unknown_model(spec: str) -> None:
    with pytest.raises(InvalidSettings, match="provider:name"):
        Models(ModelSettings(default=spec))


def test_unknown_job() -> None:
    jobs: Any = {"poet": "openai:x"}
    with pytest.raises(InvalidSettings, match="no job poet"):
        Models(ModelSettings(default="openai:x", jobs=jobs))


async def test_neither_key_nor_server() -> None:
    with pytest.raises(InvalidSettings, match="OPENAI_API_KEY"):
        await Models(ModelSettings(default="openai:x")).resolved("openai:x")


async def test_a_model_that_was_away_is_left_alone_for_a_while(stage: Opened) -> None:
    on = stage({"hang": 5}, read_timeout=0.4)
    for says in ("timed out", "was not reached 0 s ago"):
        with pytest.raises(ModelUnavailable, match=says):
            await called(on)


async def test_a_request_that_is_refused_does_not_make_the_model_away(stage: Opened) -> None:
    on = stage({"status": 400, "body": {"error": {"message": "context too long", "code": "x"}}}, {"content": "Hello."})
    with pytest.raises(ModelError, match="context too long"):
        await called(on)
    assert text_of(await called(on)) == "Hello."
