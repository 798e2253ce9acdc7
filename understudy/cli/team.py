"""`understudy team`: list, show and check teams."""

from typing import TYPE_CHECKING, Annotated

import typer

from understudy.cli.checkpoint_text import passes, stands
from understudy.cli.errors import USAGE
from understudy.cli.text import examples

if TYPE_CHECKING:
    from agents.team import Team

EXAMPLES = """\b
Examples:
  understudy team list
  understudy team show marketing
  understudy team check teams/mine.toml     every mistake with its line
"""

app = typer.Typer(help="List, show and check teams.", epilog=EXAMPLES, rich_markup_mode=None, no_args_is_help=True)


@app.command("list", epilog=examples("team list"))
def list_teams() -> None:
    """List the shipped teams."""
    from agents.team_files import load_team, team_names
    from understudy.cli.tables import print_table

    teams = [load_team(name) for name in team_names()]
    print_table(
        "Teams",
        ("team", "specialists", "description"),
        [(team.name, ", ".join(s.name for s in team.specialists), team.description) for team in teams],
    )


@app.command(epilog=examples("team show marketing", "team show my-team.toml"))
def show(name: Annotated[str, typer.Argument(metavar="NAME|FILE", help="A shipped team or a team file.")]) -> None:
    """Show a team.

    Its specialists, tools, checkpoints, plan templates, quality bar and rules.
    """
    from agents.team_files import load_team
    from understudy.cli.tables import print_table

    team = load_team(name)
    typer.echo(f"{team.name} (version {team.version}): {team.description}")
    columns = ("specialist", "tools", "fallback", "alternatives", "description")
    print_table("Specialists", columns, _specialists(team))
    if team.tools:
        print_table("Tools", ("tool", "from", "effect", "level", "target"), _tools(team))
    print_table("Checkpoints", ("checkpoint", "where", "passes by itself", "description"), _checkpoints(team))
    print_table("Plan templates", ("template", "for", "steps"), _templates(team))
    print_table("Quality", ("setting", "value"), _quality(team))
    for rule in team.constraints:
        typer.echo(f"rule: {rule}")


@app.command(epilog=examples("team check", "team check my-team.toml"))
def check(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME|FILE]...", help="Teams to check; none: all shipped ones.")
    ] = None,
) -> None:
    """Report every mistake of team files with its line.

    The exit code is 2 when there are any.
    """
    from agents.team_files import load_team, team_names
    from domain.errors import InvalidTeamFile

    wrong = False
    for name in names or team_names():
        try:
            team = load_team(name)
        except InvalidTeamFile as error:
            wrong = True
            typer.echo(str(error), err=True)
        else:
            typer.echo(f"{name}: ok ({len(team.specialists)} specialists, {len(team.checkpoints)} checkpoints)")
    if wrong:
        raise typer.Exit(USAGE)


def _specialists(team: "Team") -> list[tuple[str, ...]]:
    return [
        (s.name, ", ".join(s.tools) or "-", s.fallback or "-", ", ".join(s.alternatives) or "-", s.description)
        for s in team.specialists
    ]


def _tools(team: "Team") -> list[tuple[str, ...]]:
    return [(t.name, t.origin, t.effect, t.level, t.target) for t in team.tools]


def _checkpoints(team: "Team") -> list[tuple[str, ...]]:
    return [(c.name, stands(c), passes(c), c.description or "-") for c in team.checkpoints]


def _templates(team: "Team") -> list[tuple[str, ...]]:
    return [(t.name, ", ".join(t.kinds), " → ".join(step.agent for step in t.steps)) for t in team.templates]


def _quality(team: "Team") -> list[tuple[str, object]]:
    settings = team.quality.model_dump()
    return [(name, ", ".join(value) if isinstance(value, tuple) else value) for name, value in settings.items()]
