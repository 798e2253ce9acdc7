"""`understudy backup` and `understudy restore`: the data folder in one file, and back."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from understudy.cli.options import AsJson, new_file

if TYPE_CHECKING:
    from understudy.backup_files import Manifest

BACKUP_EXAMPLES = """\b
Examples:
  understudy backup /mnt/safe/understudy-2026-11-21.backup

\b
It may be called while `understudy chat`, `worker` or `serve` works with the folder. Settings, keys and .env files are
not in a backup, and neither is the vector index: it is built again. Servers (PostgreSQL, Redis) are backed up with
their own tools: docs/operations.md.
"""
RESTORE_EXAMPLES = """\b
Examples:
  understudy restore understudy-2026-11-21.backup
  understudy restore understudy-2026-11-21.backup --into /srv/understudy
"""


def backup(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", dir_okay=False, callback=new_file, help="New file that is written.")
    ],
    as_json: AsJson = False,
) -> None:
    """Write everything that is kept into one file.

    That is memory, conversations, what waits for people, and the runs under way, all as they are at one moment.
    """
    from domain.errors import InvalidBackup
    from understudy.backup import back_up
    from understudy.settings import load_settings

    settings = load_settings()
    elsewhere = [name for name in ("database_url", "redis_url") if getattr(settings, name) is not None]
    if elsewhere:
        msg = f"what is kept on servers ({', '.join(elsewhere)}) is backed up with their tools: see docs/operations.md"
        raise InvalidBackup(msg)
    made = back_up(settings.home, file)
    if as_json:
        from understudy.cli.screen import print_json

        print_json({"file": str(made.path), "left_out": list(made.left_out)} | _told(made.manifest))
        return
    size = made.path.stat().st_size / 1e6
    typer.echo(f"{len(made.manifest.files)} files, {made.manifest.bytes / 1e6:.1f} MB, are in {file} ({size:.1f} MB)")
    if made.left_out:
        typer.echo(f"left out: {', '.join(made.left_out)}")


def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A backup.")],
    into: Annotated[
        Path | None, typer.Option("--into", metavar="DIR", help="New folder; else the configured data folder.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a data folder of a backup, in an empty place.

    Every file is checked first. Runs that were under way are carried on by the next worker from where the backup has
    them: what they have done since is not known there, so restore after a loss, not beside a living installation.
    """
    from understudy.backup_restore import restore as restored
    from understudy.settings import load_settings

    done = restored(file, into or load_settings().home)
    if as_json:
        from understudy.cli.screen import print_json

        print_json({"folder": str(done.folder), "under_way": done.under_way} | _told(done.manifest))
        return
    made = done.manifest.made.astimezone().strftime("%Y-%m-%d %H:%M:%S")
    typer.echo(f"{done.folder} holds {len(done.manifest.files)} files as they were at {made}")
    if done.under_way:
        typer.echo(f"{done.under_way} run(s) were under way: `understudy worker` carries them on")


def _told(manifest: "Manifest") -> dict[str, object]:
    told = manifest.model_dump(mode="json", exclude={"files"})
    return told | {"files": len(manifest.files), "bytes": manifest.bytes}
