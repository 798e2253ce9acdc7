"""The household as an MCP server over its pipes: `python -m evals.suites.home.server`.

What a device refuses is an error of the protocol, which says that nothing was begun; a device that does not answer is
an error of the tool, which leaves open what happened.
"""

from typing import Any

from mcp import McpError
from mcp.server.fastmcp import FastMCP
from mcp.server.fastmcp.exceptions import ToolError
from mcp.types import (
    INVALID_PARAMS,
    CallToolRequest,
    CallToolResult,
    ErrorData,
    ServerResult,
    TextContent,
    ToolAnnotations,
)

from evals.suites.home import household

server = FastMCP("household", log_level="CRITICAL")
_READS = ToolAnnotations(readOnlyHint=True)
_SETS = ToolAnnotations(idempotentHint=True, destructiveHint=False)


@server.tool(annotations=_READS)
def list_devices(room: str = "") -> list[dict[str, Any]]:
    """Lists the devices of the house, or of one room, with their settings and whether they can be reached."""
    return household.devices(room)


@server.tool(annotations=_READS)
def read_circumstances() -> dict[str, Any]:
    """Tells the time, the weather, the quiet hours, the price of power, and the power in use with its limit."""
    return household.circumstances()


@server.tool(annotations=_READS)
def find_people() -> dict[str, str]:
    """Tells in which room everybody is, or that they are away."""
    return household.people()


@server.tool(annotations=_SETS)
def set_device(device: str, setting: str, value: float | str) -> str:
    """Sets a light, thermostat, tv, speaker or blinds.

    Settings: light: power (on, off), brightness (0-100), warmth (2000-6500); thermostat: celsius (5-28), mode (off,
    eco, comfort); tv: power, volume (0-100), input (live, film, game); speaker: power, volume; blinds: closed (0-100).
    """
    return household.set_device(device, setting, value)


@server.tool(annotations=_SETS)
def secure(device: str, to: str) -> str:
    """Locks a door (to locked), closes a window (to closed) or arms the alarm (to home or away)."""
    return household.secure(device, to)


@server.tool(annotations=ToolAnnotations(idempotentHint=True))
def open_up(device: str, to: str) -> str:
    """Unlocks a door (to unlocked), opens a window (to open) or switches the alarm off (to off)."""
    return household.open_up(device, to)


@server.tool(annotations=ToolAnnotations(idempotentHint=True))
def run_appliance(device: str, program: str) -> str:
    """Starts a program of an appliance, such as a washing machine or the car's charger; what is started runs."""
    return household.run_appliance(device, program)


async def _answered(request: CallToolRequest) -> ServerResult:
    """Call a tool, as FastMCP does, but tell what was refused from what broke down."""
    try:
        found: Any = await server.call_tool(request.params.name, request.params.arguments or {})
    except ToolError as error:
        if isinstance(error.__cause__, ValueError):  # refused by a device, or by the check of the arguments
            raise McpError(ErrorData(code=INVALID_PARAMS, message=str(error.__cause__))) from error
        return ServerResult(CallToolResult(isError=True, content=[TextContent(type="text", text=str(error))]))
    content, data = found
    return ServerResult(CallToolResult(content=list(content), structuredContent=data))


def main() -> None:
    """Serve until the pipes are closed."""
    server._mcp_server.request_handlers[CallToolRequest] = _answered
    server.run()


if __name__ == "__main__":
    main()
