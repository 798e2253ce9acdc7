"""Calls of models and declared tools as they are told to who keeps them, over a real server."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AnyMessage, HumanMessage
from langgraph.graph import START, StateGraph
from pydantic import BaseModel
from typing_extensions import TypedDict

from agents.discretion import Discretion
from agents.exchanges.calls import Answered, Asked, RecordedCall, RecordedTool, Said
from agents.exchanges.keeping import Exchange, exchanges_kept
from agents.exchanges.logged import LogKeeper, exchanges_of
from agents.exchanges.tools import kept
from agents.privacy_policy import PrivacyPolicy
from agents.tools.registry import Attempt, Tool, Toolbox, ToolOutput, Verdict
from domain.errors import MalformedOutput, ModelError, StorageFull, ToolCrashed, ToolError, ToolTimeout
from domain.outcomes import Source
from domain.secrets import Secrets
from memory.call_log import CallLog
from memory.sqlite import SqliteRecords

Opened = Callable[..., Any]


class Kept(list[Exchange]):
    """Keeps exchanges in a list."""

    async def keep(self, exchange: Exchange) -> None:
        self.append(exchange)


FAILURES: list[tuple[dict[str, Any], str]] = [
    ({"status": 429}, "model_unavailable"),
    ({"status": 500}, "model_unavailable"),
    ({"status": 400}, "model_failed"),
    ({"drop": True}, "model_unavailable"),
    ({"refusal": "no"}, ""),
    ({"raw": "<html>"}, "malformed_answer"),
    ({"raw": "<html>"}, "malformed_answer"),
]
"""What comes, and the code that is kept; a refusal is an answer, and what is garbled is asked for twice."""


async def test_failed_calls_are_kept_with_their_codes_in_order(stage: Opened) -> None:
    opened, calls = stage(*[reply for reply, _ in FAILURES], {"hang": 60}), Kept()

    async def call() -> None:
        opened.models.note_answer("openai:lead")  # a model that was away would be left alone
        await opened.model.call([HumanMessage("Hi")], role="r", emit=opened.events.append)

    with exchanges_kept(calls.keep):
        for _ in FAILURES[:-1]:
            with pytest.raises(ModelError):
                await call()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await call()
    made = [each for each in calls if isinstance(each, RecordedCall)]
    assert [each.failure for each in made] == [*(code for _, code in FAILURES), "model_unavailable"]
    assert [each.answered.refusal for each in made if each.answered] == ["no"]
    assert opened.key not in str(calls)


class Talk(TypedDict):
    messages: list[AnyMessage]


async def test_a_streamed_call_is_kept_as_the_model_heard_it(stage: Opened) -> None:
    opened, calls = stage({"content": "Write to <EMAIL_1>, please."}), Kept()
    discretion = Discretion(PrivacyPolicy(local_models=()), opened.server.base_url)
    model = opened.models.named("openai:lead", discretion)

    async def speak(state: Talk) -> Talk:
        return {"messages": [await model.call([HumanMessage("To anna@example.org")], role="r", emit=lambda _: None)]}

    graph = StateGraph(Talk).add_node(speak).add_edge(START, "speak").compile()
    with exchanges_kept(calls.keep):
        pieces = [chunk async for chunk in graph.astream({"messages": []}, stream_mode="messages")]
    assert len(pieces) > 2 and opened.sent()[0]["stream"] is True
    [call] = calls
    assert isinstance(call, RecordedCall) and call.answered is not None
    assert (call.role, call.asked.messages[0].lines) == ("r", ["To <EMAIL_1>"])
    assert (call.answered.lines, call.answered.finish) == (["Write to <EMAIL_1>, please."], "stop")
    assert call.answered.input_tokens


async def test_calls_that_nobody_keeps_are_made_all_the_same(stage: Opened) -> None:
    opened = stage({"content": "Hello."})
    answer = await opened.model.call([HumanMessage("Hi")], role="r", emit=opened.events.append)
    assert answer.text == "Hello."


class Question(BaseModel, extra="forbid"):
    what: str


async def answer(question: Question) -> ToolOutput:
    if question.what == "late":
        await asyncio.sleep(60)
    if question.what == "break":
        raise LookupError("no shelf")
    if question.what == "refuse":
        raise ToolError("not that")
    data = {"asked": object()} if question.what == "odd" else {"rows": [[1]]}
    return ToolOutput("found", data, (Source(name="a.md", locator="line 1"),), empty=False)


def tool(run: Callable[..., Awaitable[ToolOutput]] = answer, **more: Any) -> Tool:
    made = Tool("ask", "Ask.", Question, run, **({"effect": "read", "origin": "mcp"} | more))
    return kept(Toolbox.of([made])).get("ask")


async def test_what_a_tool_gave_is_kept_as_its_caller_got_it() -> None:
    calls = Kept()
    with exchanges_kept(calls.keep):
        output = await tool().call({"what": "it"})
    [call] = calls
    assert isinstance(call, RecordedTool)
    assert (call.args, call.text, call.data, call.empty) == ({"what": "it"}, output.text, output.data, False)
    assert [Source.model_validate(source) for source in call.sources] == list(output.sources)


@pytest.mark.parametrize(
    ("what", "error"),
    [("late", ToolTimeout), ("break", ToolCrashed), ("refuse", ToolError), ("odd", MalformedOutput)],
)
async def test_what_a_tool_failed_of_is_kept(what: str, error: type[ToolError]) -> None:
    calls = Kept()
    with exchanges_kept(calls.keep), pytest.raises(error) as caught:
        await tool(timeout=0.05 if what == "late" else 30.0).call({"what": what})
    [call] = calls
    assert isinstance(call, RecordedTool)
    assert call.failure == caught.value.code
    assert call.reason == str(caught.value)


async def test_looking_into_an_effect_and_taking_it_back_are_kept_too() -> None:
    async def verify(attempt: Attempt) -> Verdict:
        return Verdict("happened", ToolOutput("sent"))

    async def undo(attempt: Attempt, output: ToolOutput) -> ToolOutput:
        return ToolOutput("taken back")

    async def write(question: Question, key: str) -> ToolOutput:
        return ToolOutput("sent")

    calls, args = Kept(), {"what": "it"}
    writer = tool(write, effect="write", takes_key=True, verify=verify, undo=undo)
    with exchanges_kept(calls.keep):
        output = await writer.call(args, "k")
        assert (await writer.verified(args, "k", {})).state == "happened"
        await writer.undone(args, "k", {}, output)
    told = [(c.tool, c.text, c.data.get("state")) for c in calls if isinstance(c, RecordedTool)]
    assert told == [("ask", "sent", None), ("ask.verify", "sent", "happened"), ("ask.undo", "taken back", None)]


async def test_tools_that_are_built_in_are_not_kept() -> None:
    calls = Kept()
    with exchanges_kept(calls.keep):
        await tool(origin="built in").call({"what": "it"})
    assert calls == []


@pytest.fixture
async def records(tmp_path: Path) -> Any:
    opened = await SqliteRecords.open(tmp_path / "records.sqlite")
    yield opened
    await opened.close()


async def test_a_secret_of_several_lines_does_not_get_into_the_log(records: SqliteRecords) -> None:
    key = "-----BEGIN KEY-----\nMIIEvQIBADANBg\n-----END KEY-----"
    log = CallLog(records, clock=lambda: 5.0)
    asked = Asked(model="openai:m", messages=[Said(role="user", lines=f"Use\n{key}\nnow".split("\n"))])
    call = RecordedCall(role="r", asked=asked, answered=Answered(lines=[f'{{"key": "{key[:5]}"}}', "\ud800"]))
    await LogKeeper(log, "w", "t", "r1", Secrets([key]))(call)
    [entry] = await exchanges_of(log, "w", "t")
    assert (entry.run, entry.time) == ("r1", 5.0)
    assert isinstance(entry.exchange, RecordedCall)
    assert entry.exchange.asked.messages[0].lines == ["Use", "[secret]", "now"]
    assert entry.exchange.answered == call.answered


async def test_a_tool_may_call_anything_lines(records: SqliteRecords) -> None:
    log, call = CallLog(records, clock=lambda: 5.0), RecordedTool(tool="a", args={"lines": 3}, data={"lines": [{}]})
    await LogKeeper(log, "w", "t", "r1", Secrets(["hidden-away"]))(call)
    assert [entry.exchange for entry in await exchanges_of(log, "w", "t")] == [call]


async def test_what_nests_without_end_is_told_and_ends_nothing(
    records: SqliteRecords, caplog: pytest.LogCaptureFixture
) -> None:
    deep: dict[str, Any] = {}
    for _ in range(2000):
        deep = {"a": deep}
    with caplog.at_level(logging.WARNING):
        await LogKeeper(CallLog(records, lambda: 5.0), "w", "t", "r", Secrets())(RecordedTool(tool="a", args=deep))
    assert "is not kept" in caplog.text


async def test_a_log_that_cannot_be_written_is_told_and_ends_nothing(
    records: SqliteRecords, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def full(log: str, entry: Any) -> int:
        raise StorageFull("no space is left")

    monkeypatch.setattr(records, "append", full)
    with caplog.at_level(logging.WARNING):
        await LogKeeper(CallLog(records, clock=lambda: 5.0), "w", "t", "r", Secrets())(RecordedTool(tool="a", args={}))
    assert "no space is left" in caplog.text
