"""ASGI middleware: counts requests, gives each an id for the logs, and takes up the trace that it belongs to."""

import re
import time
import uuid
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from contextlib import ExitStack
from typing import Any

from understudy.telemetry.logs import about
from understudy.telemetry.telemetry import Telemetry
from understudy.telemetry.tracing import INCOMING

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

REQUEST_ID = "x-request-id"
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_ID = re.compile(r"[\w.:+=/@-]{1,64}", re.ASCII)
_STREAM = b"text/event-stream"
_GONE = 499
"""Status that is counted where a client left before anything was answered."""


class Observed:
    """Stands around an application."""

    def __init__(self, app: App, telemetry: Callable[[Scope], Telemetry | None]) -> None:
        """Set up the middleware.

        Args:
            app: What answers.
            telemetry: Returns what counts a request; None while the application is not open.
        """
        self._app, self._telemetry = app, telemetry

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, observed."""
        telemetry = self._telemetry(scope) if scope["type"] == "http" else None
        if telemetry is None:
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        request = _request_id(headers.get(REQUEST_ID.encode(), b""))
        answer, root = _Answer(telemetry, request, send), scope.get("root_path", "")
        token = INCOMING.set(headers.get(b"traceparent", b"").decode("latin-1") or None)
        try:
            with about(request=request):
                await self._app(scope, receive, answer.send)
        finally:
            INCOMING.reset(token)
            answer.end()
            method = scope["method"] if scope["method"] in _METHODS else "other"
            telemetry.counts.request(method, _route(scope, root), answer.status, answer.seconds)


class _Answer:
    """What is seen of one answer."""

    def __init__(self, telemetry: Telemetry, request: str, send: Send) -> None:
        self._telemetry, self._request, self._send = telemetry, request, send
        self._begun = time.perf_counter()
        self._streaming = ExitStack()
        self.status, self.seconds = _GONE, 0.0
        self._is_stream = False

    async def send(self, message: Message) -> None:
        """Hand a part of the answer on."""
        if message["type"] == "http.response.start":
            self.status, self.seconds = message["status"], time.perf_counter() - self._begun
            headers = list(message.get("headers", []))
            message["headers"] = [*headers, (REQUEST_ID.encode(), self._request.encode())]
            if self._is_stream_by(headers):
                self._is_stream = True
                self._telemetry.counts.reading(+1)
                self._streaming.callback(self._telemetry.counts.reading, -1)
        await self._send(message)

    def end(self) -> None:
        """Take note that nothing more is sent."""
        if not self._is_stream:
            self.seconds = time.perf_counter() - self._begun
        self._streaming.close()

    def _is_stream_by(self, headers: Iterable[tuple[bytes, bytes]]) -> bool:
        return any(name.lower() == b"content-type" and value.startswith(_STREAM) for name, value in headers)


def _request_id(given: bytes) -> str:
    """Return the id that a request brings along if it is fit for a log, else a drawn one."""
    text = given.decode("latin-1")
    return text if _ID.fullmatch(text) else uuid.uuid4().hex


def _route(scope: Scope, root: str) -> str:
    """Return the template of the route that answered; what nothing answers is one, whatever its path."""
    template = getattr(scope.get("route"), "path", None)
    mounted = str(scope.get("root_path", "")).removeprefix(root)
    if template is None:
        return mounted or "unmatched"
    return f"{mounted}{template}"
