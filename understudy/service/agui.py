"""Our events under the names of AG-UI (docs.ag-ui.com, protocol 1.0), so that its clients can show them.

A draft is no answer before it has passed the critique, so tokens are told as reasoning, and the answer as the message.
What AG-UI has no name for is told as `CUSTOM` under our name.
"""

import json
from collections.abc import Callable
from typing import Any

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

AgUi = dict[str, Any]
"""One AG-UI event as JSON."""


class Translator:
    """Translates the events of one thread, which it is given from the first one on."""

    def __init__(self) -> None:
        self._calls: dict[tuple[str, str, str], list[str]] = {}
        """Ids of the tool calls that have not returned, by run, step and tool."""
        self._by_kind: dict[type, Callable[[Stamped, Any], list[AgUi]]] = {
            RunStarted: _run_started,
            StepStarted: lambda _, event: [{"type": "STEP_STARTED", "stepName": event.step}],
            StepFinished: lambda _, event: [{"type": "STEP_FINISHED", "stepName": event.result.step}],
            ToolCalled: self._tool_called,
            ToolReturned: self._tool_returned,
            ApprovalRequested: _approval_requested,
            RunFinished: _run_finished,
            RunStopped: _run_stopped,
        }

    def translated(self, told: Stamped | Whispered) -> list[AgUi]:
        """Return what is told in place of an event; one or more."""
        milliseconds = {"timestamp": round(told.time * 1000)}
        if isinstance(told, Whispered):
            return [_written(told.run, told.event) | milliseconds]
        translate = self._by_kind.get(type(told.event), _custom)
        return [event | milliseconds for event in translate(told, told.event)]

    def _tool_called(self, told: Stamped, event: ToolCalled) -> list[AgUi]:
        call = f"{told.run}:{told.seq}"
        self._calls.setdefault((told.run, event.step, event.tool), []).append(call)
        return [
            {"type": "TOOL_CALL_START", "toolCallId": call, "toolCallName": event.tool},
            {"type": "TOOL_CALL_ARGS", "toolCallId": call, "delta": json.dumps(event.args, ensure_ascii=False)},
            {"type": "TOOL_CALL_END", "toolCallId": call},
        ]

    def _tool_returned(self, told: Stamped, event: ToolReturned) -> list[AgUi]:
        waiting = self._calls.get((told.run, event.step, event.tool))
        if not waiting:
            return _custom(told, event)
        text = event.failure.message if event.failure else event.summary
        return [
            {
                "type": "TOOL_CALL_RESULT",
                "messageId": f"{told.run}:{told.seq}",
                "toolCallId": waiting.pop(0),
                "content": text,
                "role": "tool",
            }
        ]


def _written(run: str, event: TextStreamed) -> AgUi:
    return {
        "type": "REASONING_MESSAGE_CHUNK",
        "messageId": f"{run}:{event.role}:{event.step or 'draft'}",
        "delta": event.text,
    }


def _run_started(told: Stamped, _: RunStarted) -> list[AgUi]:
    return [{"type": "RUN_STARTED", "threadId": told.thread, "runId": told.run}]


def _approval_requested(told: Stamped, event: ApprovalRequested) -> list[AgUi]:
    """The run ends for AG-UI where it waits, and the answer begins another one."""
    interrupts = [
        {
            "id": event.interrupt if len(event.requests) == 1 else f"{event.interrupt}:{request.id}",
            "reason": request.name,
            "message": request.told,
            "metadata": {"interrupt": event.interrupt, "request": request.id, "args": request.args},
        }
        for request in event.requests
    ]
    return [_ended(told, {"type": "interrupt", "interrupts": interrupts})]


def _run_finished(told: Stamped, event: RunFinished) -> list[AgUi]:
    outcome = event.outcome
    message = f"{told.run}:answer"
    answer: list[AgUi] = [
        {"type": "TEXT_MESSAGE_START", "messageId": message, "role": "assistant"},
        {"type": "TEXT_MESSAGE_CONTENT", "messageId": message, "delta": outcome.answer},
        {"type": "TEXT_MESSAGE_END", "messageId": message},
    ]
    if outcome.failure is not None:
        ending: AgUi = {"type": "RUN_ERROR", "message": outcome.failure.message, "code": outcome.failure.code}
    else:
        ending = _ended(told, {"type": "success"}) | {"result": outcome.model_dump(mode="json")}
    return [*(answer if outcome.answer else []), ending]


def _run_stopped(told: Stamped, event: RunStopped) -> list[AgUi]:
    return [*_custom(told, event), _ended(told, {"type": "cancelled"})]


def _ended(told: Stamped, outcome: AgUi) -> AgUi:
    return {"type": "RUN_FINISHED", "threadId": told.thread, "runId": told.run, "outcome": outcome}


def _custom(told: Stamped, event: Any) -> list[AgUi]:
    return [{"type": "CUSTOM", "name": event.type, "value": event.model_dump(mode="json")}]
