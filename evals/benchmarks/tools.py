"""How fast tools' arguments are validated: of a Python function, of a server's JSON schema, and by pydantic alone."""

import asyncio
import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any, Literal

from pydantic import BaseModel

from agents.tools.foreign import plain_schema
from agents.tools.function import parameters_from
from agents.tools.json_parameters import parameters_of
from agents.tools.registry import Tool, ToolOutput
from evals.report import Aim, Report

AIM = 10_000
"""Validations a second."""
_ARGUMENTS: Mapping[str, Any] = {
    "query": "open tickets of the harbour office",
    "status": "open",
    "limit": 20,
    "tags": ["harbour", "urgent"],
    "since": {"year": 2025, "month": 4},
}


class Month(BaseModel):
    """A month."""

    year: int
    month: int


def search(
    query: str,
    status: Literal["open", "closed"],
    limit: int = 10,
    tags: list[str] | None = None,
    since: Month | None = None,
) -> str:
    """Search the tickets.

    Args:
        query: What to look for.
        status: Of the tickets.
        limit: Tickets at most.
        tags: All of which a ticket must have.
        since: The first month.
    """
    return query


def tools() -> tuple[Tool, Tool]:
    """Return a tool of the function, and one with the same parameters as a server's JSON schema."""

    async def run(arguments: BaseModel) -> ToolOutput:
        return ToolOutput(str(arguments))

    native = parameters_from(search, "search")
    foreign = parameters_of("search", plain_schema(native.model_json_schema()))
    return (
        Tool("search", "Search.", native, run, effect="read"),
        Tool("search", "Search.", foreign, run, effect="read"),
    )


def rate(work: Callable[[Mapping[str, Any]], object], calls: int) -> float:
    """Return how often a second the work can be done on the arguments."""
    began = time.perf_counter()
    for _ in range(calls):
        work(_ARGUMENTS)
    return calls / (time.perf_counter() - began)


async def _call_microseconds(tool: Tool, calls: int) -> float:
    began = time.perf_counter()
    for _ in range(calls):
        await tool.call(_ARGUMENTS)
    return (time.perf_counter() - began) / calls * 1e6


def run(*, calls: int = 5000, runs: int = 9) -> Report:
    """Measure each kind in turn, several times; the medians count."""
    native, foreign = tools()
    kinds: dict[str, Callable[[Mapping[str, Any]], object]] = {
        "function_per_s": native.validated,
        "json_schema_per_s": foreign.validated,
        "pydantic_per_s": native.parameters.model_validate,
    }
    found: dict[str, list[float]] = {name: [] for name in kinds}
    for _ in range(runs):
        for name, work in kinds.items():
            found[name].append(rate(work, calls))
    medians = {name: statistics.median(values) for name, values in found.items()}
    call = [asyncio.run(_call_microseconds(native, max(1, calls // 10))) for _ in range(runs)]
    return Report(
        name="tools",
        figures={
            "calls": calls,
            "runs": runs,
            **medians,
            "function_of_pydantic": medians["function_per_s"] / medians["pydantic_per_s"],
            "call_us": statistics.median(call),
        },
        aims=(Aim("function_per_s", ">=", AIM), Aim("json_schema_per_s", ">=", AIM)),
    )
