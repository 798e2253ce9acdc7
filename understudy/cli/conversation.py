"""The loop behind `understudy chat`: read a line, do it, read the next."""

import signal
from collections.abc import Awaitable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass

import typer
from rich.text import Text

from domain.errors import UnknownThread
from domain.goals import checked_goal
from understudy.cli.approve import Person
from understudy.cli.errors import INTERRUPTED, error_edge
from understudy.cli.opened import assistant
from understudy.cli.phrases import line, mode, remembered
from understudy.cli.screen import TerminalScreen, console, put, starting
from understudy.cli.session import Session
from understudy.cli.slash import NAMES, Place, Slash
from understudy.cli.terminal import Read, complete_with, read_line
from understudy.settings import Settings
from understudy.standing import Status

PROMPT = "you > "


async def converse(settings: Settings, thread: str | None) -> None:
    """Greet, then do one goal after the other until the person leaves."""
    async with AsyncExitStack() as stack:
        with starting():
            orchestrator = await stack.enter_async_context(assistant(settings))
            status = await orchestrator.status()
        screen = TerminalScreen()
        person = Person(console(stderr=True), read_line, answers_back=True)
        session = Session(
            orchestrator, screen, person, hint=lambda *_: "Go on with: /resume", grace=settings.drain_grace
        )
        slash = Slash(session, screen, person, Place(thread))
        session.meanwhile = slash.do_meanwhile
        put(console(stderr=True), greeting(status, settings))
        complete_with(NAMES)
        await Conversation(slash, read_line).hold()


def greeting(status: Status, settings: Settings) -> Text:
    """Return who works, on what, and how to leave."""
    data = str(settings.data) if settings.data else "none (--data DIR gives the team something to read)"
    out = str(settings.out) if settings.out else "none (--out DIR lets the team write files)"
    folders = (
        [line("data", data), line("out", out)] if settings.server_url is None else [line("server", settings.server_url)]
    )
    return Text("\n").join(
        [
            line("team", f"{status.team}, workspace {status.workspace}, {remembered(status.tasks)}"),
            line("mode", mode(status.mode)),
            *folders,
            line("", "type a goal, /help for help, /quit to leave", "dim"),
        ]
    )


@dataclass
class Conversation:
    """What is said in one sitting."""

    slash: Slash
    read: Read

    async def hold(self) -> None:
        """Read and do until the person leaves; errors are told and do not end it."""
        if self.slash.place.thread is not None:
            await self._safely(self._reopen(self.slash.place.thread))
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
        with suppress(UnknownThread):  # then it is a name for a new conversation
            await self.slash.reopen(thread)

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
        if text.startswith("/"):
            await self.slash.do(text)
        else:
            await self.slash.follow(self.slash.place.thread, checked_goal(text))
