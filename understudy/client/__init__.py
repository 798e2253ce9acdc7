"""The client: the product's front door on a server."""

from understudy.client.client import Client

__all__ = ["Client"]
