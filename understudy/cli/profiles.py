"""`understudy memory profiles`: how a workspace speaks, to whom, and what it prefers."""

from typing import TYPE_CHECKING, Annotated

import typer

from understudy.cli.opened import with_orchestrator
from understudy.cli.options import AsJson, Workspace
from understudy.cli.text import examples

if TYPE_CHECKING:
    from understudy.orchestrator import Orchestrator

EXAMPLES = """\b
Examples:
  understudy memory profiles set brand_voice.tone "plain and warm"
  understudy memory profiles set preferences.length "one page at most"
  understudy memory profiles set target_profiles '[{"name": "teachers", "needs": "short texts"}]'
  understudy memory profiles unset preferences.length
"""
Name = Annotated[
    str, typer.Argument(metavar="NAME", help="brand_voice.NAME, preferences.NAME or target_profiles (a JSON list).")
]

app = typer.Typer(
    help="See and change what every agent of a workspace is told. It goes before the team file.",
    epilog=EXAMPLES,
    rich_markup_mode=None,
    no_args_is_help=True,
)


@app.command(epilog=examples("memory profiles show"))
def show(workspace: Workspace = None, as_json: AsJson = False) -> None:
    """Show the workspace's profile."""
    profile = with_orchestrator(workspace, lambda o: o.lessons.profiles.get(o.settings.workspace))
    if as_json:
        from understudy.cli.screen import print_json

        print_json(profile.model_dump(mode="json"))
        return
    from understudy.cli.tables import print_table

    rows = [(f"brand_voice.{name}", text) for name, text in profile.brand_voice.items()]
    rows += [(f"preferences.{name}", text) for name, text in profile.preferences.items()]
    rows += [("target_profiles", str(target)) for target in profile.target_profiles]
    print_table("Profile", ("name", "value"), rows)


@app.command("set", epilog=examples('memory profiles set preferences.length "one page at most"'))
def set_entry(
    name: Name,
    value: Annotated[str, typer.Argument(metavar="VALUE", help="The text, or the list.")],
    workspace: Workspace = None,
) -> None:
    """Set an entry, replacing the one of the same name."""

    async def put(orchestrator: "Orchestrator") -> None:
        from memory.profiles import with_entry

        profiles, place = orchestrator.lessons.profiles, orchestrator.settings.workspace
        await profiles.put(place, with_entry(await profiles.get(place), name, value, orchestrator.person))

    with_orchestrator(workspace, put)
    typer.echo(f"{name} is set")


@app.command(epilog=examples("memory profiles unset preferences.length"))
def unset(name: Name, workspace: Workspace = None) -> None:
    """Remove an entry."""

    async def put(orchestrator: "Orchestrator") -> None:
        from memory.profiles import without_entry

        profiles, place = orchestrator.lessons.profiles, orchestrator.settings.workspace
        await profiles.put(place, without_entry(await profiles.get(place), name, orchestrator.person))

    with_orchestrator(workspace, put)
    typer.echo(f"{name} is removed")
