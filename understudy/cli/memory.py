"""`understudy memory`: what is remembered of finished tasks."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from understudy.cli.options import AsJson, Workspace

if TYPE_CHECKING:
    from memory.tasks import TaskRecord
    from understudy.orchestrator import Orchestrator

T = TypeVar("T")

EXAMPLES = """\b
Examples:
  understudy memory list --workspace acme
  understudy memory search "blog about machine learning" --json | jq .
  understudy memory forget 5d0c7e1f
"""
SHORT = 12
"""Characters of a task's id that tables show; any unique beginning names a task."""

app = typer.Typer(
    help="List, search and forget remembered tasks.", epilog=EXAMPLES, rich_markup_mode=None, no_args_is_help=True
)


@app.command("list")
def list_tasks(workspace: Workspace = None, as_json: AsJson = False) -> None:
    """List the remembered tasks, the latest first."""
    records = _with(workspace, lambda o: o.memory.list(o.settings.workspace))
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
    near = _with(workspace, lambda o: o.memory.search(o.settings.workspace, text))
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
def forget(
    task: Annotated[str, typer.Argument(metavar="ID", help="Id of the task, or its beginning.")],
    workspace: Workspace = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Forget a task for good."""
    from understudy.cli.text import one_line

    record = _named(task, _with(workspace, lambda o: o.memory.list(o.settings.workspace)))
    name = f"{record.id[:SHORT]} {one_line(record.goal, 60)!r}"
    if not yes and not typer.confirm(f"Forget {name} for good?", err=True):
        typer.echo("nothing was forgotten", err=True)
        return
    _with(workspace, lambda o: o.memory.forget(o.settings.workspace, record.id))
    typer.echo(f"forgot {name}")


def _named(beginning: str, records: "Sequence[TaskRecord]") -> "TaskRecord":
    """Return the one task whose id begins like this, or raise `UnknownTask`."""
    from domain.errors import UnknownTask

    found = [record for record in records if record.id.startswith(beginning)]
    if beginning and len(found) == 1:
        return found[0]
    msg = f"{beginning!r:.60} names {len(found)} tasks; `understudy memory list` shows their ids"
    raise UnknownTask(msg)


def _with(workspace: str | None, use: "Callable[[Orchestrator], Awaitable[T]]") -> T:
    """Open the orchestrator of a workspace, use it, and return what came out."""
    from understudy.cli.screen import starting

    with starting():
        from understudy.orchestrator import Orchestrator
        from understudy.settings import load_settings

        settings = load_settings(workspace=workspace)

    async def used() -> T:
        async with Orchestrator(settings) as orchestrator:
            return await use(orchestrator)

    return asyncio.run(used())


def _print_json(values: list[object]) -> None:
    from understudy.cli.screen import print_json

    print_json(values)


def _score(quality: float | None) -> str:
    return "-" if quality is None else f"{quality:.2f}"


def _day(moment: float) -> str:
    return time.strftime("%Y-%m-%d", time.localtime(moment))
