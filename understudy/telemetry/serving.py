"""Metrics of a process that serves nothing else: a small HTTP server in a thread."""

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import start_http_server

from domain.errors import InvalidSettings
from understudy.telemetry.metrics import Metrics

LOOPBACK = "127.0.0.1"


@contextmanager
def metrics_served(metrics: Metrics, port: int, *, host: str = LOOPBACK) -> Iterator[str]:
    """Serve metrics for the length of the block, and yield where.

    Args:
        metrics: What is served, to whoever asks.
        port: Where; 0 takes one that is free.
        host: Address to listen at.

    Raises:
        InvalidSettings: The port cannot be used.
    """
    try:
        server, thread = start_http_server(port, addr=host, registry=metrics.registry)
    except OSError as error:
        msg = f"metrics cannot be served on port {port}: {error.strerror}"
        raise InvalidSettings(msg) from error
    try:
        yield f"http://{host}:{server.server_port}/metrics"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
