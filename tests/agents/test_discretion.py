"""What a model that is not local receives, and what comes back from it, over a real server."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk, AnyMessage, HumanMessage, SystemMessage, ToolMessage
from langgraph.graph import START, StateGraph
from pydantic import BaseModel
from typing_extensions import TypedDict

from agents.discretion import Discretion
from agents.model_settings import ModelSettings
from agents.models import Model, Models
from agents.privacy_policy import PrivacyPolicy
from agents.structured import ask
from evals.scripted import ScriptedServer
from prompts.loader import Rendered

CARD, KEY, IBAN = "4111 1111 1111 1111", "ghp_16C7e42F292c6912E7710c838347Ae178B4a", "DE89370400440532013000"
ANNA, BOB, PHONE, IP = "anna@example.org", "bob@example.org", "+49 30 901820", "203.0.113.7"
ALL = f"{ANNA}, {BOB}, {PHONE}, {IP}, {CARD}, {IBAN}, {KEY}"
REMOTE = PrivacyPolicy(local_models=())
TOOL: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "send",
        "description": f"Sends to {ANNA}.",
        "parameters": {
            "type": "object",
            "properties": {"to": {"type": "array", "description": f"Such as {ANNA}, with {KEY}."}},
        },
    },
}


class Stage:
    """A model behind a scripted server."""

    def __init__(self, server: ScriptedServer, policy: PrivacyPolicy) -> None:
        self.server = server
        self.models = Models(ModelSettings(default="openai:lead", base_url=server.base_url))
        self.model: Model = self.models.named("openai:lead", Discretion(policy, server.base_url))

    async def call(self, *messages: Any, **options: Any) -> AIMessage:
        return await self.model.call(list(messages), role="r", emit=lambda _: None, **options)

    def received(self) -> str:
        return json.dumps(self.server.requests(), ensure_ascii=False)


@asynccontextmanager
async def staged(replies: list[Any], policy: PrivacyPolicy = REMOTE) -> AsyncIterator[Stage]:
    with ScriptedServer(replies) as server:
        stage = Stage(server, policy)
        yield stage
        await stage.models.aclose()


async def test_a_remote_model_receives_no_key_and_no_address_and_can_still_name_one() -> None:
    async with staged([{"content": "Send it to <EMAIL_1>, call <PHONE_1>; <EMAIL_9> is nobody's."}]) as stage:
        answer = await stage.call(SystemMessage("Be brief."), HumanMessage(f"Whom? {ALL}"))
        assert answer.text == f"Send it to {ANNA}, call {PHONE}; <EMAIL_9> is nobody's."
        said = "Whom? <EMAIL_1>, <EMAIL_2>, <PHONE_1>, <IP_1>, [card], [iban], [key]"
        assert stage.server.requests()[0]["messages"][1]["content"] == said


async def test_tool_calls_get_the_real_addresses_and_later_messages_are_hidden_again() -> None:
    asked = {"tool_calls": [{"name": "send", "args": {"to": ["<EMAIL_2>", "<EMAIL_3>"], "text": "for <EMAIL_1>"}}]}
    async with staged([asked, {"content": "Done, <EMAIL_2>."}]) as stage:
        start = HumanMessage(f"{ANNA} and {BOB}")
        first = await stage.call(start, tools=[TOOL])
        assert first.tool_calls[0]["args"] == {"to": [BOB, "<EMAIL_3>"], "text": f"for {ANNA}"}
        given = ToolMessage(f"sent to {BOB} from {IP}", tool_call_id=first.tool_calls[0]["id"])
        second = await stage.call(start, first, given, tools=[TOOL])
        assert second.text == f"Done, {BOB}."
        assert not any(each in stage.received() for each in (ANNA, BOB, IP))
        assert "<EMAIL_2>" in str(stage.server.requests()[1]["messages"][1]["tool_calls"])


class Letter(BaseModel):
    to: str
    cc: list[str]


async def test_structured_answers_get_the_real_addresses() -> None:
    async with staged([{"content": {"to": 1}}, {"content": {"to": "<EMAIL_1>", "cc": ["<EMAIL_2>"]}}]) as stage:
        prompt = Rendered(system="Write.", user=f"To {ANNA}, copy {BOB}.")
        letter = await ask(stage.model, prompt, Letter, role="r", emit=lambda _: None)
        assert letter == Letter(to=ANNA, cc=[BOB])
        assert ANNA not in stage.received() and BOB not in stage.received()


class Talk(TypedDict):
    messages: list[AnyMessage]


async def test_streams_carry_the_real_addresses_however_they_are_cut() -> None:
    """The server sends twelve characters at a time, so that placeholders are cut in two."""
    text = "To <EMAIL_1>, then <EMAIL_2>; a < b, <EMA is none, <EMAIL_77> neither. Ends with <EMAIL_"
    async with staged([{"content": text}]) as stage:

        async def speak(state: Talk) -> Talk:
            return {"messages": [await stage.call(HumanMessage(f"{ANNA} and {BOB}"))]}

        graph = StateGraph(Talk).add_node(speak).add_edge(START, "speak").compile()
        pieces = [
            chunk.text
            async for chunk, _ in graph.astream({"messages": []}, stream_mode="messages")
            if isinstance(chunk, AIMessageChunk)
        ]
        assert "".join(pieces) == text.replace("<EMAIL_1>", ANNA).replace("<EMAIL_2>", BOB)
        assert len(pieces) > 4
        assert ANNA not in stage.received()
        assert stage.server.requests()[0]["stream"] is True


async def test_streamed_tool_calls_carry_the_real_addresses() -> None:
    call = {"name": "send", "args": {"text": "a long text before it", "to": "<EMAIL_1>", "cc": "<EMAIL_2>"}}
    async with staged([{"tool_calls": [call, call]}]) as stage:
        answers: list[AIMessage] = []

        async def speak(state: Talk) -> Talk:
            answers.append(await stage.call(HumanMessage(f"{ANNA} and {BOB}"), tools=[TOOL]))
            return {"messages": list(answers)}

        graph = StateGraph(Talk).add_node(speak).add_edge(START, "speak").compile()
        async for _ in graph.astream({"messages": []}, stream_mode="messages"):
            pass
        wanted = {"text": "a long text before it", "to": ANNA, "cc": BOB}
        assert [call["args"] for call in answers[0].tool_calls] == [wanted, wanted]
        assert "Sends to <EMAIL_1>." in stage.received() and ANNA not in stage.received()
        assert "Such as <EMAIL_1>, with [key]." in stage.received() and KEY not in stage.received()


async def test_a_team_may_leave_contact_data_in_but_never_keys_cards_and_accounts() -> None:
    async with staged([{"content": "Well."}], PrivacyPolicy(local_models=(), redact=())) as stage:
        await stage.call(HumanMessage(ALL))
        assert stage.server.requests()[0]["messages"][0]["content"].endswith(f"{IP}, [card], [iban], [key]")


async def test_a_local_model_is_told_everything() -> None:
    async with staged([{"content": "Well."}], PrivacyPolicy()) as stage:
        await stage.call(HumanMessage(ALL))
        assert stage.server.requests()[0]["messages"][0]["content"] == ALL


async def test_long_texts_are_hidden_as_short_ones_are() -> None:
    async with staged([{"content": "<EMAIL_1>"}]) as stage:
        answer = await stage.call(HumanMessage("wind and sun " * 5000 + ANNA))
        assert answer.text == ANNA
        assert ANNA not in stage.received()


@pytest.mark.parametrize(
    ("url", "names", "local"),
    [
        ("http://127.0.0.1:11434/v1", None, True),
        ("http://localhost/v1", None, True),
        ("http://[::1]:8000/v1", None, True),
        ("http://192.168.1.5:8000/v1", None, True),
        ("http://10.0.0.1/v1", None, True),
        ("https://api.openai.com/v1", None, False),
        ("http://8.8.8.8/v1", None, False),
        ("http://localhost.example.org/v1", None, False),
        ("http://169.254.169.254/v1", None, False),
        ("http://0.0.0.0/v1", None, False),
        ("http://ollama:11434/v1", None, False),
        ("http://ollama:11434/v1", ("ollama",), True),
        ("http://ollama:11434/v1", ("ollama:11434",), True),
        ("https://models.example.org/v1", ("openai:lead",), True),
        ("https://models.example.org/v1", ("openai:other",), False),
        ("http://127.0.0.1/v1", (), False),
        ("http://[broken", None, False),
        (None, None, False),
    ],
)
def test_which_models_are_local(url: str | None, names: tuple[str, ...] | None, local: bool) -> None:
    assert Discretion(PrivacyPolicy(local_models=names), url).is_local("openai:lead") is local
