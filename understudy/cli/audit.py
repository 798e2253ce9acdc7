"""`understudy audit`: what was decided and done, by whom and why, and whether the record of it is untouched."""

import re
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from understudy.cli.errors import FAILED, complain
from understudy.cli.opened import with_audit
from understudy.cli.options import AsJson, Workspace, new_file
from understudy.cli.text import examples

if TYPE_CHECKING:
    from domain.audit import Anchor, Noted
    from domain.audit_chain import Checked
    from understudy.auditing import WorkspaceAudit

_UNITS = {"m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_TELLING = ("state", "move", "status", "action", "decision", "type", "what", "tool", "rule", "checkpoint", "scope")
"""Fields of an entry's data that say what happened, in the order in which they are shown."""

app = typer.Typer(
    help="See what was decided and done, and check the record.",
    epilog=examples("audit show --kind effect --since 2d", "audit verify", "audit export audit.jsonl"),
    rich_markup_mode=None,
    no_args_is_help=True,
)
ExportFile = Annotated[
    Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="What `audit export` wrote.")
]


def since(text: str | None) -> float:
    """Return the unix time that `30m`, `2h`, `3d`, `1w` ago or a date and time in ISO form means."""
    if not text:
        return 0.0
    if match := re.fullmatch(r"(\d{1,6})([mhdw])", text.strip()):
        return time.time() - int(match[1]) * _UNITS[match[2]]
    try:
        return datetime.fromisoformat(text.strip()).timestamp()
    except (ValueError, OverflowError, OSError):
        msg = f"{text!r:.40} is no time; give 30m, 2h, 3d, 1w or a date such as 2026-05-31"
        raise typer.BadParameter(msg) from None


@app.command(epilog=examples("audit show --run 5d0c7e1f22aa", "audit show --since 2h --who ann --json"))
def show(
    run: Annotated[str, typer.Option("--run", metavar="RUN", help="Only of this run.")] = "",
    thread: Annotated[str, typer.Option("--thread", metavar="NAME", help="Only of this conversation.")] = "",
    kind: Annotated[str, typer.Option("--kind", metavar="KIND", help="Only of this kind: effect, decision, ...")] = "",
    who: Annotated[str, typer.Option("--who", metavar="USER", help="Only what this user, or part, did.")] = "",
    since_when: Annotated[
        str | None, typer.Option("--since", metavar="TIME", help="Only since: 30m, 2h, 3d, 1w, or a date.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="Entries at most.")] = 50,
    head: Annotated[bool, typer.Option("--head", help="Print only the last entry's number and hash.")] = False,
    workspace: Workspace = None,
    as_json: AsJson = False,
) -> None:
    """Show what was noted, the newest first.

    Each line says when, who, what and why. A reason and a name are the system's: what people wrote is not kept here.
    """
    if head:
        typer.echo(str(with_audit(workspace, lambda audit: audit.head())))
        return
    _check_kind(kind)
    from understudy.auditing import Wanted

    wanted = Wanted(run, thread, kind, who, since(since_when), limit)
    found = with_audit(workspace, lambda audit: audit.shown(wanted))
    if as_json:
        from understudy.cli.screen import print_json

        print_json([_as_json(noted) for noted in found])
        return
    from understudy.cli.tables import print_table

    print_table("Audit", ("number", "when", "who", "what", "why", "where"), [_row(noted) for noted in found])


@app.command(epilog=examples("audit verify", "audit verify audit.jsonl", "audit verify --against 1042:9f2c..."))
def verify(
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", exists=True, dir_okay=False, help="An export; else what is kept.")
    ] = None,
    against: Annotated[
        list[str] | None, typer.Option("--against", metavar="SEQ:HASH", help="What `show --head` once printed.")
    ] = None,
    workspace: Workspace = None,
    as_json: AsJson = False,
) -> None:
    """Check that nothing was changed, removed, added or moved.

    Who can write the records can cut the end off and set the last entry back, or write all of it anew. Only a number
    and a hash that were kept elsewhere tell: give them with --against. Ends with 1 where something is wrong.
    """
    from domain.audit import parsed_anchor

    anchors = [parsed_anchor(text) for text in against or []]
    found = _file_checked(file, anchors) if file else with_audit(workspace, lambda audit: audit.verified(anchors))
    if as_json:
        from understudy.cli.screen import print_json

        told = {"sound": found.sound, "entries": found.entries, "first": str(found.first), "head": str(found.head)}
        print_json(told | {"problems": list(found.problems)})
    elif found.sound:
        typer.echo(f"sound: {found.entries:,} entries, the last one {found.head}")
        if found.first.seq:
            typer.echo(f"those up to {found.first} were dropped", err=True)
    else:
        complain("the audit is not sound:\n" + "\n".join(f"  {problem}" for problem in found.problems))
    if not found.sound:
        raise typer.Exit(FAILED)


@app.command(epilog=examples("audit export audit.jsonl", "audit export | gzip > audit.jsonl.gz"))
def export(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="[FILE]", dir_okay=False, callback=new_file, help="A new file; else stdout."),
    ] = None,
    workspace: Workspace = None,
) -> None:
    """Write everything that is kept as JSON lines with their hashes.

    `audit verify FILE` checks them anywhere, without the records.
    """
    from domain.errors import UserError

    if file is not None and file.exists():
        msg = f"{file} is there already and is kept as it is; name a new file"
        raise UserError(msg)

    async def written(audit: "WorkspaceAudit") -> int:
        out, count = file.open("x", encoding="utf-8") if file else sys.stdout, 0
        try:
            async for line in audit.exported():
                out.write(line + "\n")
                count += 1
        finally:
            if file:
                out.close()
        return count - 1

    count = with_audit(workspace, written)
    if file:
        typer.echo(f"wrote {count:,} entries to {file}", err=True)


@app.command(epilog=examples("audit drop audit.jsonl"))
def drop(file: ExportFile, workspace: Workspace = None) -> None:
    """Delete old entries that an export holds.

    Only full segments go, and what stays can be checked as before. Keep the file: nothing else knows what it says.
    """
    lines = _lines(file)
    gone = with_audit(workspace, lambda audit: audit.drop(lines))
    typer.echo(f"dropped up to entry {gone}" if gone.seq else "nothing was dropped: no segment is full")


def _check_kind(kind: str) -> None:
    from typing import get_args

    from domain.audit import AuditKind

    if kind and kind not in get_args(AuditKind):
        msg = f"{kind!r:.40} is no kind of entry; there are {', '.join(get_args(AuditKind))}"
        raise typer.BadParameter(msg)


def _file_checked(file: Path, anchors: "list[Anchor]") -> "Checked":
    from domain.audit_chain import checked_export

    return checked_export(_lines(file), anchors)[1]


def _lines(file: Path) -> list[str]:
    from domain.errors import InvalidImport

    try:
        text = file.read_bytes().decode()
    except UnicodeDecodeError as error:
        msg = f"{file} is not UTF-8 text (byte {error.start})"
        raise InvalidImport(msg) from error
    except OSError as error:
        msg = f"{file} cannot be read: {error.strerror or error}"
        raise InvalidImport(msg) from error
    return text.removesuffix("\n").split("\n")


def _row(noted: "Noted") -> tuple[object, ...]:
    entry = noted.entry
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(noted.time))
    told = [str(entry.data[name]) for name in _TELLING if isinstance(entry.data.get(name), str | int)]
    where = " ".join(part for part in (entry.run or entry.thread, entry.step) if part)
    return noted.seq, when, entry.who, " ".join([entry.kind, *told]), entry.why, where


def _as_json(noted: "Noted") -> dict[str, Any]:
    place = {"seq": noted.seq, "time": noted.time, "workspace": noted.workspace, "hash": noted.hash}
    return place | noted.entry.model_dump(mode="json")
