"""How `understudy bench` shows what was measured."""

from typing import TYPE_CHECKING

import typer

from understudy.cli.errors import FAILED

if TYPE_CHECKING:
    from evals.report import Report


def print_report(report: "Report", as_json: bool) -> None:
    """Print a report as a table or as JSON, and end with an error where an aim is missed."""
    from understudy.cli.screen import print_json
    from understudy.cli.tables import print_table

    if as_json:
        print_json(report.as_json())
    else:
        print_table(f"bench {report.name}", ("figure", "value", "aim", "met"), report.rows())
        for note in report.notes:
            typer.echo(note)
    if not report.passed:
        raise typer.Exit(FAILED)
