"""What stands before every request: its size, its time, where it may come from, and what browsers are told."""

import asyncio
from collections.abc import Callable

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from domain.errors import AccessError, Forbidden, InvalidRequest, RequestTooLarge, RequestTooSlow, UnderstudyError
from understudy.service.plainness import check_body, check_url
from understudy.service.problems import answer_of, problem_of
from understudy.service.settings import ServiceSettings

BROWSERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
"""For answers that do not say otherwise; nothing of the API is to be shown in a page."""


OWN_LIMIT = "understudy.max_body_bytes"
"""Under which a scope says how large its body may be, where whoever takes it looks after that while it comes in."""
_LINGER_BYTES = 64_000_000
"""How much of a body that is too large is still taken, and let go: a client hears the answer only when it has sent."""


class Guards:
    """ASGI middleware: refuses what is too large or slow, from elsewhere or not plain, before anything looks at it."""

    def __init__(self, app: ASGIApp, settings: ServiceSettings, admitted: Callable[[Scope], bool]) -> None:
        """Set it up.

        Args:
            app: What is guarded.
            settings: The limits.
            admitted: Returns whether a request may come from where it says that it comes from.
        """
        self._app, self._settings, self._admitted = app, settings, admitted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer why not."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
        elif not self._admitted(scope):
            await _refused(scope, receive, send, Forbidden("this address is not answered here"))
        elif scope["type"] == "websocket":
            await self._app(scope, receive, send)
        else:
            await self._within_limits(scope, receive, send)

    async def _within_limits(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = _Answer(send)
        try:
            if OWN_LIMIT not in scope:
                check_url(scope["path"], scope["query_string"])
                body = await self._body(scope, receive)
                check_body(body, Headers(scope=scope).get("content-type", ""))
                receive = given_again(body, receive)
            async with asyncio.timeout(self._settings.answer_seconds) as answer.deadline:
                await self._app(scope, receive, answer)
        except TimeoutError:
            await _late(answer, scope, receive, RequestTooSlow("it took too long to answer"))
        except InvalidRequest as error:
            await _late(answer, scope, receive, error)

    async def _body(self, scope: Scope, receive: Receive) -> bytes:
        """Return a body, read before anything looks at it.

        Raises:
            RequestTooLarge: It is too large, or says that it will be.
            RequestTooSlow: It does not come in time.
        """
        most = self._settings.max_body_bytes
        body, more, length = bytearray(), True, 0
        try:
            async with asyncio.timeout(self._settings.body_seconds):
                while more and length <= _LINGER_BYTES:
                    message = await receive()
                    more = message.get("more_body", False)
                    length += len(message.get("body", b""))
                    if length <= most:
                        body += message.get("body", b"")
        except TimeoutError:
            if length <= most and _declared(scope) <= most:
                raise RequestTooSlow("the request did not come in time") from None
        if max(length, _declared(scope)) > most:
            raise RequestTooLarge(f"a request may have {most:,} bytes")
        return bytes(body)


def _declared(scope: Scope) -> int:
    """Return how long a request says that its body is."""
    length = Headers(scope=scope).get("content-length", "")
    return int(length) if length.isdecimal() and len(length) < 20 else 0


class _Answer:
    """Sends an answer, which once begun may take its time."""

    def __init__(self, send: Send) -> None:
        self._send, self.begun = send, False
        self.deadline: asyncio.Timeout | None = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.begun = True
            if self.deadline is not None:
                self.deadline.reschedule(None)
            headers = MutableHeaders(scope=message)
            for name, value in BROWSERS.items():
                headers.setdefault(name, value)
        await self._send(message)


def given_again(body: bytes, receive: Receive) -> Receive:
    """Return what gives a body that was read already, and then whatever comes."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def given() -> Message:
        return messages.pop() if messages else await receive()

    return given


async def _late(answer: _Answer, scope: Scope, receive: Receive, error: UnderstudyError) -> None:
    """Say that a request is given up, where nothing was answered yet."""
    if not answer.begun:
        response = answer_of(problem_of(scope["path"], error), {"Connection": "close"})
        await response(scope, receive, answer)


async def _refused(scope: Scope, receive: Receive, send: Send, error: AccessError) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008})
    else:
        await answer_of(problem_of(scope["path"], error))(scope, receive, send)
