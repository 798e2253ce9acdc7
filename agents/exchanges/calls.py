"""One model call as it is recorded: what was asked, what was answered, and the hash by which it is found again.

Texts are kept as lists of lines, so that a changed prompt shows in a diff of the file as the lines that changed.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, convert_to_openai_messages
from langchain_core.messages.ai import UsageMetadata
from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict


class _Kept(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SaidCall(TypedDict):
    """A tool call of an assistant, as a request repeats it."""

    id: str | None
    name: str
    arguments: str
    """As the model wrote them."""


class MadeCall(TypedDict):
    """A tool call of an answer."""

    id: str | None
    name: str
    args: dict[str, Any]


class BrokenCall(TypedDict):
    """A tool call of an answer whose arguments are no JSON object."""

    id: str | None
    name: str | None
    args: str | None


class Said(_Kept):
    """One message of a request."""

    role: str
    lines: list[str]
    calls: list[SaidCall] = Field(default_factory=list)
    """Tool calls of an assistant."""
    answers: str = ""
    """Id of the tool call that it answers."""


class Asked(_Kept):
    """A request in canonical form: the same question has the same form whichever client library sent it."""

    model: str
    messages: list[Said]
    tools: list[dict[str, Any]] = Field(default_factory=list)
    form: dict[str, Any] | None = None
    """Wanted form of the answer, in the chat-completions format."""

    @property
    def digest(self) -> str:
        """The SHA-256 of the request's canonical JSON; the model's name does not count, so that models can be compared.

        Tool-call ids are counted through, since each answer brings fresh ones.
        """
        text = json.dumps(self._counted(), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()

    @property
    def text(self) -> str:
        """The request as a person reads it."""
        parts = [f"[{message.role}]\n" + "\n".join(_readable(message)) for message in self.messages]
        parts += [f"[tools]\n{_pretty(self.tools)}"] if self.tools else []
        return "\n\n".join([*parts, *([f"[form]\n{_pretty(self.form)}"] if self.form else [])])

    def _counted(self) -> dict[str, Any]:
        ids = {call["id"]: f"call-{n}" for n, call in enumerate((c for m in self.messages for c in m.calls), 1)}
        data = self.model_dump(mode="json", exclude={"model"})
        for message in data["messages"]:
            message["answers"] = ids.get(message["answers"], message["answers"])
            message["calls"] = [call | {"id": ids[call["id"]]} for call in message["calls"]]
        return data


class Answered(_Kept):
    """What a model said."""

    lines: list[str] = Field(default_factory=list)
    calls: list[MadeCall] = Field(default_factory=list)
    broken: list[BrokenCall] = Field(default_factory=list)
    refusal: str = ""
    finish: str = ""
    input_tokens: int | None = None
    """None where the server did not say."""
    output_tokens: int | None = None

    def message(self) -> AIMessage:
        """Return the answer as the roles take it."""
        used = None
        if self.input_tokens is not None and self.output_tokens is not None:
            total = self.input_tokens + self.output_tokens
            used = UsageMetadata(input_tokens=self.input_tokens, output_tokens=self.output_tokens, total_tokens=total)
        return AIMessage(
            content="\n".join(self.lines),
            tool_calls=[{**call, "type": "tool_call"} for call in self.calls],
            invalid_tool_calls=[{**call, "error": None, "type": "invalid_tool_call"} for call in self.broken],
            additional_kwargs={"refusal": self.refusal} if self.refusal else {},
            response_metadata={"finish_reason": self.finish} if self.finish else {},
            usage_metadata=used,
        )


class RecordedCall(_Kept):
    """A call of a role, in the order in which the calls ended."""

    role: str
    step: str = ""
    """Step of the plan that it worked for."""
    prompt: str = ""
    """Name and version of the template that the conversation began with: `name@version`."""
    asked: Asked
    answered: Answered | None = None
    """None where the call failed."""
    failure: str = ""
    """Code of the error that it failed with (`domain.errors`)."""
    reason: str = ""
    seconds: float = 0.0
    digest: str = ""
    """Of the request when it was written to a file, so that one which was edited since is told; empty before that."""


class RecordedTool(_Kept):
    """What a tool gave that may give something else next time."""

    tool: str
    """Its name; that of `prepare`, `verify` and `undo` ends in `.prepare`, `.verify` and `.undo`."""
    step: str = ""
    """Step of the plan that it worked for."""
    args: dict[str, Any]
    """As they were validated."""
    text: str = ""
    data: dict[str, Any] = Field(default_factory=dict)
    sources: list[dict[str, Any]] = Field(default_factory=list)
    empty: bool | None = None
    """Whether it said that it found nothing."""
    failure: str = ""
    """Code of the error that it failed with (`domain.errors`)."""
    reason: str = ""
    seconds: float = 0.0


def options_for(form: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the options of a call whose answer should have a form, in the chat-completions format.

    The form goes straight into the request: as an option of its own the client would walk through its schema and read
    the answer a second time, which takes longer than the rest of the call; it is read and checked by us.
    """
    return {"extra_body": {"response_format": dict(form)}} if form else {}


def asked(model: str, messages: Sequence[BaseMessage], options: Mapping[str, Any]) -> Asked:
    """Return a request in canonical form.

    Args:
        model: `provider:name`.
        messages: The conversation.
        options: What the call was given beside it: `tools`, and the form of the answer in `extra_body`.
    """
    return Asked(
        model=model,
        messages=[_said(message) for message in convert_to_openai_messages(list(messages))],
        tools=[dict(tool) for tool in options.get("tools") or ()],
        form=(options.get("extra_body") or {}).get("response_format"),
    )


def answered(message: AIMessage) -> Answered:
    """Return an answer as it is kept."""
    used = message.usage_metadata
    return Answered(
        lines=str(message.text).split("\n"),
        calls=[{"id": c["id"], "name": c["name"], "args": c["args"]} for c in message.tool_calls],
        broken=[{"id": c["id"], "name": c["name"], "args": c["args"]} for c in message.invalid_tool_calls],
        refusal=str(message.additional_kwargs.get("refusal") or ""),
        finish=str(message.response_metadata.get("finish_reason") or ""),
        input_tokens=used["input_tokens"] if used else None,
        output_tokens=used["output_tokens"] if used else None,
    )


def _said(message: Mapping[str, Any]) -> Said:
    content = message.get("content") or ""
    if not isinstance(content, str):
        content = "\n".join(part.get("text") or json.dumps(part, sort_keys=True) for part in content)
    calls = [
        {"id": call["id"], "name": call["function"]["name"], "arguments": call["function"]["arguments"]}
        for call in message.get("tool_calls") or ()
    ]
    return Said(role=message["role"], lines=content.split("\n"), calls=calls, answers=message.get("tool_call_id") or "")


def _readable(message: Said) -> list[str]:
    return [*message.lines, *(f"(calls {call['name']} with {call['arguments']})" for call in message.calls)]


def _pretty(value: Any) -> str:
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False)
