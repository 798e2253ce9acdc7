"""A server made with the protocol's own library: a process over its pipes, or `--http PORT` on loopback."""

import sys

from mcp.server.fastmcp import FastMCP
from mcp.types import ToolAnnotations

server = FastMCP("shop", log_level="CRITICAL", port=int(sys.argv[2]) if "--http" in sys.argv else 8000)


@server.tool(annotations=ToolAnnotations(readOnlyHint=True))
def stock(item: str, limit: int = 5) -> dict[str, int]:
    """How many of an item are there."""
    return {item: limit}


@server.tool()
def echo(text: str) -> str:
    """Says it again."""
    return text


@server.tool()
def flood(size: int) -> str:
    """Answers at length."""
    return "x" * size


if __name__ == "__main__":
    server.run(transport="streamable-http" if "--http" in sys.argv else "stdio")
