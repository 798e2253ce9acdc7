"""`understudy memory forget|refused`: what is to be gone, and what the records' server did not take."""

import time
from typing import TYPE_CHECKING, Annotated

import typer

from understudy.cli.opened import with_orchestrator
from understudy.cli.options import AsJson, Workspace

if TYPE_CHECKING:
    from understudy.forgetting import Forgotten


def forget(
    task: Annotated[str | None, typer.Argument(metavar="[ID]", help="Id of the task, or its beginning.")] = None,
    thread: Annotated[
        str | None, typer.Option("--thread", metavar="THREAD", help="A conversation in place of a task.")
    ] = None,
    workspace: Workspace = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Forget a task or a conversation for good.

    What was learnt from it goes, too. With a task go the conversations that it was done in; with a conversation the
    tasks that were done only there.
    """
    if (task is None) == (thread is None):
        from domain.errors import UserError

        msg = "name a task by its id, or a conversation with --thread"
        raise UserError(msg)
    if task is not None:
        _forget_task(task, workspace, yes)
    elif thread is not None:
        _forget_thread(thread, workspace, yes)


def _forget_task(task: str, workspace: str | None, yes: bool) -> None:
    from understudy.cli.tasks import SHORT, named
    from understudy.cli.text import one_line

    record = named(task, with_orchestrator(workspace, lambda o: o.memory.list(o.settings.workspace, beginning=task)))
    name = f"{record.id[:SHORT]} {one_line(record.goal, 60)!r}"
    if _agreed(name, yes):
        done = with_orchestrator(workspace, lambda o: o.forget(record.id))
        typer.echo(f"forgot {name} and {len(done.threads)} conversation(s)")
        _complain(done)


def _forget_thread(thread: str, workspace: str | None, yes: bool) -> None:
    from understudy.cli.text import one_line

    name = f"conversation {one_line(thread, 60)!r}"
    if _agreed(name, yes):
        done = with_orchestrator(workspace, lambda o: o.forget_thread(thread))
        typer.echo(f"forgot {name} and {len(done.tasks)} task(s)")
        _complain(done)


def _agreed(name: str, yes: bool) -> bool:
    if yes or typer.confirm(f"Forget {name} for good?", err=True):
        return True
    typer.echo("nothing was forgotten", err=True)
    return False


def _complain(done: "Forgotten") -> None:
    from understudy.cli.text import one_line

    for thread in done.kept:
        typer.echo(
            f"conversation {one_line(thread, 60)} still holds the goal: it is not at its end, or it recalled the task",
            err=True,
        )
    for note in done.notes:
        typer.echo(f"not everywhere yet: {one_line(note, 400)}", err=True)


def refused(
    retry: Annotated[bool, typer.Option("--retry", help="Try them again.")] = False,
    discard: Annotated[bool, typer.Option("--discard", help="Give them up.")] = False,
    as_json: AsJson = False,
) -> None:
    """List what the records' server refused for good.

    Such writes lie aside until they are tried again or given up.
    """
    if retry and discard:
        from domain.errors import UserError

        msg = "either try them again or give them up"
        raise UserError(msg)
    if retry:
        typer.echo(f"{with_orchestrator(None, lambda o: o.settle_refused(again=True))} write(s) were refused again")
        return
    if discard:
        typer.echo(f"gave up {with_orchestrator(None, lambda o: o.settle_refused(again=False))} write(s)")
        return
    found = with_orchestrator(None, lambda o: o.refused())
    if as_json:
        from understudy.cli.screen import print_json

        print_json([{"time": r.queued, "kind": r.write.kind, "key": r.write.key, "reason": r.reason} for r in found])
        return
    from understudy.cli.tables import print_table

    rows = [(_moment(r.queued), r.write.kind, r.write.key, r.reason) for r in found]
    print_table("Refused writes", ("time", "kind", "key", "reason"), rows)


def _moment(moment: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(moment))
