"""Serving the application on a socket: time limits for those who send slowly, and an end that loses nothing."""

import asyncio
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol

from understudy.identity.settings import checked_address
from understudy.service.app import create_app
from understudy.service.installation import Installation, open_installation
from understudy.service.settings import ServiceSettings
from understudy.settings import Settings


async def serve(settings: Settings, *, with_engine: bool, ready: Callable[[str], None]) -> None:
    """Serve the API and the console until SIGTERM or Ctrl-C.

    Args:
        settings: What is configured.
        with_engine: Whether runs are carried out in this process, too.
        ready: Is told the URL as soon as requests are taken.

    Raises:
        IdentityMissing: Others could reach the address, and nothing says who they are.
        StorageError: The data folder or a server cannot be used.
    """
    app = create_app(settings, with_engine=with_engine)
    async with open_installation(settings, with_engine=with_engine) as installation:
        checked_address(settings, settings.service.host, installation.identity.is_configured)
        app.state.installation = installation
        server = server_of(app, settings.service, drain=settings.drain_grace, ready=ready)
        try:
            await server.serve()
        finally:
            server.let_go()


class Server(uvicorn.Server):
    """Uvicorn, told when it is ready and draining before it ends."""

    def __init__(self, config: uvicorn.Config, app: FastAPI, ready: Callable[[str], None]) -> None:
        super().__init__(config)
        self._app, self._ready = app, ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, and tell where."""
        await super().startup(sockets)
        if self.started:
            host, port = self.servers[0].sockets[0].getsockname()[:2]
            self._ready(f"http://{f'[{host}]' if ':' in host else host}:{port}")

    def let_go(self) -> None:
        """Listen no more, also where serving was cut short."""
        for each in getattr(self, "servers", []):
            each.close()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Have signals end the server, and only it: what comes after is in order, and the exit code says so."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)

    def handle_exit(self, sig: int, frame: object) -> None:
        """Take no new requests, and let runs come to a safe point meanwhile."""
        installation: Installation | None = getattr(self._app.state, "installation", None)
        if installation is not None:
            installation.drain()
        super().handle_exit(sig, frame)  # type: ignore[arg-type]  # it is handed on


def server_of(app: FastAPI, settings: ServiceSettings, *, drain: float, ready: Callable[[str], None]) -> Server:
    """Return the server of an application.

    Args:
        app: The application.
        settings: Where to listen, and the limits.
        drain: Seconds that open requests may still take at the end; streams are joined again elsewhere.
        ready: Is told the URL when it listens.
    """
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        http=_timed(settings.header_seconds),
        limit_concurrency=settings.max_connections,
        timeout_graceful_shutdown=max(1, round(drain)),
        timeout_keep_alive=30,
        proxy_headers=False,  # whoever asks is who holds the other end of the socket
        server_header=False,
        date_header=True,
        log_config=None,
        access_log=False,
        ws_max_size=settings.max_body_bytes,
    )
    return Server(config, app, ready)


def _timed(seconds: float) -> type[H11Protocol]:
    """Return the protocol that closes connections whose first bytes of a request are not followed by its headers."""

    class TimedProtocol(H11Protocol):
        _timer: asyncio.TimerHandle | None = None

        def data_received(self, data: bytes) -> None:
            before = self.cycle
            super().data_received(data)
            if self.cycle is not before or self.transport.is_closing():
                self._stop_timer()
            elif self._timer is None and (before is None or before.response_complete):
                self._timer = self.loop.call_later(seconds, self.transport.close)

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            self._timer = self.loop.call_later(seconds, self.transport.close)

        def connection_lost(self, exc: Exception | None) -> None:
            self._stop_timer()
            super().connection_lost(exc)

        def _stop_timer(self) -> None:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None

    return TimedProtocol
