"""The listeners as an MCP server over its pipes: `python -m evals.suites.audio.server`."""

from collections.abc import Callable
from typing import Annotated, get_args

from mcp.server.fastmcp import FastMCP
from mcp.types import CallToolResult, TextContent, ToolAnnotations
from pydantic import BaseModel

from evals.suites.audio import room
from evals.suites.audio.listeners import METHODS, Analysis, Listener, Reading, heard

_READS = ToolAnnotations(readOnlyHint=True)
_ADDS = ToolAnnotations(idempotentHint=True, destructiveHint=False)


class Master(BaseModel):
    """A master that was made."""

    recording: str
    gain_db: float
    rms_db: float
    peak_db: float


def opened() -> FastMCP:
    """Return the server: a tool for each listener and analysis, called `studio_tempo` and so on, and the mastering."""
    server = FastMCP("audio", log_level="CRITICAL")
    for listener in get_args(Listener):
        for analysis, method in METHODS.items():
            told = f"Finds {method.words} of a recording, in {method.unit}, as {listener} hears it."
            tool, name = _listening(listener, analysis), f"{listener}_{analysis}"
            server.add_tool(tool, name=name, description=told, annotations=_READS)
    server.add_tool(master_recording, annotations=_ADDS)
    return server


def master_recording(recording: str, gain_db: float) -> Annotated[CallToolResult, Master]:
    """Makes a master of a recording: a copy that is louder or quieter by so many dB; the recording stays."""
    made = Master(**room.master(recording, gain_db))
    text = (
        f"A master of [{recording}] was made with a gain of {made.gain_db:g} dB: its loudness is {made.rms_db:g} dB, "
        f"its peak {made.peak_db:g} dB of full scale."
    )
    return _result(text, made)


def _listening(listener: Listener, analysis: Analysis) -> Callable[[str], CallToolResult]:
    def listen(recording: str) -> Annotated[CallToolResult, Reading]:
        room.require_present(listener)
        reading = heard(listener, analysis, room.recording(recording))
        return _result(reading.text, reading)

    return listen


def _result(text: str, data: BaseModel) -> CallToolResult:
    return CallToolResult(
        content=[TextContent(type="text", text=text)],
        structuredContent=data.model_dump(mode="json", exclude_unset=True),
    )


if __name__ == "__main__":
    opened().run()
