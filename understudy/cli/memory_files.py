"""`understudy memory export|import|reindex`: memory as a file, and its index made anew."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from understudy.cli.opened import with_orchestrator
from understudy.cli.options import Unredacted, Workspace, new_file

if TYPE_CHECKING:
    from understudy.orchestrator import Orchestrator


def export_tasks(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="[FILE]", dir_okay=False, callback=new_file, help="A new file; else stdout."),
    ] = None,
    workspace: Workspace = None,
    unredacted: Unredacted = False,
) -> None:
    """Write the remembered tasks as JSON lines.

    Each comes with the versions of team, encoder and models that it was done with. Keys, account numbers and addresses
    are taken out and cannot be put back; a backup of your own memory is made with --unredacted.
    """
    from domain.errors import UserError

    if file is not None and file.exists():
        msg = f"{file} is there already and is kept as it is; name a new file"
        raise UserError(msg)
    lines = with_orchestrator(workspace, lambda o: o.exported(unredacted=unredacted))
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
    """Add exported tasks to this memory.

    All of them are taken in, or none when a line has mistakes. They are marked as imported: what their plans would
    write is asked about before it is written. They keep their age.
    """
    from domain.errors import InvalidImport

    try:
        lines = file.read_text(encoding="utf-8").split("\n")
    except UnicodeDecodeError as error:
        msg = f"{file} is not UTF-8 text (byte {error.start})"
        raise InvalidImport(msg) from error
    done = with_orchestrator(workspace, lambda o: o.imported(lines))
    typer.echo(f"took in {done.taken} task(s)")
    if done.known:
        typer.echo(f"passed over {done.known} whose runs are known already", err=True)
    if done.outlived:
        typer.echo(f"passed over {done.outlived} that are too old to be remembered", err=True)


def reindex(workspace: Workspace = None) -> None:
    """Build the index anew from the records.

    Broken off, it goes on from there the next time.
    """
    from understudy.cli.terminal import progress

    async def reindexed(orchestrator: "Orchestrator") -> int:
        with progress("tasks", None) as advanced:
            return await orchestrator.reindex(advanced)

    count = with_orchestrator(workspace, reindexed)
    typer.echo(f"indexed {count} task(s)")
