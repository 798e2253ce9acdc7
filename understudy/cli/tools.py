"""`understudy tools`: how a team's tools stand, what their servers offer, and what of it is confirmed."""

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from understudy.cli.errors import FAILED
from understudy.cli.opened import with_orchestrator
from understudy.cli.options import AsJson, Team, Workspace
from understudy.cli.text import examples

if TYPE_CHECKING:
    from agents.tools.declaration import ToolDeclaration
    from agents.tools.foreign import Definition
    from agents.tools.supply import Supplied
    from understudy.orchestrator import Orchestrator
    from understudy.tool_desk import Offer, Standing

EXAMPLES = """\b
Examples:
  understudy tools list --team teams/mine.toml
  understudy tools show search_tickets --team teams/mine.toml
  understudy tools check --team teams/mine.toml       start the servers and see what they offer
  understudy tools confirm search_tickets --team teams/mine.toml

A team file declares tools in [[tools]] tables: name, from (function, mcp, openapi), target, operation, description,
effect (none, read, write; write where it is left out), key, idempotent, verify, undo, level (HIGH, MEDIUM, LOW,
EXPERIMENTAL), capability, alternatives, timeout, allow_hosts, allow_private, secrets.
"""
ToolName = Annotated[str, typer.Argument(metavar="NAME", help="Name of a tool.")]

app = typer.Typer(
    help="See, check and confirm the tools of a team.", epilog=EXAMPLES, rich_markup_mode=None, no_args_is_help=True
)


@app.command("list", epilog=examples("tools list", "tools list --team my-team.toml"))
def list_tools(team: Team = None, workspace: Workspace = None, as_json: AsJson = False) -> None:
    """List every tool with its origin and how reliable it is.

    Beside its effect and level stands how reliable it was measured to be.
    """
    standings = with_orchestrator(workspace, lambda o: o.tools.standings(), team=team)
    if as_json:
        from understudy.cli.screen import print_json

        print_json([_as_json(each) for each in standings])
        return
    from understudy.cli.tables import print_table

    columns = ("tool", "origin", "effect", "level", "expected", "calls", "breaker", "capability")
    print_table("Tools", columns, [_row(each) for each in standings])


@app.command(epilog=examples("tools show search_documents"))
def show(name: ToolName, team: Team = None, workspace: Workspace = None, as_json: AsJson = False) -> None:
    """Show one tool: what it takes and how it did."""
    from understudy.cli.screen import print_json

    standing = with_orchestrator(workspace, lambda o: o.tools.standing(name), team=team)
    if as_json:
        print_json(_as_json(standing))
        return
    from understudy.cli.tables import print_table
    from understudy.cli.text import clean

    typer.echo(clean(standing.tool.description))
    facts = {key: value for key, value in _as_json(standing).items() if key not in ("description", "parameters")}
    print_table("Tool", ("what", "value"), [(key, _shown(value)) for key, value in facts.items()])
    typer.echo(clean(json.dumps(standing.tool.parameters.model_json_schema(), indent=2, ensure_ascii=False)))


@app.command(epilog=examples("tools check --team my-team.toml"))
def check(team: Team = None, workspace: Workspace = None) -> None:
    """Ask every server and document what it offers.

    The exit code is 1 when a declared tool cannot be used as it is.
    """
    offers, declared = with_orchestrator(workspace, _looked, team=team)
    from understudy.cli.tables import print_table

    names = {(each.declaration.target, each.declaration.remote_name): each.declaration for each in declared}
    for offer in offers:
        rows = [_offer_row(found, names.get((offer.target, name))) for name, found in offer.definitions.items()]
        print_table(f"Offered by {offer.target}", ("tool", "declared as", "effect", "claims", "says"), rows)
    print_table("Declared tools", ("tool", "from", "state"), [_state_row(each) for each in declared])
    if any(each.problem for each in declared):
        raise typer.Exit(FAILED)


@app.command(epilog=examples("tools confirm search_tickets --team my-team.toml"))
def confirm(name: ToolName, team: Team = None, workspace: Workspace = None) -> None:
    """Take a tool as its server describes it now.

    Before that, a changed tool is refused.
    """
    confirmed = with_orchestrator(workspace, lambda o: o.tools.confirm(name), team=team)
    from understudy.cli.text import clean

    for title, definition in (("was", confirmed.confirmed), ("is", confirmed.offered)):
        if definition is not None and (confirmed.changed or title == "is"):
            typer.echo(clean(f"{title}: {definition.description}\n{json.dumps(definition.parameters)}"))
    typer.echo(f"{name} is confirmed")


async def _looked(orchestrator: "Orchestrator") -> "tuple[list[Offer], list[Supplied]]":
    return await orchestrator.tools.offers(), await orchestrator.tools.checked()


def _offer_row(definition: "Definition", declaration: "ToolDeclaration | None") -> tuple[str, ...]:
    declared = (declaration.name, declaration.effect) if declaration else ("-", "-")
    return definition.name, *declared, definition.claims or "-", definition.description[:200] or "-"


def _state_row(each: "Supplied") -> tuple[str, ...]:
    return each.declaration.name, each.declaration.origin, each.problem or "ok"


def _row(standing: "Standing") -> tuple[str, ...]:
    tool = standing.tool
    return (
        tool.name, tool.origin, tool.effect, tool.level, f"{standing.expected:.2f}", str(standing.seen.calls),
        standing.breaker, tool.capability or "-",
    )  # fmt: skip


def _as_json(standing: "Standing") -> dict[str, Any]:
    tool, seen = standing.tool, standing.seen
    return {
        "name": tool.name,
        "origin": tool.origin,
        "effect": tool.effect,
        "level": tool.level,
        "expected": round(standing.expected, 4),
        "calls": seen.calls,
        "seconds": round(seen.seconds / seen.weight, 4) if seen.weight else None,
        "breaker": standing.breaker,
        "breakdowns": seen.breakdowns,
        "capability": tool.capability,
        "alternatives": list(tool.alternatives),
        "timeout": tool.timeout,
        "verify": tool.verify is not None,
        "undo": tool.undo is not None,
        "description": tool.description,
        "parameters": tool.parameters.model_json_schema(),
    }


def _shown(value: Any) -> str:
    return ", ".join(value) or "-" if isinstance(value, list) else "-" if value is None else str(value)
