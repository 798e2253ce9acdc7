"""`understudy performance`: how the latest runs went."""

from typing import TYPE_CHECKING

from understudy.cli.opened import Assistant, with_assistant
from understudy.cli.options import AsJson, Png, Team, Workspace

if TYPE_CHECKING:
    from agents.delegation.standings import Standing
    from memory.success import Analysis, Success

EXAMPLES = """\b
Examples:
  understudy performance
  understudy performance --png performance.png
  understudy performance --json | jq .selection
"""


def performance(
    workspace: Workspace = None,
    team: Team = None,
    png: Png = None,
    as_json: AsJson = False,
) -> None:
    """Show success, quality and time of the latest runs.

    They are told by sequence, agent and kind of goal, with 95 % Wilson intervals. It covers the latest runs of the
    workspace: at most 1000, of 90 days. The lines by step are what agents of the team are chosen by: their last 20,000
    steps, by kind and agent, with the mean cost in dollars; a failed one counts as 0.
    """

    async def measured(assistant: Assistant) -> "tuple[Analysis, list[Standing]]":
        return await assistant.performance(), await assistant.standings()

    found, standings = with_assistant(workspace, measured, team=team)
    if png is not None:
        from understudy.cli.performance_chart import draw

        draw(found, png)
    if as_json:
        from understudy.cli.screen import print_json

        print_json(as_json_object(found) | {"selection": [_standing_object(s) for s in standings]})
        return
    from understudy.cli.tables import print_table

    groups = (("sequence", found.sequences), ("agent", found.agents), ("kind", found.kinds))
    rows = [(group, *_row(success)) for group, successes in groups for success in successes]
    rows += [("step", *_standing_row(standing)) for standing in standings]
    columns = ("by", "name", "runs", "succeeded", "95 % interval", "quality", "seconds", "dollars")
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
    return success.name, str(success.runs), f"{success.rate:.0%}", interval, quality, f"{success.seconds:.1f}", "-"


def _standing_row(standing: "Standing") -> tuple[str, ...]:
    from memory.success import wilson

    interval = wilson(standing.successes, standing.tasks)
    return (
        f"{standing.kind} by {standing.agent}",
        str(standing.tasks),
        f"{standing.successes / standing.tasks:.0%}",
        f"{interval.low:.0%}-{interval.high:.0%}",
        f"{standing.quality:.2f}",
        f"{standing.seconds:.1f}",
        f"{standing.cost:.4f}",
    )


def _standing_object(standing: "Standing") -> dict[str, object]:
    from memory.success import wilson

    interval = wilson(standing.successes, standing.tasks)
    return standing._asdict() | {"rate": standing.successes / standing.tasks, "interval": list(interval)}


def _trend(found: "Analysis") -> str:
    return "" if found.trend is None else f", trend {found.trend:+.0%}"
