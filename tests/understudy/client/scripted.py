"""A server that says what a test has it say, byte for byte."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from domain.events import RoleDegraded, RunFinished, RunStarted, Stamped
from domain.outcomes import Outcome


class Request(NamedTuple):
    """What was asked."""

    line: str
    headers: dict[str, str]
    body: bytes


class Script:
    """Answers one request per connection; the last answer is given again and again."""

    def __init__(self, *answers: bytes | Callable[[Request], bytes] | None) -> None:
        self._answers = list(answers)
        self.requests: list[Request] = []

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Hear a request and answer it; None says nothing, for ever."""
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            line, *lines = head.strip().split("\r\n")
            headers = {name.lower(): value for name, _, value in (each.partition(": ") for each in lines)}
            request = Request(line, headers, await reader.readexactly(int(headers.get("content-length", 0))))
            self.requests.append(request)
            answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
            if answer is None:
                await reader.read()  # until the client gives up
            else:
                writer.write(answer if isinstance(answer, bytes) else answer(request))
                await writer.drain()
        finally:
            writer.close()

    @asynccontextmanager
    async def served(self) -> AsyncIterator[str]:
        """Serve for the length of the block."""
        server = await asyncio.start_server(self.talk, "127.0.0.1", 0)
        async with server:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


def answer(value: Any, status: str = "200 OK", **headers: str) -> bytes:
    """Return a whole answer."""
    body = json.dumps(value).encode()
    lines = [f"{name.replace('_', '-')}: {text}\r\n" for name, text in headers.items()]
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n{''.join(lines)}\r\n"
    return head.encode() + body


def problem(status: str, code: str, **headers: str) -> bytes:
    """Return an answer that says what is wrong."""
    return answer(
        {"title": status, "status": int(status[:3]), "detail": f"it is {code}", "code": code}, status, **headers
    )


def stream(*parts: bytes, kind: str = "text/event-stream; charset=utf-8") -> bytes:
    """Return the beginning of an event stream; it ends with the connection."""
    return f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nConnection: close\r\n\r\n".encode() + b"".join(parts)


def told(seq: int) -> Stamped:
    """Return the event of a number; the fifth is the last."""
    events = {
        1: RunStarted(goal="Was wächst? 🌱", team="documents", mode="rules"),
        5: RunFinished(outcome=Outcome(status="done")),
    }
    event = events.get(seq, RoleDegraded(role="critic", reason=f"number {seq}"))
    return Stamped(seq=seq, time=7.0, thread="t", run="r", workspace="w", event=event)


def sent(*seqs: int | Stamped) -> bytes:
    """Return events as the service sends them."""
    return b"".join(_sent(told(each) if isinstance(each, int) else each) for each in seqs)


def _sent(stamped: Stamped) -> bytes:
    data = json.dumps(stamped.flat(), ensure_ascii=False)
    return f"id: {stamped.seq}\r\nevent: {stamped.event.type}\r\ndata: {data}\r\n\r\n".encode()


def after(request: Request) -> range:
    """Return the numbers of the events that a client has not seen."""
    return range(int(request.headers["last-event-id"]) + 1, 6)
