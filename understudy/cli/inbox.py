"""`understudy inbox`: the questions that wait for a person, and their answers."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from understudy.cli import remote_inbox
from understudy.cli.opened import with_front_desk
from understudy.cli.options import AsJson, Workspace
from understudy.cli.text import examples

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from domain.questions import Question
    from understudy.cli.remote_inbox import Answered
    from understudy.client import Client
    from understudy.front_desk import FrontDesk

EXAMPLES = """\b
Examples:
  understudy inbox
  understudy inbox show 5d0c7e
  understudy inbox approve 5d0c7e
  understudy inbox edit 5d0c7e to=club@example.org
  understudy inbox reject 5d0c7e --why "not this week"

A question is named by its id, the beginning of it, or its conversation. It works while a worker or a chat runs.
You answer as the user of the settings (UNDERSTUDY_USER); nothing checks that this is you.
"""
ANSWERED = """\b
Where no other process holds the data folder, the run goes on here; with a worker, it goes on there.
Exit codes: 0 done, 1 failed, rejected or out of budget, 2 usage, 3 waits for a person, 130 interrupted.
"""
Name = Annotated[
    str, typer.Argument(metavar="QUESTION", help="Id of the question, the beginning of it, or its conversation.")
]
Request = Annotated[
    str | None, typer.Option("--request", metavar="ID", help="Answer only this one of the question's requests.")
]
Shown = Annotated[
    str | None,
    typer.Option("--digest", metavar="HASH", help="Refuse if not this is asked; `show --json` tells the digest."),
]
NoRun = Annotated[bool, typer.Option("--no-run", help="Only decide; the run goes on later.")]

app = typer.Typer(
    help="See and answer what waits for a person.",
    epilog=EXAMPLES,
    rich_markup_mode=None,
    invoke_without_command=True,
)


@app.callback()
def inbox(context: typer.Context) -> None:
    """See and answer what waits for a person; alone it lists."""
    if context.invoked_subcommand is None:
        list_questions(workspace=None, closed=False, limit=100, as_json=False)


@app.command("list", epilog=examples("inbox list", "inbox list --json | jq -r '.[].id'", "inbox list --closed"))
def list_questions(
    workspace: Workspace = None,
    closed: Annotated[bool, typer.Option("--closed", help="List what is closed, the latest first.")] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="How many at most.")] = 100,
    as_json: AsJson = False,
) -> None:
    """List the open questions, the next due first.

    What is overdue is escalated or closed before.
    """
    questions, waiting, now = with_front_desk(
        workspace,
        lambda desk: _listed(desk, closed, limit),
        there=lambda client: remote_inbox.listed(client, closed, limit),
    )
    if as_json:
        from understudy.cli.screen import print_json

        print_json([question.model_dump(mode="json") for question in questions])
        return
    from understudy.cli.inbox_text import print_questions

    print_questions(questions, now, closed=closed, more=0 if closed else waiting - len(questions))


@app.command(epilog=examples("inbox show 5d0c7e", "inbox show 5d0c7e --json | jq .requests"))
def show(question: Name, workspace: Workspace = None, as_json: AsJson = False) -> None:
    """Show a question with everything that is needed to decide."""
    from understudy.cli.screen import console, print_json, put

    found, answerers, now = with_front_desk(
        workspace, lambda desk: _shown(desk, question), there=lambda client: remote_inbox.shown(client, question)
    )
    if as_json:
        print_json(found.model_dump(mode="json") | {"answerers": {k: list(v) for k, v in answerers.items()}})
        return
    from understudy.cli.inbox_text import question_text

    put(console(), question_text(found, answerers, now))


@app.command(epilog=examples("inbox approve 5d0c7e") + ANSWERED)
def approve(
    question: Name,
    request: Request = None,
    digest: Shown = None,
    no_run: NoRun = False,
    workspace: Workspace = None,
    as_json: AsJson = False,
) -> None:
    """Approve what is asked, as it is."""
    _decide(question, {"type": "approve"}, request, digest, workspace, no_run=no_run, as_json=as_json)


@app.command(epilog=examples('inbox reject 5d0c7e --why "not this week"') + ANSWERED)
def reject(
    question: Name,
    why: Annotated[str, typer.Option("--why", metavar="TEXT", help="The reason; the team learns from it.")] = "",
    request: Request = None,
    digest: Shown = None,
    no_run: NoRun = False,
    workspace: Workspace = None,
    as_json: AsJson = False,
) -> None:
    """Reject what is asked."""
    answer = {"type": "reject", "message": why}
    _decide(question, answer, request, digest, workspace, no_run=no_run, as_json=as_json)


@app.command(
    epilog=examples("inbox edit 5d0c7e to=club@example.org copies=2", "inbox edit 5d0c7e --file a.json") + ANSWERED
)
def edit(
    question: Name,
    values: Annotated[
        list[str] | None, typer.Argument(metavar="FIELD=VALUE", help="Changed arguments; the others stay.")
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option("--file", metavar="FILE", exists=True, dir_okay=False, help="Changed arguments as a JSON object."),
    ] = None,
    args: Annotated[
        str | None, typer.Option("--args", metavar="JSON", help="Changed arguments as a JSON object.")
    ] = None,
    request: Request = None,
    digest: Shown = None,
    no_run: NoRun = False,
    workspace: Workspace = None,
    as_json: AsJson = False,
) -> None:
    """Approve what is asked with other arguments.

    They must fit what the action takes.
    """
    changed = _changed(values or [], file, args)
    answer = {"type": "edit", "args": {"args": changed}}
    _decide(question, answer, request, digest, workspace, no_run=no_run, as_json=as_json)


@app.command(epilog=examples('inbox respond 5d0c7e "compare it with last year, too"') + ANSWERED)
def respond(
    question: Name,
    text: Annotated[str, typer.Argument(metavar="TEXT", help='What should be different; "yes" and "no" decide.')],
    request: Request = None,
    digest: Shown = None,
    no_run: NoRun = False,
    workspace: Workspace = None,
    as_json: AsJson = False,
) -> None:
    """Answer in words.

    Say what a plan or a result should be like, or plainly yes or no. A step takes no words: edit its arguments.
    """
    _decide(question, text, request, digest, workspace, no_run=no_run, as_json=as_json)


async def _listed(desk: "FrontDesk", closed: bool, limit: int) -> "tuple[list[Question], int, float]":
    questions = await desk.inbox(closed=closed, limit=limit)
    waiting = await desk.desk.waiting(desk.settings.workspace)
    return questions, waiting.questions, desk.clock()


async def _shown(desk: "FrontDesk", name: str) -> "tuple[Question, dict[str, tuple[str, ...]], float]":
    question = await desk.question(name)
    return question, await desk.desk.answerers(desk.settings.workspace, question.id), desk.clock()


def _decide(
    name: str,
    answer: Any,
    request: str | None,
    digest: str | None,
    workspace: str | None,
    *,
    no_run: bool,
    as_json: bool,
) -> None:
    """Give the answer, say what it led to, and go on with the run where that is wanted and possible."""
    from understudy.cli.inbox_run import go_on, tell

    def there(client: "Client") -> "Awaitable[Answered]":
        return remote_inbox.answered(client, name, lambda question: _given(question, answer, request), digest)

    question, after = with_front_desk(
        workspace, lambda desk: _answered(desk, name, answer, request, digest), there=there
    )
    tell(question, as_json=as_json)
    raise typer.Exit(go_on(question, after=after, no_run=no_run, as_json=as_json))


async def _answered(desk: "FrontDesk", name: str, answer: Any, request: str | None, digest: str | None) -> "Answered":
    """Answer what is asked now."""
    question = await desk.question(name)
    answer = _given(question, answer, request)
    return remote_inbox.Answered(await desk.answer(question.id, answer, digest=digest or question.digest), after=None)


def _given(question: "Question", answer: Any, request: str | None) -> dict[str, Any]:
    """Return an answer as the desk takes it; typed words are read for the request that is meant."""
    from domain.approvals import typed_answer
    from domain.cases import current

    meant = [each for each in current(question) if request in (None, each.id)]
    if isinstance(answer, str):
        typed = typed_answer(answer, meant)
        answer = typed.model_dump(exclude_defaults=True) if typed else {"type": "respond", "message": answer}
    return answer if request is None else {"request": request, **answer}


def _changed(values: list[str], file: Path | None, args: str | None) -> dict[str, Any]:
    """Return the changed arguments of all three sources, or raise `typer.BadParameter`."""
    changed: dict[str, Any] = {}
    if file is not None:
        changed |= _object(file.read_text(encoding="utf-8", errors="replace"), str(file))
    if args is not None:
        changed |= _object(args, "--args")
    for value in values:
        name, equals, text = value.partition("=")
        if not equals or not name:
            msg = f"{value!r} is not FIELD=VALUE"
            raise typer.BadParameter(msg)
        changed[name] = text
    if not changed:
        msg = "nothing is changed: give FIELD=VALUE, --args or --file; to approve it as it is: inbox approve"
        raise typer.BadParameter(msg)
    return changed


def _object(text: str, where: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError as error:
        msg = f"{where}: not JSON ({error})"
        raise typer.BadParameter(msg) from error
    if not isinstance(found, dict):
        msg = f"{where}: not a JSON object"
        raise typer.BadParameter(msg)
    return found
