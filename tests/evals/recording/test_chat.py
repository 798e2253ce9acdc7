import asyncio
from collections.abc import Callable
from typing import Any

import openai
import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_openai import ChatOpenAI
from pydantic import SecretStr

from agents.exchanges.calls import RecordedCall
from agents.exchanges.keeping import Exchange, asked_by, exchanges_kept
from agents.exchanges.recording import RecordingChat
from domain.errors import ModelUnavailable
from evals.recording.replay import RecordedFailure, Replay, ReplayMiss
from evals.recording.replaying import ReplayingChat
from evals.scripted import ScriptedServer

TOOL = {
    "type": "function",
    "function": {"name": "add", "parameters": {"type": "object", "properties": {"a": {"type": "integer"}}}},
}
FORM = {"type": "json_schema", "json_schema": {"name": "Answer", "schema": {"type": "object"}, "strict": False}}


def _recording(base_url: str, client: openai.DefaultAsyncHttpxClient) -> RecordingChat:
    inner = ChatOpenAI(
        model="m", api_key=SecretStr("k"), base_url=base_url, max_retries=0, stream_usage=True, http_async_client=client
    )
    foreign, translated = (openai.OpenAIError,), lambda error: ModelUnavailable(str(error))
    return RecordingChat(spec="openai:m", inner=inner, foreign=foreign, translated=translated)


def _recorded(replies: list[dict[str, Any]], talk: Callable[[BaseChatModel], Any]) -> tuple[Any, list[RecordedCall]]:
    """Return what a talk with a scripted model gives, and the calls that it left."""
    kept: list[RecordedCall] = []

    async def keep(exchange: Exchange) -> None:
        assert isinstance(exchange, RecordedCall)
        kept.append(exchange)

    async def talked(base_url: str) -> Any:
        async with openai.DefaultAsyncHttpxClient() as client:
            return await talk(_recording(base_url, client))

    with ScriptedServer(replies) as server, exchanges_kept(keep):
        return asyncio.run(talked(server.base_url)), kept


def _replayed(kept: list[RecordedCall], talk: Callable[[BaseChatModel], Any]) -> Any:
    stored = [RecordedCall.model_validate_json(call.model_dump_json()) for call in kept]
    return asyncio.run(talk(ReplayingChat(spec="openai:m", replay=Replay(stored))))


async def _plain(model: BaseChatModel) -> tuple[str, Any, Any]:
    answer = await model.ainvoke([SystemMessage("Be brief."), HumanMessage("Hi")])
    used = answer.usage_metadata
    assert used is not None
    return answer.text, answer.response_metadata["finish_reason"], (used["input_tokens"], used["output_tokens"])


async def _streamed(model: BaseChatModel) -> str:
    return "".join([str(chunk.text) async for chunk in model.astream("Hi")])


async def _structured(model: BaseChatModel) -> str:
    return str((await model.ainvoke("Hi", extra_body={"response_format": FORM})).text)


async def _with_tools(model: BaseChatModel) -> tuple[Any, str]:
    able = model.bind_tools([TOOL])
    first = await able.ainvoke("Add 1")
    assert isinstance(first, AIMessage)
    told = ToolMessage("2", tool_call_id=str(first.tool_calls[0]["id"]))
    return first.tool_calls, (await able.ainvoke([HumanMessage("Add 1"), first, told])).text


@pytest.mark.parametrize(
    ("replies", "talk"),
    [
        ([{"content": "Hello.\nYou."}], _plain),
        ([{"content": "Hello, you."}], _streamed),
        ([{"content": '{"a": 1}'}], _structured),
        ([{"tool_calls": [{"name": "add", "args": {"a": 1}}]}, {"content": "two"}], _with_tools),
    ],
)
def test_a_talk_is_replayed_as_it_was_without_a_server(
    replies: list[dict[str, Any]], talk: Callable[[BaseChatModel], Any]
) -> None:
    said, kept = _recorded(replies, talk)
    assert len(kept) == len(replies)
    assert _replayed(kept, talk) == said


@pytest.mark.parametrize("talk", [_plain, _streamed])
def test_who_asks_is_kept_whether_or_not_the_answer_is_streamed(talk: Callable[[BaseChatModel], Any]) -> None:
    async def asked(model: BaseChatModel) -> None:
        with asked_by(step="write"), asked_by(role="critic", prompt="critic@3"):
            await talk(model)

    _, kept = _recorded([{"content": "fine"}], asked)
    assert (kept[0].role, kept[0].step, kept[0].prompt) == ("critic", "write", "critic@3")
    assert kept[0].answered is not None
    assert (kept[0].answered.finish, kept[0].failure) == ("stop", "")
    assert kept[0].answered.input_tokens


def test_a_failed_call_fails_again() -> None:
    async def talk(model: BaseChatModel) -> str:
        with pytest.raises((openai.APIError, RecordedFailure)) as caught:
            await model.ainvoke("Hi")
        return type(caught.value).__name__

    _, kept = _recorded([{"status": 500, "headers": {"x-should-retry": "false"}}], talk)
    assert kept[0].failure == "model_unavailable"
    assert _replayed(kept, talk) == "RecordedFailure"


def test_a_call_that_is_given_up_is_kept_as_failed() -> None:
    async def talk(model: BaseChatModel) -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await model.ainvoke("Hi")

    _, kept = _recorded([{"content": "late", "delay": 1}], talk)
    assert kept[0].failure == "model_unavailable"
    assert kept[0].answered is None


def test_a_token_that_changed_is_a_miss_that_shows_it() -> None:
    _, kept = _recorded([{"content": "Hello."}], _plain)

    async def other(model: BaseChatModel) -> None:
        await model.ainvoke([SystemMessage("Be brief!"), HumanMessage("Hi")])

    with pytest.raises(ReplayMiss) as caught:
        _replayed(kept, other)
    assert "-Be brief." in str(caught.value)
    assert "+Be brief!" in str(caught.value)
