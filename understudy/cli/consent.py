"""`understudy consent`: what you have agreed to, and what you have refused for good."""

import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from understudy.cli.opened import with_front_desk
from understudy.cli.options import AsJson, Workspace
from understudy.cli.text import examples

if TYPE_CHECKING:
    from memory.consents import Consents
    from understudy.front_desk import FrontDesk

T = TypeVar("T")
EXAMPLES = """\b
Examples:
  understudy consent list
  understudy consent give personal_data
  understudy consent refuse camera
  understudy consent revoke personal_data

A scope is named by the steps, tools, files and resources that need it. You are asked when a step comes to one, and may
say always, this time or never; only always and never are kept. They hold for you in this workspace.
"""
Scope = Annotated[str, typer.Argument(metavar="SCOPE", help="What it is a consent to, e.g. personal_data.")]
User = Annotated[str | None, typer.Option("--user", metavar="NAME", help="Whose consent; without it, yours.")]

app = typer.Typer(
    help="See, give, refuse and take back consents.",
    epilog=EXAMPLES,
    rich_markup_mode=None,
    no_args_is_help=True,
)


def _with_consents(workspace: str | None, use: "Callable[[Consents, FrontDesk], Awaitable[T]]") -> T:
    async def used(desk: "FrontDesk") -> T:
        from memory.consents import Consents

        return await use(Consents(desk.records, clock=desk.clock, audit=desk.audit), desk)

    return with_front_desk(workspace, used)


@app.command("list", epilog=examples("consent list", "consent list --history --json"))
def list_consents(
    history: Annotated[bool, typer.Option("--history", help="Every move, oldest first.")] = False,
    workspace: Workspace = None,
    as_json: AsJson = False,
) -> None:
    """List what holds for everybody of the workspace."""
    from domain.consent import holding

    moves = _with_consents(workspace, lambda consents, desk: consents.history(desk.settings.workspace))
    moves = moves if history else holding(moves)
    if as_json:
        from understudy.cli.screen import print_json

        print_json([move.model_dump(mode="json") for move in moves])
        return
    from understudy.cli.tables import print_table

    rows = [
        (m.scope, m.user, m.move, m.by, time.strftime("%Y-%m-%d %H:%M", time.localtime(m.time)), m.run) for m in moves
    ]
    print_table("Consents", ("scope", "user", "answer", "by", "time", "asked by run"), rows)


@app.command(epilog=examples("consent give personal_data"))
def give(scope: Scope, user: User = None, workspace: Workspace = None) -> None:
    """Agree to a scope for good."""
    whose = _with_consents(workspace, lambda consents, desk: _said(consents.give, desk, scope, user))
    typer.echo(f"{scope} is agreed to for {whose}")


@app.command(epilog=examples("consent refuse camera"))
def refuse(scope: Scope, user: User = None, workspace: Workspace = None) -> None:
    """Refuse a scope for good.

    Steps that need it fail without asking.
    """
    whose = _with_consents(workspace, lambda consents, desk: _said(consents.refuse, desk, scope, user))
    typer.echo(f"{scope} is refused for {whose}")


@app.command(epilog=examples("consent revoke personal_data"))
def revoke(scope: Scope, user: User = None, workspace: Workspace = None) -> None:
    """Take back what was said of a scope.

    The next step that needs it asks.
    """
    whose = _with_consents(workspace, lambda consents, desk: _said(consents.revoke, desk, scope, user))
    typer.echo(f"{scope} is asked for anew where {whose} needs it")


async def _said(say: Callable[..., Awaitable[object]], desk: "FrontDesk", scope: str, user: str | None) -> str:
    """Say something of a scope, and return whose word it is."""
    whose = user or desk.settings.user
    await say(desk.settings.workspace, whose, scope, by=desk.settings.user)
    return whose
