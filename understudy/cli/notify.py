"""`understudy notify`: try the configured channels, and see what waits to be told."""

import asyncio
import time
from typing import TYPE_CHECKING

import typer

from understudy.cli.errors import FAILED
from understudy.cli.opened import with_front_desk
from understudy.cli.options import AsJson, Workspace
from understudy.cli.text import examples

if TYPE_CHECKING:
    from understudy.notices.trying import Tried

EXAMPLES = """\b
Examples:
  understudy notify test
  understudy notify list --json | jq -r '.[] | select(.status == "given_up") | .reason'

\b
Channels are URLs of apprise (https://github.com/caronc/apprise) in understudy.toml:
  [notify.users]
  ada = "mailtos://ada:password@example.com"
  [notify.workspaces]
  default = ["json://127.0.0.1:8080/hook", { url = "slack://TokenA/TokenB/TokenC", kinds = ["escalated"] }]
or in UNDERSTUDY_NOTIFY__USERS='{"ada": ["mailtos://..."]}'.
"""

app = typer.Typer(
    help="Try how people are told, and see what waits.",
    epilog=EXAMPLES,
    rich_markup_mode=None,
    no_args_is_help=True,
)


@app.command(epilog=examples("notify test"))
def test(as_json: AsJson = False) -> None:
    """Send a test notice over every channel.

    Says what happened to each, and ends with 1 where one failed.
    """
    from understudy.notices.trying import tried
    from understudy.settings import load_settings

    results = asyncio.run(tried(load_settings()))
    _show(results, as_json)
    if any(result.problem for result in results):
        raise typer.Exit(FAILED)


def _show(results: "list[Tried]", as_json: bool) -> None:
    if as_json:
        from understudy.cli.screen import print_json

        print_json([result._asdict() for result in results])
        return
    from understudy.cli.tables import print_table

    rows = [(result.channel, result.problem or "sent") for result in results]
    print_table("Channels", ("channel", "result"), rows)


@app.command("list", epilog=examples("notify list"))
def list_notices(workspace: Workspace = None, as_json: AsJson = False) -> None:
    """List a workspace's notices: what waits first, then the latest."""
    found = with_front_desk(workspace, lambda desk: desk.outbox.listed(desk.settings.workspace))
    if as_json:
        from understudy.cli.screen import print_json

        print_json([kept._asdict() for kept in found])
        return
    from understudy.cli.tables import print_table

    rows = [
        (kept.status.replace("_", " "), kept.kind, _time(kept.created), kept.tries, kept.title or kept.id, kept.reason)
        for kept in found
    ]
    print_table("Notices", ("status", "kind", "written", "tries", "notice", "reason"), rows)


def _time(time_: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(time_))
