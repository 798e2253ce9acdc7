"""`understudy friction`: how often people were bothered, by user and week."""

from typing import Annotated

import typer

from understudy.cli.opened import with_front_desk
from understudy.cli.options import AsJson, Workspace

EXAMPLES = """\b
Examples:
  understudy friction
  understudy friction --weeks 12 --json | jq '.[] | select(.is_within_targets | not)'
"""
Weeks = Annotated[int, typer.Option("--weeks", min=1, max=53, help="Weeks to show, this one included.")]


def friction(weeks: Weeks = 4, workspace: Workspace = None, as_json: AsJson = False) -> None:
    """Show how often people were bothered, by user and week.

    Targets for a user and a week: at most 2 taps (decisions given) and 1 dialog (question opened). Nags are reminders,
    escalations, repeated questions and notices; overrides are decisions that changed or refused what was proposed.
    """
    found = with_front_desk(
        workspace,
        lambda desk: desk.friction.weeks(desk.settings.workspace, count=weeks),
        there=lambda client: client.friction(weeks=weeks),
    )
    if as_json:
        from understudy.cli.screen import print_json

        print_json([{**week._asdict(), "is_within_targets": week.is_within_targets} for week in found])
        return
    from understudy.cli.tables import print_table

    rows = [
        (week.week, week.user, week.taps, week.dialogs, week.nags, week.edits, week.overrides,
         _seconds(week.median_seconds), "met" if week.is_within_targets else "missed")
        for week in found
    ]  # fmt: skip
    columns = ("week", "user", "taps", "dialogs", "nags", "edits", "overrides", "median time", "targets")
    print_table("Friction", columns, rows)


def _seconds(seconds: float | None) -> str:
    if seconds is None:
        return ""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
