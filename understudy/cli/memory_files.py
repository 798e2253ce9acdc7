"""`understudy memory export|import|reindex`: memory as a file, and its index made anew."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from understudy.cli.opened import with_orchestrator
from understudy.cli.options import Workspace


def export_tasks(
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", dir_okay=False, help="A new file; else stdout.")
    ] = None,
    workspace: Workspace = None,
) -> None:
    """Write the remembered tasks as JSON lines, with the versions they were done with."""
    from domain.errors import UserError

    if file is not None and file.exists():
        msg = f"{file} is there already and is kept as it is; name a new file"
        raise UserError(msg)
    lines = with_orchestrator(workspace, lambda o: o.exported())
    text = "".join(f"{line}\n" for line in lines)
    if file is None:
        sys.stdout.write(text)
        return
    with file.open("x", encoding="utf-8") as out:
        out.write(text)
    typer.echo(f"wrote {len(lines)} task(s) to {file}", err=True)


def import_tasks(
    file: Annotated[Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="What `export` wrote.")],
    workspace: Workspace = None,
) -> None:
    """Add exported tasks to this memory; all of them, or none when a line has mistakes.

    They are marked as imported: what their plans would write is asked about before it is written.
    """
    from domain.errors import InvalidImport

    try:
        lines = file.read_text(encoding="utf-8").split("\n")
    except UnicodeDecodeError as error:
        msg = f"{file} is not UTF-8 text (byte {error.start})"
        raise InvalidImport(msg) from error
    taken = with_orchestrator(workspace, lambda o: o.imported(lines))
    typer.echo(f"took in {taken} task(s)")


def reindex(workspace: Workspace = None) -> None:
    """Build the index anew from the records; broken off, it goes on from there the next time."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from understudy.cli.screen import console

    columns = (TextColumn("tasks"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console(stderr=True), transient=True) as bar:
        task = bar.add_task("tasks", total=None)
        count = with_orchestrator(
            workspace, lambda o: o.reindex(lambda done, total: bar.update(task, completed=done, total=total))
        )
    typer.echo(f"indexed {count} task(s)")
