"""What follows a decision: it is told, and the run goes on here where nobody else holds the data folder."""

import asyncio
from typing import TYPE_CHECKING

from domain.cases import undecided
from domain.questions import Question
from understudy.cli.errors import DONE, WAITS, complain
from understudy.cli.hints import resume_command
from understudy.cli.phrases import line
from understudy.cli.screen import JsonScreen, TerminalScreen, console, print_json, put, starting
from understudy.cli.text import one_line

if TYPE_CHECKING:
    from understudy.cli.approve import Answers
    from understudy.settings import Settings


def tell(question: Question, *, as_json: bool) -> None:
    """Print how a question stands after an answer."""
    if as_json:
        print_json(question.model_dump(mode="json"))
        return
    out = console(stderr=True)
    for request, decision in zip(question.requests, question.decisions, strict=False):
        put(out, line("decided", f"{request.id}: {decision.type} by {one_line(decision.by)}", "green"))
    if question.status == "open":
        left = ", ".join(request.id for request in undecided(question))
        put(out, line("noted", f"more answers are needed for: {one_line(left, 300)}", "yellow"))


def go_on(question: Question, *, after: int | None, no_run: bool, as_json: bool) -> int:
    """Go on with the run of a decided question where that is wanted and possible, and return the exit code.

    Args:
        question: As it stands after the answer.
        after: Number of the thread's last event before the answer where a server took it, which goes on by itself.
        no_run: Whether the run need not be gone on with now.
        as_json: Whether its events are printed as JSON.
    """
    if question.status == "open":
        return WAITS
    if question.applied:
        return DONE
    if no_run and after is not None:
        complain("decided; the run goes on on the server")
        return DONE
    if no_run:
        complain(f"decided; the run goes on with the next worker, or with: {_resume(question)}")
        return DONE
    with starting():
        from understudy.settings import load_settings

        settings = load_settings(workspace=question.workspace)
    if after is not None:
        return asyncio.run(_followed_there(question, settings, after, as_json=as_json))
    return asyncio.run(_followed(question, settings, as_json=as_json))


async def _followed_there(question: Question, settings: "Settings", after: int, *, as_json: bool) -> int:
    """Watch a run that goes on on a server."""
    with starting():
        from understudy.cli.remote_inbox import watched
        from understudy.cli.session import follow_one

    screen, thread = JsonScreen() if as_json else TerminalScreen(), question.thread
    return await follow_one(
        settings, screen, _answers(as_json=as_json), lambda o: watched(o, thread, after), resumes=thread, after=after
    )


async def _followed(question: Question, settings: "Settings", *, as_json: bool) -> int:
    from domain.errors import StorageBusy
    from memory.home import DataFolder, occupant_of

    try:
        # Asked before the rest is loaded, which takes seconds that nobody needs to wait where it is held.
        (await DataFolder.open(settings.home, command="understudy inbox")).close()
        return await _followed_here(question, settings, as_json=as_json)
    except StorageBusy:
        _elsewhere(question, occupant_of(settings.home))
        return DONE


async def _followed_here(question: Question, settings: "Settings", *, as_json: bool) -> int:
    with starting():
        from understudy.cli.session import follow_one
        from understudy.durable.fences import ThreadBusy

    answers = _answers(as_json=as_json)
    screen, thread = JsonScreen() if as_json else TerminalScreen(), question.thread
    try:
        return await follow_one(settings, screen, answers, lambda o: o.resume(thread), resumes=thread)
    except ThreadBusy:
        _elsewhere(question, "a worker")
        return DONE


def _answers(*, as_json: bool) -> "Answers":
    """Return who answers what is asked next."""
    from understudy.cli import approve
    from understudy.cli.terminal import is_interactive, read_line

    person = approve.Person(console(stderr=True), read_line)
    return approve.nobody if as_json or not is_interactive() else person


def _elsewhere(question: Question, holder: str) -> None:
    """Say who goes on with the run."""
    if "worker" in holder or "serve" in holder:
        complain(f"decided; the run goes on in `{holder}`")
        return
    complain(f"decided; `{holder or 'another process'}` holds the data folder. When it is done: {_resume(question)}")


def _resume(question: Question) -> str:
    """Return what has the run of a question go on."""
    return resume_command(question.thread, question.workspace)
