"""`understudy performance`: how the latest runs went."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from understudy.cli.opened import with_orchestrator
from understudy.cli.options import AsJson, Workspace

if TYPE_CHECKING:
    from memory.success import Analysis, Success

EXAMPLES = """\b
Examples:
  understudy performance
  understudy performance --png performance.png
  understudy performance --json | jq .agents
"""


def performance(
    workspace: Workspace = None,
    png: Annotated[Path | None, typer.Option("--png", metavar="FILE", dir_okay=False, help="Draw it, too.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show success, quality and time by sequence, agent and kind of goal, with 95 % Wilson intervals.

    It covers the latest runs of the workspace: at most 1000, of 90 days.
    """
    found = with_orchestrator(workspace, lambda o: o.performance())
    if png is not None:
        from understudy.cli.performance_chart import draw

        draw(found, png)
    if as_json:
        from understudy.cli.screen import print_json

        print_json(as_json_object(found))
        return
    from understudy.cli.tables import print_table

    groups = (("sequence", found.sequences), ("agent", found.agents), ("kind", found.kinds))
    rows = [(group, *_row(success)) for group, successes in groups for success in successes]
    columns = ("by", "name", "runs", "succeeded", "95 % interval", "quality", "seconds")
    print_table(f"{found.overall.runs} runs, {found.overall.rate:.0%} succeeded{_trend(found)}", columns, rows)


def as_json_object(found: "Analysis") -> dict[str, object]:
    """Return the analysis as one JSON object; rates and intervals are 0-1."""
    return {
        "overall": _object(found.overall),
        "sequences": [_object(s) for s in found.sequences],
        "agents": [_object(s) for s in found.agents],
        "kinds": [_object(s) for s in found.kinds],
        "trend": found.trend,
        "errors": dict(found.errors),
        "override_rate": found.override_rate,
    }


def _object(success: "Success") -> dict[str, object]:
    return success._asdict() | {"rate": success.rate, "interval": list(success.interval)}


def _row(success: "Success") -> tuple[str, ...]:
    quality = "-" if success.quality is None else f"{success.quality:.2f}"
    interval = f"{success.interval.low:.0%}-{success.interval.high:.0%}"
    return success.name, str(success.runs), f"{success.rate:.0%}", interval, quality, f"{success.seconds:.1f}"


def _trend(found: "Analysis") -> str:
    return "" if found.trend is None else f", trend {found.trend:+.0%}"
