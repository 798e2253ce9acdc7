"""`understudy memory`: what is remembered of finished tasks."""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from understudy.cli import constraints, memory_files
from understudy.cli.opened import with_orchestrator
from understudy.cli.options import AsJson, Workspace

if TYPE_CHECKING:
    from memory.tasks import TaskRecord

EXAMPLES = """\b
Examples:
  understudy memory list --workspace acme
  understudy memory search "blog about machine learning" --json | jq .
  understudy memory show 5d0c7e1f
  understudy memory forget 5d0c7e1f
  understudy memory export > tasks.jsonl
"""
SHORT = 12
"""Characters of a task's id that tables show; any unique beginning names a task."""

app = typer.Typer(
    help="See, search, forget, exchange and rebuild what is remembered.",
    epilog=EXAMPLES,
    rich_markup_mode=None,
    no_args_is_help=True,
)
app.command("export")(memory_files.export_tasks)
app.command("import")(memory_files.import_tasks)
app.command()(memory_files.reindex)
app.add_typer(constraints.app, name="constraints")


@app.command("list")
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


@app.command()
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


@app.command()
def show(
    task: Annotated[str, typer.Argument(metavar="ID", help="Id of the task, or its beginning.")],
    workspace: Workspace = None,
    as_json: AsJson = False,
) -> None:
    """Show everything about a remembered task, its plan included."""
    record = _named(task, with_orchestrator(workspace, lambda o: o.memory.list(o.settings.workspace)))
    if as_json:
        _print_json(record.model_dump(mode="json"))
        return
    from understudy.cli.phrases import plan_text
    from understudy.cli.screen import console, put
    from understudy.cli.tables import print_table

    values = record.model_dump(exclude={"plan", "ratings"})
    shown = {name: _day(v) if name in ("created", "updated") else v for name, v in values.items() if v not in ("", {})}
    print_table("Task", ("field", "value"), list(shown.items()))
    if record.plan:
        put(console(), plan_text(record.plan))


@app.command()
def recipes(workspace: Workspace = None, as_json: AsJson = False) -> None:
    """List the patterns seen in what succeeded, and which of them are recipes by now."""
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


@app.command()
def calibrate(workspace: Workspace = None, as_json: AsJson = False) -> None:
    """Learn now, from the remembered tasks of each team, how far recall can be believed."""
    found = with_orchestrator(workspace, lambda o: o.memory.calibrate(o.settings.workspace))
    if as_json:
        _print_json([calibrated._asdict() for calibrated in found])
        return
    from understudy.cli.tables import print_table

    rows = [(c.team, c.tasks, c.routes, f"{c.accuracy:.2f}", f"{c.novel_below:.2f}", f"{c.trust:.2f}") for c in found]
    print_table("Calibration", ("team", "tasks", "routes", "accuracy", "novel below", "trust"), rows)
    if not found:
        typer.echo("too few tasks to learn from; the encoder's own prior is used", err=True)


@app.command()
def forget(
    task: Annotated[str, typer.Argument(metavar="ID", help="Id of the task, or its beginning.")],
    workspace: Workspace = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Forget a task for good: with what was learnt from it, and the conversations that it was done in."""
    from understudy.cli.text import one_line

    record = _named(task, with_orchestrator(workspace, lambda o: o.memory.list(o.settings.workspace)))
    name = f"{record.id[:SHORT]} {one_line(record.goal, 60)!r}"
    if not yes and not typer.confirm(f"Forget {name} for good?", err=True):
        typer.echo("nothing was forgotten", err=True)
        return
    done = with_orchestrator(workspace, lambda o: o.forget(record.id))
    typer.echo(f"forgot {name} and {len(done.threads)} conversation(s)")
    for thread in done.kept:
        typer.echo(
            f"conversation {one_line(thread, 60)} still holds the goal: it is not at its end, or it recalled the task",
            err=True,
        )


def _named(beginning: str, records: "Sequence[TaskRecord]") -> "TaskRecord":
    """Return the one task whose id begins like this, or raise `UnknownTask`."""
    from domain.errors import UnknownTask

    found = [record for record in records if record.id.startswith(beginning)]
    if beginning and len(found) == 1:
        return found[0]
    msg = f"{beginning!r:.60} names {len(found)} tasks; `understudy memory list` shows their ids"
    raise UnknownTask(msg)


def _print_json(value: object) -> None:
    from understudy.cli.screen import print_json

    print_json(value)


def _score(quality: float | None) -> str:
    return "-" if quality is None else f"{quality:.2f}"


def _day(moment: float) -> str:
    return time.strftime("%Y-%m-%d", time.localtime(moment))
