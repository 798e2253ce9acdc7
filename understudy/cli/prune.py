"""`understudy prune`: give the space of old conversations back."""

from typing import TYPE_CHECKING, Annotated

import typer

from understudy.cli.opened import with_orchestrator
from understudy.cli.options import AsJson, Workspace

if TYPE_CHECKING:
    from understudy.orchestrator import Orchestrator
    from understudy.pruning import Pruned

EXAMPLES = """\b
Examples:
  understudy prune --dry-run --days 90
  understudy prune --days 90 --checkpoints 20
"""


def prune(
    days: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Delete conversations that ended longer ago than this.")
    ] = None,
    checkpoints: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Checkpoints that each other conversation keeps.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say which conversations would go.")] = False,
    workspace: Workspace = None,
    as_json: AsJson = False,
) -> None:
    """Delete what ended conversations need not keep.

    What was remembered of their tasks stays. Without options the settings `keep_days` and `keep_checkpoints` hold. Open
    conversations can always go on.
    """

    async def pruned(orchestrator: "Orchestrator") -> "Pruned":
        from understudy.pruning import Retention

        settings = orchestrator.settings
        keep = Retention(checkpoints or settings.keep_checkpoints, days or settings.keep_days)
        return await orchestrator.prune(keep, trial=dry_run)

    done = with_orchestrator(workspace, pruned)
    if as_json:
        from understudy.cli.screen import print_json

        print_json(done._asdict())
        return
    would = "would delete" if dry_run else "deleted"
    typer.echo(f"{would} {len(done.conversations)} conversation(s): {', '.join(done.conversations) or '-'}")
    if not dry_run:
        typer.echo(f"deleted {done.checkpoints} checkpoint(s) of others")
        typer.echo(
            f"checkpoints take {done.bytes_after / 1e6:.1f} MB on the disk, before {done.bytes_before / 1e6:.1f}"
        )
