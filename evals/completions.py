"""Chat completions on the wire: one body, or the chunks of a stream, for a scripted reply."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

Json = dict[str, Any]

_CHUNK = 12
"""Characters of text per streamed chunk."""


def completion(reply: Mapping[str, Any], request: Mapping[str, Any]) -> Json:
    """Return the reply as a whole chat completion."""
    choice = {"index": 0, "message": {"role": "assistant", **_message(reply)}, "finish_reason": _reason(reply)}
    return {**_head(request, "chat.completion"), "choices": [choice], "usage": _usage(reply)}


def chunks(reply: Mapping[str, Any], request: Mapping[str, Any]) -> Iterator[Json]:
    """Yield the reply as chat-completion chunks; usage comes last, if the request asks for it."""
    head = _head(request, "chat.completion.chunk")
    for delta in _deltas(_message(reply)):
        yield {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
    yield {**head, "choices": [{"index": 0, "delta": {}, "finish_reason": _reason(reply)}]}
    if (request.get("stream_options") or {}).get("include_usage"):
        yield {**head, "choices": [], "usage": _usage(reply)}


def _head(request: Mapping[str, Any], kind: str) -> Json:
    return {"id": "chatcmpl-scripted", "object": kind, "created": 0, "model": request.get("model", "")}


def _message(reply: Mapping[str, Any]) -> Json:
    content = reply.get("content")
    text = content if content is None or isinstance(content, str) else json.dumps(content)
    message: Json = {"content": text, "refusal": reply.get("refusal")}
    if calls := reply.get("tool_calls"):
        message["tool_calls"] = [_tool_call(n, call) for n, call in enumerate(calls, start=1)]
    return message


def _tool_call(number: int, call: Mapping[str, Any]) -> Json:
    args = call.get("args", {})
    arguments = args if isinstance(args, str) else json.dumps(args)
    return {"id": f"call_{number}", "type": "function", "function": {"name": call["name"], "arguments": arguments}}


def _deltas(message: Json) -> Iterator[Json]:
    yield {"role": "assistant", "content": ""}
    text = message["content"] or ""
    for start in range(0, len(text), _CHUNK):
        yield {"content": text[start : start + _CHUNK]}
    if message["refusal"]:
        yield {"refusal": message["refusal"]}
    for index, call in enumerate(message.get("tool_calls", ())):
        yield {"tool_calls": [{"index": index, **call}]}


def _reason(reply: Mapping[str, Any]) -> str:
    return str(reply.get("finish_reason") or ("tool_calls" if reply.get("tool_calls") else "stop"))


def _usage(reply: Mapping[str, Any]) -> Json:
    prompt, answer = reply.get("usage", (10, 5))
    return {"prompt_tokens": prompt, "completion_tokens": answer, "total_tokens": prompt + answer}
