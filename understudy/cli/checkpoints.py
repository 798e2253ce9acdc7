"""`understudy checkpoints`: the checkpoints of a team and those that a workspace adds."""

import json
import tomllib
from typing import TYPE_CHECKING, Annotated, Any

import typer

from understudy.cli.checkpoint_text import passes, stands
from understudy.cli.given import given_text
from understudy.cli.opened import with_orchestrator
from understudy.cli.options import AsJson, Team, Workspace
from understudy.cli.text import examples

if TYPE_CHECKING:
    from domain.checkpoints import Checkpoint
    from understudy.checkpoint_desk import Listed
    from understudy.orchestrator import Orchestrator

EXAMPLES = """\b
Examples:
  understudy checkpoints list
  echo '{"name": "many", "condition": "ON_VALUE", "action": "BLOCK", "when":
    [{"measure": "recipients", "op": "gt", "value": 50}]}' | understudy checkpoints add -
  understudy checkpoints add checkpoint.toml --every-team
  understudy checkpoints remove many

A workspace adds checkpoints and tightens; one of the same name as the team's stands beside it, and the stricter wins.
Keys: name, description, condition (AFTER_STAGE, BEFORE_EXECUTION, ON_EFFECT, ON_VALUE), stage, when (measure, op,
value), action (REQUEST_APPROVAL, NOTIFY, ESCALATE, BLOCK), auto_approve_if, auto_approve_for_users, timeout_seconds,
on_timeout (halt, reject, escalate, approve), approvers, quorum, escalation (to, after_seconds), enabled.
"""
CheckpointName = Annotated[str, typer.Argument(metavar="NAME", help="Name of a checkpoint.")]

app = typer.Typer(
    help="See checkpoints, and add some for a workspace.",
    epilog=EXAMPLES,
    rich_markup_mode=None,
    no_args_is_help=True,
)


@app.command("list", epilog=examples("checkpoints list", "checkpoints list --team marketing"))
def list_checkpoints(team: Team = None, workspace: Workspace = None, as_json: AsJson = False) -> None:
    """List the checkpoints of the team and of the workspace."""
    found = with_orchestrator(workspace, lambda o: o.checkpoints.listed(), team=team)
    if as_json:
        from understudy.cli.screen import print_json

        print_json([_as_json(each) for each in found])
        return
    from understudy.cli.tables import print_table

    columns = ("checkpoint", "of", "stands", "does", "passes", "description")
    print_table("Checkpoints", columns, [_row(each) for each in found])


@app.command(epilog=examples("checkpoints show before_writing"))
def show(name: CheckpointName, team: Team = None, workspace: Workspace = None, as_json: AsJson = False) -> None:
    """Show a checkpoint with everything that it says.

    Of one name there can be two, the team's and the workspace's.
    """
    from understudy.cli.screen import print_json

    found = with_orchestrator(workspace, lambda o: o.checkpoints.named(name), team=team)
    if as_json:
        print_json([_as_json(each) for each in found])
        return
    from understudy.cli.tables import print_table

    for each in found:
        fields = each.posted.checkpoint.model_dump(mode="json", exclude_defaults=True)
        rows = [
            ("of", each.origin),
            *((key, value if isinstance(value, str) else json.dumps(value)) for key, value in fields.items()),
        ]
        print_table(name, ("key", "value"), rows)


@app.command(epilog=examples("checkpoints add checkpoint.toml", "checkpoints add - --every-team < many.json"))
def add(
    file: Annotated[str, typer.Argument(metavar="FILE", help="JSON or TOML; - reads JSON or TOML from stdin.")],
    every_team: Annotated[
        bool, typer.Option("--every-team", help="Let it stand for every team that works in the workspace.")
    ] = False,
    team: Team = None,
    workspace: Workspace = None,
) -> None:
    """Put checkpoints of the workspace in force.

    The file holds one checkpoint, or several in [[checkpoints]] as in a team file. One of the same name is replaced.
    """
    given = _given(file)

    async def added(orchestrator: "Orchestrator") -> None:
        for checkpoint in given:
            await orchestrator.checkpoints.add(checkpoint, orchestrator.person, every_team=every_team)
            typer.echo(f"{checkpoint.name} is in force")

    with_orchestrator(workspace, added, team=team)


@app.command(epilog=examples("checkpoints remove many"))
def remove(name: CheckpointName, workspace: Workspace = None) -> None:
    """Put a checkpoint of the workspace out of force.

    Its versions stay in the history; those of a team are changed in its file.
    """
    with_orchestrator(workspace, lambda o: o.checkpoints.remove(name, o.person))
    typer.echo(f"{name} is removed")


def _given(file: str) -> "list[Checkpoint]":
    """Return the checkpoints in a file or on stdin, or raise `InvalidCheckpoint`."""
    from domain.errors import InvalidCheckpoint
    from memory.checkpoints import parsed_checkpoint

    value = _parsed(given_text(file, InvalidCheckpoint))
    tables = value.get("checkpoints", [value])
    if not isinstance(tables, list) or not tables or not all(isinstance(table, dict) for table in tables):
        msg = "'checkpoints' holds no checkpoints"
        raise InvalidCheckpoint(msg)
    return [parsed_checkpoint(table) for table in tables]


def _parsed(text: str) -> dict[str, Any]:
    from domain.errors import InvalidCheckpoint

    try:
        value = json.loads(text) if text.lstrip().startswith("{") else tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        msg = f"this is neither JSON nor TOML: {error}"
        raise InvalidCheckpoint(msg) from error
    return dict(value)


def _row(each: "Listed") -> tuple[str, ...]:
    checkpoint, unreadable = each.posted
    does = "asks: it cannot be read" if unreadable else checkpoint.action.lower().replace("_", " ")
    return checkpoint.name, each.origin, stands(checkpoint), does, passes(checkpoint), checkpoint.description or "-"


def _as_json(each: "Listed") -> dict[str, Any]:
    checkpoint, unreadable = each.posted
    return {"of": each.origin, "readable": not unreadable, **checkpoint.model_dump(mode="json")}
