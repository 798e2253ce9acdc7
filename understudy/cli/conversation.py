"""The loop behind `understudy chat`: read a line, do it, read the next."""

import signal
from collections.abc import AsyncIterator, Awaitable
from contextlib import AsyncExitStack
from dataclasses import dataclass

import typer
from rich.text import Text

from domain.errors import UnknownThread
from domain.events import Stamped
from domain.goals import checked_goal
from understudy.cli.approve import Person
from understudy.cli.errors import INTERRUPTED, error_edge
from understudy.cli.phrases import decision_text, line, mode, plan_text, remembered
from understudy.cli.screen import TerminalScreen, console, put, starting
from understudy.cli.session import Session
from understudy.cli.terminal import Read, read_line
from understudy.orchestrator import Orchestrator
from understudy.settings import Settings
from understudy.standing import Status

PROMPT = "you > "
HELP = """\
/help   this list
/new    start a new conversation; what was remembered stays
/why    how the last goal was routed, and the remembered tasks behind it
/plan   the last plan
/resume go on with what was stopped, or ask the open question again
/quit   leave; Ctrl-D does the same
Everything else is a goal. Ctrl-C while one runs stops it at the next safe point."""


async def converse(settings: Settings, thread: str | None) -> None:
    """Greet, then do one goal after the other until the person leaves."""
    async with AsyncExitStack() as stack:
        with starting():
            orchestrator = await stack.enter_async_context(Orchestrator(settings))
            status = await orchestrator.status()
        screen = TerminalScreen()
        person = Person(console(stderr=True), read_line)
        session = Session(orchestrator, screen, person, hint=lambda *_: "Go on with: /resume")
        put(console(stderr=True), greeting(status, settings))
        await Conversation(session, screen, read_line, thread).hold()


def greeting(status: Status, settings: Settings) -> Text:
    """Return who works, on what, and how to leave."""
    data = str(settings.data) if settings.data else "none (--data DIR gives the team something to read)"
    out = str(settings.out) if settings.out else "none (--out DIR lets the team write files)"
    return Text("\n").join(
        [
            line("team", f"{status.team}, workspace {status.workspace}, {remembered(status.tasks)}"),
            line("mode", mode(status.mode)),
            line("data", data),
            line("out", out),
            line("", "type a goal, /help for help, /quit to leave", "dim"),
        ]
    )


@dataclass
class Conversation:
    """What is said in one sitting."""

    session: Session
    screen: TerminalScreen
    read: Read
    thread: str | None = None

    async def hold(self) -> None:
        """Read and do until the person leaves; errors are told and do not end it."""
        if self.thread is not None:
            await self._safely(self._reopen(self.thread))
        while (text := self._next()) is not None:
            await self._safely(self._do(text))

    async def _safely(self, work: Awaitable[None]) -> None:
        try:
            with error_edge():
                await work
        except typer.Exit as ended:
            # The error is told; only a person who gives up ends the session.
            if ended.exit_code == INTERRUPTED:
                raise

    async def _reopen(self, thread: str) -> None:
        """Recall an earlier conversation, and ask what was left open in it."""
        orchestrator = self.session.orchestrator
        try:
            events = await orchestrator.events(thread)
        except UnknownThread:
            return  # a name for a new conversation
        for stamped in events:
            self.screen.recall(stamped.event)
        if await orchestrator.pending(thread):
            await self.session.follow(orchestrator.resume(thread))

    def _next(self) -> str | None:
        """Return the next line that says something, or None when the person leaves."""
        # At the prompt Ctrl-C leaves at once; the loop's own handler would wait for the line to end.
        previous = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            while not (text := self.read(PROMPT).strip()):
                pass
        except EOFError:
            return None
        finally:
            signal.signal(signal.SIGINT, previous)
        return None if text in ("/quit", "/exit") else text

    async def _do(self, text: str) -> None:
        if text == "/resume":
            await self._resume()
        elif text.startswith("/"):
            self._command(text)
        else:
            await self._follow(self.session.orchestrator.stream(checked_goal(text), thread=self.thread))

    async def _resume(self) -> None:
        if self.thread is None:
            self._tell(line("", "nothing was begun yet"))
        else:
            await self._follow(self.session.orchestrator.resume(self.thread))

    async def _follow(self, events: AsyncIterator[Stamped]) -> None:
        try:
            await self.session.follow(events)
        finally:
            if self.session.last is not None:
                self.thread = self.session.last.thread

    def _command(self, text: str) -> None:
        decision, plan = self.screen.progress.decision, self.screen.progress.plan
        match text:
            case "/help":
                self._tell(Text(HELP))
            case "/new":
                self.thread, self.session.last = None, None
                self._tell(line("", "a new conversation"))
            case "/why":
                self._tell(decision_text(decision) if decision else line("", "nothing was routed yet"))
            case "/plan":
                self._tell(plan_text(plan) if plan else line("", "there is no plan yet"))
            case _:
                self._tell(line("", f"{text!r} is not a command; /help lists them", "red"))

    def _tell(self, text: Text) -> None:
        put(console(stderr=True), text)
