import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import ServiceError
from understudy.client import sse
from understudy.client.sse import Message, MessageReader

STREAM = (
    '\ufeff: hello\r\nid: 1\r\nevent: run_started\r\ndata: {"goal": "Käse 🧀"}\r\n\r\n'
    "retry: 500\n: ping\n\nid: 2\revent: x\rdata: one\rdata\rdata:  two\r\r"
    "data:no space\n\nevent: without data\n\nid: 3\n\nid: a\0b\ndata: last\u2028line\n\ndata: cut off"
).encode()
READ = [
    Message("run_started", '{"goal": "Käse 🧀"}', "1", True),
    Message("x", "one\n\n two", "2", True),
    Message("message", "no space", "2", False),
    Message("message", "last\u2028line", "3", False),
]


def read_in(chunks: list[bytes]) -> list[Message]:
    reader = MessageReader()
    return [message for chunk in chunks for message in reader.feed(chunk)]


def test_a_stream_is_read_as_the_standard_says() -> None:
    assert read_in([STREAM]) == READ


def test_it_is_read_the_same_byte_by_byte() -> None:
    assert read_in([STREAM[place : place + 1] for place in range(len(STREAM))]) == READ


@pytest.mark.parametrize("place", range(1, len(STREAM)))
def test_it_is_read_the_same_wherever_it_is_cut(place: int) -> None:
    assert read_in([STREAM[:place], STREAM[place:]]) == READ


def test_an_event_that_did_not_end_is_none() -> None:
    assert read_in([b"id: 1\ndata: x\n"]) == []


def test_only_the_first_mark_of_the_byte_order_is_taken_off() -> None:
    assert [message.data for message in read_in([b"data: 1\n\n", "\ufeffdata: 2\n\n".encode()])] == ["1"]


@pytest.mark.parametrize("junk", [b"data: \xff\xfe\n\n", b"\x80", b"data: \xed\xa0\x80\n\n"])
def test_bytes_that_are_no_text_are_refused(junk: bytes) -> None:
    with pytest.raises(ServiceError, match="UTF-8"):
        read_in([junk])


@pytest.mark.parametrize("endless", [b"data: " + b"x" * 600, b"data: xxx\n" * 200])
def test_an_event_that_does_not_end_is_refused(endless: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "MAX_CHARS", 500)
    with pytest.raises(ServiceError, match="500 characters"):
        read_in([endless])


@given(st.binary(max_size=200), st.integers(0, 200))
def test_junk_is_refused_or_read_the_same_in_two_parts(junk: bytes, place: int) -> None:
    def outcome(chunks: list[bytes]) -> object:
        try:
            return read_in(chunks)
        except ServiceError:
            return "refused"

    assert outcome([junk[:place], junk[place:]]) == outcome([junk])


@given(st.lists(st.text(alphabet=st.characters(exclude_categories=["Cs"])), max_size=5), st.integers(1, 7))
def test_what_a_server_writes_comes_back(texts: list[str], size: int) -> None:
    lines = "".join(f"data: {json.dumps(text, ensure_ascii=False)}\r\n\r\n" for text in texts).encode()
    found = read_in([lines[place : place + size] for place in range(0, len(lines), size)])
    assert [json.loads(message.data) for message in found] == texts
