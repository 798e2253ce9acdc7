from typing import Any

from ag_ui.core import Event
from pydantic import TypeAdapter

from domain.approvals import ActionRequest
from domain.events import (
    ApprovalRequested,
    RunFinished,
    RunStarted,
    RunStopped,
    Stamped,
    StepFinished,
    StepStarted,
    TextStreamed,
    ToolCalled,
    ToolReturned,
    Whispered,
)
from domain.events import (
    Event as OurEvent,
)
from domain.outcomes import Failure, Outcome, StepResult
from understudy.service.agui import Translator

STAMP: dict[str, Any] = {"time": 1.5, "thread": "t", "run": "r", "workspace": "w"}
REQUEST = ActionRequest(id="s1", name="send", args={"to": "ada"}, description="Send it?")
ALL: list[OurEvent] = [
    RunStarted(goal="g", team="documents", mode="rules"),
    StepStarted(step="s1", agent="researcher", task="look"),
    ToolCalled(step="s1", tool="search", args={"q": "wind"}),
    ToolReturned(step="s1", tool="search", seconds=0.1, summary="found"),
    StepFinished(result=StepResult(step="s1", agent="researcher")),
    ApprovalRequested(interrupt="i", requests=[REQUEST, REQUEST.model_copy(update={"id": "s2"})]),
    RunStopped(reason="asked to"),
    RunFinished(outcome=Outcome(status="done", answer="It grew.")),
    RunFinished(outcome=Outcome(status="failed", failure=Failure(code="model_failed", message="away"))),
]
READ: TypeAdapter[Any] = TypeAdapter(Event)


def translated(*events: OurEvent) -> list[dict[str, Any]]:
    translator = Translator()
    stamped = [Stamped(seq=seq, event=event, **STAMP) for seq, event in enumerate(events, 1)]
    return [event for told in stamped for event in translator.translated(told)]


def test_every_event_is_one_of_the_protocol() -> None:
    for event in translated(*ALL):
        READ.validate_python(event)


def test_a_tool_call_is_told_from_its_start_to_its_result_under_one_id() -> None:
    told = translated(*ALL[2:4])
    assert [event["type"] for event in told] == [
        "TOOL_CALL_START",
        "TOOL_CALL_ARGS",
        "TOOL_CALL_END",
        "TOOL_CALL_RESULT",
    ]
    assert len({event["toolCallId"] for event in told}) == 1


def test_two_calls_of_one_tool_keep_their_ids() -> None:
    told = translated(ALL[2], ALL[2], ALL[3], ALL[3])
    calls = [event["toolCallId"] for event in told if event["type"] == "TOOL_CALL_START"]
    assert [event["toolCallId"] for event in told if event["type"] == "TOOL_CALL_RESULT"] == calls


def test_a_run_that_waits_ends_with_its_questions() -> None:
    [ended] = translated(ALL[5])
    assert [each["metadata"]["request"] for each in ended["outcome"]["interrupts"]] == ["s1", "s2"]


def test_an_answer_is_a_message_before_the_end() -> None:
    told = translated(ALL[7])
    assert [event["type"] for event in told] == [
        "TEXT_MESSAGE_START", "TEXT_MESSAGE_CONTENT", "TEXT_MESSAGE_END", "RUN_FINISHED",
    ]  # fmt: skip
    assert told[1]["delta"] == "It grew."


def test_tokens_are_told_as_reasoning() -> None:
    whispered = Whispered(event=TextStreamed(role="composer", text="It "), **STAMP)
    [event] = Translator().translated(whispered)
    READ.validate_python(event)
    assert (event["type"], event["delta"]) == ("REASONING_MESSAGE_CHUNK", "It ")
