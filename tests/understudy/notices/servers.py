"""Real servers on this machine that notices are sent to."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import Message
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

from aiosmtpd.controller import Controller


class Webhook:
    """A web server that keeps what is posted to it."""

    def __init__(self, port: int = 0) -> None:
        self.received: list[dict[str, Any]] = []
        self.status = 200
        self.gate: Event | None = None
        """Where set: no answer is given before it is."""
        self.came = Event()
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                hook.received.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
                hook.came.set()
                if hook.gate:
                    hook.gate.wait(60)
                self.send_response(hook.status)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = False
        self.port = self._server.server_port
        self.url = f"json://127.0.0.1:{self.port}/hook"
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def stop(self) -> None:
        if self.gate:
            self.gate.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@contextmanager
def webhook(port: int = 0) -> Iterator[Webhook]:
    server = Webhook(port)
    try:
        yield server
    finally:
        server.stop()


class Mailbox:
    """A mail server that keeps what is sent to it."""

    def __init__(self) -> None:
        self.raw: list[bytes] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        self.raw.append(envelope.content)
        return "250 OK"

    @property
    def mails(self) -> list[Message]:
        return [message_from_bytes(raw, policy=default) for raw in self.raw]


def text_of(mail: Message) -> str:
    """Return the text of a mail that has one part."""
    payload = mail.get_payload(decode=True)
    assert isinstance(payload, bytes)
    return payload.decode().replace("\r\n", "\n").strip()


class OnAnyPort(Controller):
    """A controller that takes a free port."""

    def _trigger_server(self) -> None:
        assert isinstance(self.server, asyncio.Server)
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]


@contextmanager
def mailbox() -> Iterator[tuple[Mailbox, str]]:
    """Run a mail server; yield it with the URL of a channel that reaches it."""
    box = Mailbox()
    controller = OnAnyPort(box, hostname="127.0.0.1", port=0)
    controller.start()
    try:
        yield (
            box,
            f"mailto://127.0.0.1:{controller.port}?smtp=127.0.0.1&mode=insecure&from=desk@example.com&to=ada@example.com",
        )
    finally:
        controller.stop()
