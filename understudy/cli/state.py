"""`understudy state`: the working state of the workspace and its conversations."""

import time
from typing import Annotated

import typer

from understudy.cli.opened import with_orchestrator
from understudy.cli.options import AsJson, Workspace

EXAMPLES = """\b
Examples:
  understudy state
  understudy state --thread 5d0c7e1f22aa --json | jq .
"""


def state(
    thread: Annotated[str | None, typer.Option(metavar="THREAD", help="Only what belongs to this one.")] = None,
    workspace: Workspace = None,
    as_json: AsJson = False,
) -> None:
    """Show what is noted for the workspace and conversations.

    Each note comes with its size and until when it is kept. Notes of a single run or step live as long as the run, so
    they are seen while it goes on only.
    """
    entries = with_orchestrator(workspace, lambda o: o.state(thread))
    if as_json:
        from understudy.cli.screen import print_json

        print_json([entry.model_dump(mode="json") for entry in entries])
        return
    from understudy.cli.tables import print_table

    rows = [
        (e.scope, e.owner or "-", e.name, e.bytes, _day(e.updated), _day(e.expires) if e.expires else "with its run",
         e.value)
        for e in entries
    ]  # fmt: skip
    print_table("Working state", ("scope", "of", "name", "bytes", "set", "until", "value"), rows)


def _day(moment: float) -> str:
    return time.strftime("%Y-%m-%d", time.localtime(moment))
