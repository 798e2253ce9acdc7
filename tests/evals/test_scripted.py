import base64
import http.client
import json
from typing import Any

import numpy as np
import pytest

from evals.scripted import ScriptedServer, ScriptNotFollowed

HI = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}


def posted(
    server: ScriptedServer, request: dict[str, Any] = HI, path: str = "/v1/chat/completions"
) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    try:
        connection.request("POST", path, json.dumps(request), {"Content-Type": "application/json"})
        response = connection.getresponse()
        return response.status, dict(response.getheaders()), response.read()
    finally:
        connection.close()


def asking(text: str) -> dict[str, Any]:
    return {"model": "m", "messages": [{"role": "system", "content": "You answer."}, {"role": "user", "content": text}]}


def content(server: ScriptedServer, request: dict[str, Any] = HI) -> str:
    text: str = json.loads(posted(server, request)[2])["choices"][0]["message"]["content"]
    return text


def test_completion() -> None:
    with ScriptedServer([{"content": "Hello.", "usage": [3, 2]}]) as server:
        status, _, body = posted(server)
    assert (status, json.loads(body)) == (200, {
        "id": "chatcmpl-scripted", "object": "chat.completion", "created": 0, "model": "m",
        "choices": [
            {
                "index": 0, "finish_reason": "stop",
                "message": {"role": "assistant", "content": "Hello.", "refusal": None},
            }
        ],
        "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
    })  # fmt: skip


def test_stream() -> None:
    request = {**HI, "stream": True, "stream_options": {"include_usage": True}}
    with ScriptedServer([{"content": "Good morning, all."}]) as server:
        _, headers, body = posted(server, request)
    lines = [line.removeprefix("data: ") for line in body.decode().split("\n\n") if line]
    chunks = [json.loads(line) for line in lines[:-1]]
    deltas = [choice["delta"] for chunk in chunks for choice in chunk["choices"]]
    assert headers["Content-Type"] == "text/event-stream"
    assert "".join(delta.get("content", "") for delta in deltas) == "Good morning, all."
    assert (chunks[-1]["usage"]["total_tokens"], lines[-1]) == (15, "[DONE]")


def test_tool_calls() -> None:
    with ScriptedServer([{"tool_calls": [{"name": "read", "args": {"path": "a"}}]}]) as server:
        choice = json.loads(posted(server)[2])["choices"][0]
    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"]["tool_calls"][0]["function"] == {"name": "read", "arguments": '{"path": "a"}'}


def test_embeddings_are_the_same_each_time_and_nearer_for_texts_that_share_words() -> None:
    request = {"model": "e", "input": ["a blog post", "a blog", "heat pumps"]}
    with ScriptedServer([{"embeddings": 64}, {"embeddings": 64, "match": "blog"}]) as server:
        plain, packed = [
            json.loads(posted(server, {**request, "encoding_format": form}, "/v1/embeddings")[2])
            for form in ("float", "base64")
        ]
    blog, post, pumps = rows = np.array([entry["embedding"] for entry in plain["data"]], np.float32)
    assert rows.shape == (3, 64)
    assert blog @ post > blog @ pumps
    again = [np.frombuffer(base64.b64decode(entry["embedding"]), np.float32) for entry in packed["data"]]
    assert np.array_equal(again, rows)
    assert (plain["usage"], [entry["index"] for entry in plain["data"]]) == (
        {"prompt_tokens": 7, "total_tokens": 7}, [0, 1, 2],
    )  # fmt: skip


def test_failure_with_headers() -> None:
    with ScriptedServer([{"status": 429, "headers": {"Retry-After": "0.05"}}]) as server:
        status, headers, _ = posted(server)
    assert (status, headers["Retry-After"]) == (429, "0.05")


@pytest.mark.parametrize(
    "reply", [{"drop": True}, {"hang": 0.01}, {"content": "half", "drop": True}], ids=["drop", "hang", "half"]
)
def test_lost_connection(reply: dict[str, Any]) -> None:
    with ScriptedServer([reply]) as server, pytest.raises((ConnectionError, http.client.HTTPException)):
        posted(server)


def test_raw_body() -> None:
    with ScriptedServer([{"raw": '{"choices": ['}]) as server:
        assert posted(server)[2] == b'{"choices": ['


def test_requests_are_recorded() -> None:
    with ScriptedServer([{"content": "a"}]) as server:
        posted(server)
        assert server.requests() == [HI]


def test_extra_call_is_a_violation() -> None:
    with pytest.raises(ScriptNotFollowed, match="1 call"), ScriptedServer([]) as server:
        status, headers, body = posted(server)
        assert (status, headers["x-should-retry"]) == (500, "false")
        assert json.loads(body)["error"]["code"] == "unscripted_call"


def test_unused_reply_is_reported() -> None:
    with pytest.raises(ScriptNotFollowed, match=r"1 reply\(s\) unused"), ScriptedServer([{"content": "a"}]):
        pass


def test_unknown_path_uses_no_reply() -> None:
    with ScriptedServer([{"content": "a"}]) as server:
        assert posted(server, path="/v1/images")[0] == 404
        posted(server)


def test_error_in_the_block_comes_first() -> None:
    with pytest.raises(KeyError), ScriptedServer([{"content": "a"}]):
        raise KeyError


def test_neighbours_with_match_come_in_any_order() -> None:
    replies = [{"match": "apples", "content": "red"}, {"match": "pears", "content": "green"}, {"content": "done"}]
    with ScriptedServer(replies) as server:
        assert [content(server, asking(text)) for text in ("pears", "apples", "all")] == ["green", "red", "done"]


def test_reply_without_match_keeps_its_place() -> None:
    replies = [{"match": "apples", "content": "red"}, {"content": "done"}]
    with pytest.raises(ScriptNotFollowed, match="expected 'apples'"), ScriptedServer(replies) as server:
        assert posted(server, asking("all"))[0] == 500
        assert len(server.report()["unused"]) == 2


@pytest.mark.parametrize("repeat", [3, "cycle"])
def test_script_is_repeated(repeat: Any) -> None:
    with ScriptedServer([{"content": "a"}, {"content": "b"}], repeat=repeat) as server:
        assert [content(server) for _ in range(6)] == list("ababab")


@pytest.mark.parametrize(("repeat", "calls", "unused"), [(3, 3, 3), ("cycle", 3, 1)], ids=["counted", "cycle"])
def test_unfinished_repetition(repeat: Any, calls: int, unused: int) -> None:
    with pytest.raises(ScriptNotFollowed), ScriptedServer([{"content": "a"}] * 2, repeat=repeat) as server:
        for _ in range(calls):
            content(server)
        assert len(server.report()["unused"]) == unused


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        ({"contents": "a"}, "unknown contents"),
        ({"content": "a", "refusal": "b"}, "exactly one of"),
        ({"match": "a"}, "exactly one of"),
        ("a", "is not an object"),
    ],
    ids=["misspelt", "two", "none", "text"],
)
def test_mistake_in_a_script(reply: Any, says: str) -> None:
    with pytest.raises(ValueError, match=f"reply 0.*{says}"):
        ScriptedServer([reply])
