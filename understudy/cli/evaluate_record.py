"""`understudy eval record`: a conversation, a new goal, or a task written by hand becomes a recorded task."""

import asyncio
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from understudy.cli.errors import DONE, FAILED, complain
from understudy.cli.options import Data, Decide, Out, Team, Workspace, Yes, goal_from
from understudy.cli.text import examples

if TYPE_CHECKING:
    from understudy.settings import Settings

EXAMPLES = examples(
    "eval record 3f2a9c81d0be --name quarter-in-three-lines",
    'eval record --goal "Compare the two reports" --data reports --into my-evals/reports',
    "eval record --again my-evals/reports/tasks/*",
)
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,79}")
_WORDS = re.compile(r"[a-z0-9]+")
_NAME_WORDS, _NAME_LENGTH = 6, 60


def _checked_name(name: str | None) -> str | None:
    if name is not None and not _NAME.fullmatch(name):
        raise typer.BadParameter("small letters, digits and hyphens, 80 at most")
    return name


Again = Annotated[
    list[Path] | None,
    typer.Option(
        "--again", metavar="FOLDER", exists=True, file_okay=False,
        help="Play this task folder live and keep what is answered; more folders may follow.",
    ),
]  # fmt: skip


def record(
    what: Annotated[
        list[str] | None, typer.Argument(metavar="[THREAD|FOLDER]...", help="Conversation, or more folders.")
    ] = None,
    goal: Annotated[str | None, typer.Option("--goal", metavar="GOAL", help="Do this goal first; - reads it.")] = None,
    again: Again = None,
    into: Annotated[
        Path, typer.Option("--into", metavar="DIR", file_okay=False, help="Folder of the suite that gets the task.")
    ] = Path("recorded/sessions"),
    name: Annotated[
        str | None,
        typer.Option(
            "--name",
            metavar="NAME",
            callback=_checked_name,
            help="What the task is called; words of its goal otherwise.",
        ),
    ] = None,
    about: Annotated[str, typer.Option("--about", metavar="TEXT", help="What it shows, in one sentence.")] = "",
    answered_by: Annotated[
        str, typer.Option("--answered-by", metavar="TEXT", help="What gives the answers, for the record; with --again.")
    ] = "",
    team: Team = None,
    workspace: Workspace = None,
    data: Data = None,
    out: Out = None,
    yes: Yes = False,
    decide: Decide = None,
) -> None:
    """Record a task, so that it can be replayed without a model.

    A conversation that is over is taken as it was. With --goal a new one is held first. With --again, tasks that were
    written by hand, or recorded before, are played live. Keys and account numbers are taken out of what is written.
    """
    if again:
        _record_again([*again, *map(Path, what or ())], answered_by)
        return
    threads = what or []
    if len(threads) + (goal is not None) != 1:
        raise typer.BadParameter("name one conversation, or give --goal, or --again with folders")
    from understudy.settings import load_settings

    given = {"team": team, "workspace": workspace, "data": data, "out": out}
    settings = load_settings(**given)
    if goal is None:
        folder = asyncio.run(_recorded(settings, threads[0], into, name, about))
    else:
        folder = asyncio.run(_held(settings, goal_from(goal), (yes, decide), into, name, about))
    typer.echo(f"recorded: {folder}")
    typer.echo(f"replay it with: understudy eval run {into.name} --root {into.parent} --only {folder.name}", err=True)


def _record_again(folders: list[Path], answered_by: str) -> None:
    """Record task folders one by one; one that cannot be recorded is named, and the others are."""
    from domain.errors import UnderstudyError
    from evals.playing import Version
    from understudy.evaluation.recorder import record_folder

    failed = 0
    for folder in folders:
        try:
            task = asyncio.run(record_folder(folder, Version(), answered_by=answered_by))
        except UnderstudyError as error:
            failed += 1
            complain(f"{folder}: {error}")
        else:
            typer.echo(f"recorded: {folder} ({len(task.calls)} model calls, {len(task.tools)} tool calls)")
    if failed:
        raise typer.Exit(FAILED)


async def _held(
    settings: "Settings", goal: str, approval: tuple[bool, Path | None], into: Path, name: str | None, about: str
) -> Path:
    """Do a goal, showing it, and record its conversation."""
    from understudy.cli.run import answers_for, screen_for
    from understudy.cli.session import Session
    from understudy.orchestrator import Orchestrator

    yes, decide = approval
    async with Orchestrator(settings) as orchestrator:
        screen = screen_for(as_json=False, plan_only=False)
        session = Session(
            orchestrator, screen, answers_for(yes=yes, decide=decide, as_json=False), grace=settings.drain_grace
        )
        code = await session.follow(orchestrator.stream(goal))
        last = session.last
    if code not in (DONE, FAILED) or last is None:
        raise typer.Exit(code)
    return await _recorded(settings, last.thread, into, name, about)


async def _recorded(settings: "Settings", thread: str, into: Path, name: str | None, about: str) -> Path:
    """Record a conversation and return the task's folder."""
    from domain.redaction import redacted
    from understudy.evaluation.recorder import Source, record_thread
    from understudy.orchestrator import Orchestrator
    from understudy.stored import context_of
    from understudy.threads import Threads
    from understudy.wiring import House

    house = House(settings)
    async with Orchestrator(settings, house=house) as orchestrator:
        entry = await Threads(house.records, house.clock).get(settings.workspace, thread)
        called = name or _name(redacted(house.secrets.text(entry.goal)))
        source = Source(orchestrator, house, context_of(entry.context))
        await record_thread(source, thread, into / "tasks" / called, name=called, about=about)
        return into / "tasks" / called


def _name(goal: str) -> str:
    """Return a name made of the first words of a goal."""
    words = _WORDS.findall(goal.casefold())[:_NAME_WORDS]
    return "-".join(words)[:_NAME_LENGTH].strip("-") or "task"
