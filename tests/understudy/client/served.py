"""The service on a real socket, in a thread of the test's process."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import uvicorn
from fastapi import FastAPI

PATIENCE = 50.0


class Place(NamedTuple):
    """Where an application is served."""

    url: str
    port: int


class _Told(uvicorn.Server):
    """Says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listens = threading.Event()

    async def startup(self, sockets: object = None) -> None:
        await super().startup()
        self.listens.set()


@contextmanager
def served(app: FastAPI, port: int = 0) -> Iterator[Place]:
    """Serve an application for the length of the block."""
    config = uvicorn.Config(app, host="127.0.0.1", port=port, log_config=None, timeout_graceful_shutdown=1)
    server = _Told(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.listens.wait(0.05):
            assert thread.is_alive(), "the service did not start"
        found = server.servers[0].sockets[0].getsockname()[1]
        yield Place(f"http://127.0.0.1:{found}", found)
    finally:
        server.should_exit = True
        thread.join(PATIENCE)
        assert not thread.is_alive(), "the service does not end"
