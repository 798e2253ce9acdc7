"""`understudy memory`: what is remembered of finished tasks."""

import time
from typing import Annotated

import typer

from understudy.cli import constraints, forgetting, memory_files, profiles
from understudy.cli.opened import with_orchestrator
from understudy.cli.options import AsJson, Workspace
from understudy.cli.tasks import SHORT, named
from understudy.cli.text import examples

EXAMPLES = """\b
Examples:
  understudy memory list --workspace acme
  understudy memory search "blog about machine learning" --json | jq .
  understudy memory show 5d0c7e1f
  understudy memory forget 5d0c7e1f
  understudy memory forget --thread 3f2a9c81d0b4
  understudy memory export > tasks.jsonl
"""

app = typer.Typer(
    help="See, search, forget, exchange and rebuild what is remembered.",
    epilog=EXAMPLES,
    rich_markup_mode=None,
    no_args_is_help=True,
)
app.command("export", epilog=examples("memory export > tasks.jsonl"))(memory_files.export_tasks)
app.command("import", epilog=examples("memory import tasks.jsonl --workspace acme"))(memory_files.import_tasks)
app.command(epilog=examples("memory reindex"))(memory_files.reindex)
app.command(epilog=examples("memory forget 5d0c7e1f", "memory forget --thread 3f2a9c81d0b4 --yes"))(forgetting.forget)
app.command(epilog=examples("memory refused", "memory refused --retry"))(forgetting.refused)
app.add_typer(constraints.app, name="constraints")
app.add_typer(profiles.app, name="profiles")


@app.command("list", epilog=examples("memory list --workspace acme", "memory list --json | jq .[].goal"))
def list_tasks(workspace: Workspace = None, as_json: AsJson = False) -> None:
    """List the remembered tasks, the latest first."""
    records = with_orchestrator(workspace, lambda o: o.memory.list(o.settings.workspace))
    if as_json:
        _print_json([record.model_dump(mode="json") for record in records])
        return
    from understudy.cli.tables import print_table

    rows = [
        (r.id[:SHORT], r.goal, " → ".join(r.sequence), f"{r.successes}/{r.successes + r.failures}",
         _score(r.quality), r.team, _day(r.updated))
        for r in records
    ]  # fmt: skip
    print_table("Remembered tasks", ("task", "goal", "sequence", "succeeded", "quality", "team", "last run"), rows)


@app.command(epilog=examples('memory search "blog about machine learning"'))
def search(
    query: Annotated[str, typer.Argument(metavar="QUERY", help="A goal, in any words.")],
    workspace: Workspace = None,
    as_json: AsJson = False,
) -> None:
    """Show the remembered tasks nearest to a goal, nearest first."""
    from domain.goals import checked_goal

    text = checked_goal(query)
    near = with_orchestrator(workspace, lambda o: o.memory.search(o.settings.workspace, text))
    if as_json:
        _print_json([neighbour.model_dump(mode="json") for neighbour in near])
        return
    from understudy.cli.tables import print_table

    rows = [
        (n.task[:SHORT], f"{n.similarity:.2f}", n.goal, " → ".join(n.sequence), "yes" if n.success else "no",
         _score(n.quality))
        for n in near
    ]  # fmt: skip
    print_table("Nearest tasks", ("task", "similarity", "goal", "sequence", "succeeded", "quality"), rows)


@app.command(epilog=examples("memory show 5d0c7e1f"))
def show(
    task: Annotated[str, typer.Argument(metavar="ID", help="Id of the task, or its beginning.")],
    workspace: Workspace = None,
    as_json: AsJson = False,
) -> None:
    """Show everything about a remembered task, its plan included."""
    record = named(task, with_orchestrator(workspace, lambda o: o.memory.list(o.settings.workspace, beginning=task)))
    if as_json:
        _print_json(record.model_dump(mode="json"))
        return
    from understudy.cli.phrases import plan_text
    from understudy.cli.screen import console, put
    from understudy.cli.tables import print_table

    values = record.model_dump(exclude={"plan", "ratings"})
    shown = [(name, _value(name, value)) for name, value in values.items() if value not in ("", {}, None)]
    print_table("Task", ("field", "value"), shown)
    if record.plan:
        put(console(), plan_text(record.plan))


@app.command(epilog=examples("memory recipes"))
def recipes(workspace: Workspace = None, as_json: AsJson = False) -> None:
    """List the patterns in what succeeded, and the recipes.

    A pattern that held often enough is a recipe: a plan with gaps that is used for new goals of its kind.
    """
    found = with_orchestrator(workspace, lambda o: o.lessons.recipes.patterns(o.settings.workspace))
    if as_json:
        _print_json([{"name": r.name, "ready": r.ready, **r.model_dump(mode="json")} for r in found])
        return
    from understudy.cli.tables import print_table

    rows = [
        (r.name, "recipe" if r.ready else "pattern", " → ".join(r.sequence), 
         f"{r.successes}/{r.successes + r.failures}", r.used, f"{r.confidence:.2f}", r.team)
        for r in found
    ]  # fmt: skip
    print_table("Recipes", ("goal", "state", "sequence", "succeeded", "used", "confidence", "team"), rows)


@app.command(epilog=examples("memory calibrate --workspace acme"))
def calibrate(workspace: Workspace = None, as_json: AsJson = False) -> None:
    """Learn now how far recall can be believed.

    It learns from the remembered tasks of each team.
    """
    found = with_orchestrator(workspace, lambda o: o.memory.calibrate(o.settings.workspace))
    if as_json:
        _print_json([calibrated._asdict() for calibrated in found])
        return
    from understudy.cli.tables import print_table

    rows = [(c.team, c.tasks, c.routes, f"{c.accuracy:.2f}", f"{c.novel_below:.2f}", f"{c.trust:.2f}") for c in found]
    print_table("Calibration", ("team", "tasks", "routes", "accuracy", "novel below", "trust"), rows)
    if not found:
        typer.echo("too few tasks to learn from; the encoder's own prior is used", err=True)


def _print_json(value: object) -> None:
    from understudy.cli.screen import print_json

    print_json(value)


def _value(name: str, value: object) -> object:
    match name, value:
        case (("created" | "updated"), float()):
            return _day(value)
        case _, list():
            return " → ".join(map(str, value))
        case _, dict():
            return ", ".join(f"{key} {each}" for key, each in value.items())
        case _, bool():
            return "yes" if value else "no"
        case _, float():
            return f"{value:.2f}"
    return value


def _score(quality: float | None) -> str:
    return "-" if quality is None else f"{quality:.2f}"


def _day(moment: float) -> str:
    return time.strftime("%Y-%m-%d", time.localtime(moment))
