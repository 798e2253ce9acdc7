"""`understudy undo`: take back what a run changed."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from understudy.cli.errors import FAILED, WAITS
from understudy.cli.opened import Assistant, with_assistant
from understudy.cli.options import AsJson, Decide, Workspace

if TYPE_CHECKING:
    from understudy.cli.approve import Answers
    from understudy.past import Undone

EXAMPLES = """\b
Examples:
  understudy undo 5d0c7e1f22aa
  understudy undo 5d0c7e1f22aa --json | jq .kept

Exit codes: 0 everything is undone, 1 something stays, 3 a person must say first what happened.
"""


def undo(
    run: Annotated[str, typer.Argument(metavar="RUN", help="Id of the run, or of its thread for the latest one.")],
    decide: Decide = None,
    workspace: Workspace = None,
    as_json: AsJson = False,
) -> None:
    """Take back what a run changed, the last effect first.

    What somebody changed since is kept. A run that waits or was interrupted ends with it. Doing it again goes on where
    it stopped.
    """
    answers = _answers(decide, as_json=as_json)
    done = with_assistant(workspace, lambda o: undone(o, run, answers))
    if as_json:
        from understudy.cli.screen import print_json

        print_json(done.model_dump(mode="json"))
    else:
        print_undone(done)
    if done.question is not None:
        raise typer.Exit(WAITS)
    if done.kept:
        raise typer.Exit(FAILED)


async def undone(assistant: Assistant, run: str, answers: "Answers") -> "Undone":
    """Undo the run, asking what only a person can find out, until it is done or nobody answers."""
    from domain.approvals import decode

    decisions = {}
    done = await assistant.undo(run)
    while done.question is not None and (answer := answers([done.question])):
        [decisions[done.question.id]] = decode({"decisions": answer}, [done.question])
        done = await assistant.undo(run, decisions)
    return done


def _answers(decide: Path | None, *, as_json: bool) -> "Answers":
    from understudy.cli import approve
    from understudy.cli.screen import console
    from understudy.cli.terminal import is_interactive, read_line

    if decide is not None:
        return approve.DecisionFile(approve.read_decisions(decide))
    if as_json or not is_interactive():
        return approve.nobody
    return approve.Person(console(stderr=True), read_line)


def print_undone(done: "Undone") -> None:
    """Print what was taken back, and what stays."""
    from understudy.cli.phrases import line, request_text
    from understudy.cli.screen import console, put
    from understudy.cli.text import one_line

    out = console()
    for what in done.undone:
        put(out, line("undone", one_line(what, 300), "green"))
    for what in done.kept:
        put(out, line("stays", one_line(what, 300), "yellow"))
    if done.question is not None:
        put(out, request_text(done.question))
    elif not done.undone and not done.kept:
        put(out, line("", "this run changed nothing"))
