"""The product: orchestrator, settings, wiring, durable runs, the service and its client, and the command line."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from understudy.client import Client

__all__ = ["Client"]


def __getattr__(name: str) -> object:
    """Import the client when it is asked for; whoever starts the command line does not wait for it."""
    if name == "Client":
        from understudy.client import Client

        return Client
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)
