"""The service's controls as an MCP server over its pipes: `python -m evals.suites.operations.server`."""

from collections.abc import Mapping
from typing import Annotated, Any

from mcp.server.fastmcp import FastMCP
from mcp.types import CallToolResult, TextContent, ToolAnnotations
from pydantic import ConfigDict, Field, with_config
from typing_extensions import TypedDict

from evals.suites.operations import service, wording

server = FastMCP("call-service", log_level="CRITICAL")
_READS = ToolAnnotations(readOnlyHint=True)
_LIMITS = service.PARAMETERS


def _between(name: str, meaning: str) -> Any:
    low, high = _LIMITS[name]
    return Field(ge=low, le=high, description=meaning)


@with_config(ConfigDict(extra="forbid"))
class Parameters(TypedDict, total=False):
    """Parameters of the service; those that are left out stay as they are."""

    agents: Annotated[int, _between("agents", "People who take calls; each costs 28 dollars an hour.")]
    handle_seconds: Annotated[float, _between("handle_seconds", "Time that a call is given; longer settles more.")]
    callback_after_seconds: Annotated[
        float, _between("callback_after_seconds", "Wait after which a caller is called back; 0 never.")
    ]
    automation_share: Annotated[
        float, _between("automation_share", "Share of calls that a machine takes, for 12 cents each.")
    ]


@server.tool(annotations=_READS)
def read_status() -> CallToolResult:
    """Tells the service's parameters, limits and guards, the load, and how it does now, as measured."""
    return _told(wording.of_status, service.status())


@server.tool(annotations=_READS)
def read_last_report() -> CallToolResult:
    """Tells how the service did when it was reported last; older than read_status, and there when that is away."""
    return _told(wording.of_report, service.last_report())


@server.tool(annotations=_READS)
def forecast(
    candidates: Annotated[list[Parameters], Field(min_length=1, max_length=20)],
    calls_per_hour: Annotated[float | None, Field(description="Load to reckon with; left out: that of now.")] = None,
) -> CallToolResult:
    """Tells what each of several settings would cost and give, and which guards it would break, all in one call.

    An empty candidate stands for the settings as they are. Nothing is changed.
    """
    return _told(wording.of_forecast, service.forecast(candidates, calls_per_hour))  # type: ignore[arg-type]


@server.tool(annotations=ToolAnnotations(idempotentHint=True, destructiveHint=False))
def set_parameters(
    parameters: Parameters,
    cost: Annotated[float, Field(ge=0, description="Dollars an hour that it may cost more than now.")] = 0.0,
) -> CallToolResult:
    """Sets parameters of the running service, for example {"agents": 26}.

    Refused where it would cost more than `cost`, or where a guard that holds now is foreseen to break.
    """
    return _told(wording.of_change, service.set_parameters(parameters, cost))  # type: ignore[arg-type]


@server.tool(annotations=_READS)
def check_guards() -> CallToolResult:
    """Tells how the service does after a change; fails where a guard does not hold."""
    return _told(wording.of_guards, service.check_guards())


def _told(words: Any, data: Mapping[str, Any]) -> CallToolResult:
    return CallToolResult(content=[TextContent(type="text", text=words(data))], structuredContent=dict(data))


if __name__ == "__main__":
    server.run()
