"""Following runs to their end: showing events, asking for decisions, stopping on Ctrl-C."""

import asyncio
import os
import signal
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NoReturn, cast

import typer

from domain.errors import UserError
from domain.events import AnswerNoted, ApprovalRequested, Event, Explained, RunFinished, RunStopped, Stamped, Whispered
from domain.outcomes import Outcome, RunStatus
from understudy.cli.approve import Answer, Answers, AskedBack
from understudy.cli.errors import DONE, FAILED, INTERRUPTED, WAITS, complain, error_edge
from understudy.cli.hints import inbox_command, resume_command
from understudy.cli.opened import Assistant, assistant
from understudy.cli.phrases import line
from understudy.cli.screen import Screen, console, put, starting
from understudy.cli.terminal import lines_typed
from understudy.client import Client
from understudy.settings import Settings

if TYPE_CHECKING:
    from understudy.orchestrator import Orchestrator

Start = Callable[[Assistant], AsyncIterator[Stamped]]
"""Starts the stream that is to be followed."""

_PAST_ALL = 1 << 53
"""Past every number of an event: only what is whispered is watched."""
PLANNED = "planned"
"""Reason with which a run stops that was only to be planned."""

_CODES: dict[RunStatus, int] = {
    "done": DONE, "replied": DONE, "asked": WAITS, "refused": FAILED, "rejected": FAILED, "failed": FAILED,
    "budget_exceeded": FAILED, "undone": FAILED,
}  # fmt: skip
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def code_of(outcome: Outcome) -> int:
    """Return the exit code for how a run ended."""
    return _CODES[outcome.status]


def resume_hint(stamped: Stamped, waits: bool) -> str:
    """Return how to go on with a thread in the shell."""
    command = resume_command(stamped.thread, stamped.workspace)
    if not waits:
        return f"Go on with: {command}"
    shown = inbox_command(stamped.thread, stamped.workspace)
    return f"Answer with: {command} (add --yes to approve, or --decide FILE), or see: {shown}"


@dataclass
class Session:
    """Follows the runs of one assistant."""

    orchestrator: Assistant
    screen: Screen
    answers: Answers
    last: Stamped | None = None
    """The latest event; it names the thread."""
    hint: Callable[[Stamped, bool], str] = resume_hint
    """Says how to go on; the second argument tells whether a question waits."""
    grace: float | None = None
    """Seconds that running steps may still take after SIGTERM; None waits for them."""
    meanwhile: Callable[[str], Awaitable[None]] | None = None
    """Takes what is typed while a run goes on."""
    _stopping: bool = False
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def follow(self, events: AsyncIterator[Stamped], *, thread: str | None = None) -> int:
        """Show a run, answering its questions, until it ends, is stopped or waits; return the exit code.

        Args:
            events: What it tells.
            thread: Its thread, where what models write in it is to be shown while it comes.
        """
        while True:
            async with self._watching(thread):
                ending = await self._shown(events)
            if ending is None or not isinstance(ending.event, ApprovalRequested):
                return self._ended(ending.event if ending else None)
            try:
                answers = await self._answers(ending.thread, ending.event)
            except KeyboardInterrupt:
                self._told("interrupted; the question stays open")
                return INTERRUPTED
            if answers is None:
                self._told("waits for a person", waits=True)
                return WAITS
            decisions = {"decisions": answers}
            events = self.orchestrator.resume(ending.thread, decisions, interrupt=ending.event.interrupt)

    async def _answers(self, thread: str, asked: ApprovalRequested) -> list[Answer] | None:
        """Return the answers to a question; what the person asks before they decide is answered first."""
        while True:
            try:
                return self._asked(asked)
            except AskedBack as back:
                try:
                    told = (await self.orchestrator.ask_about(thread, back.question)).answer
                except UserError as error:
                    told = str(error)
                put(console(stderr=True), line("answer", told))

    def _ended(self, event: Event | None) -> int:
        match event:
            case Explained():
                self._told("the question stays open", waits=True)
                return WAITS
            case RunFinished(outcome=outcome):
                return code_of(outcome)
            case AnswerNoted():
                self._told("waits for more answers", waits=True)
                return WAITS
            case RunStopped(reason=reason):
                self._told("only planned" if reason == PLANNED else "stopped")
                return DONE if reason == PLANNED else INTERRUPTED
            case _:
                self._told("the run ended without a result")
                return FAILED

    async def _shown(self, events: AsyncIterator[Stamped]) -> Stamped | None:
        """Show the events and return the one that ended the stream."""
        ending = None
        try:
            with self._stopping_on_signals(), lines_typed(self._take):
                async with aclosing(cast(AsyncGenerator[Stamped], events)):
                    async for stamped in events:
                        self.last = stamped
                        self.screen.show(stamped)
                        if not (ending and isinstance(ending.event, RunFinished)):
                            ending = stamped
        finally:
            self.screen.pause()
        return ending

    @asynccontextmanager
    async def _watching(self, thread: str | None) -> AsyncIterator[None]:
        """Show what models write for the length of the block, where the screen can."""
        if thread is None or not self.screen.is_live or isinstance(self.orchestrator, Client):
            yield
            return
        watching = asyncio.create_task(self._watch(self.orchestrator, thread))
        try:
            yield
        finally:
            watching.cancel()
            await asyncio.wait({watching})

    async def _watch(self, orchestrator: "Orchestrator", thread: str) -> None:
        async with aclosing(orchestrator.follow(thread, after=_PAST_ALL)) as told:
            async for one in told:
                if isinstance(one, Whispered):
                    self.screen.whisper(one.event)

    def _take(self, text: str) -> None:
        """Do what is typed while a run goes on, beside it."""
        if self.meanwhile is not None and text:
            task = asyncio.create_task(self._done_meanwhile(self.meanwhile, text))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _done_meanwhile(self, do: Callable[[str], Awaitable[None]], text: str) -> None:
        self.screen.pause()
        with suppress(typer.Exit), error_edge():  # the error is told, and the run goes on
            await do(text)

    def _asked(self, asked: ApprovalRequested) -> list[Answer] | None:
        """Return the answers to a question, or None; `KeyboardInterrupt` when the person gives up here or before."""
        if self._stopping:
            raise KeyboardInterrupt
        # Nothing else runs on this loop while a person thinks, so reading may block; Ctrl-C must end the reading.
        previous = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            return self.answers(asked.requests)
        finally:
            signal.signal(signal.SIGINT, previous)

    @contextmanager
    def _stopping_on_signals(self) -> Iterator[None]:
        """Let the first signal ask for a stop at the next safe point and the second end the process."""
        self._stopping = False
        loop = asyncio.get_running_loop()

        def on_signal(number: int, _: object) -> None:
            if self._stopping:
                self._abort()
            self._stopping = True
            loop.call_soon_threadsafe(self._stop, number)

        # Not the loop's own handlers: they would wait for a loop that is held up, say by a reader who does not read.
        previous = {number: signal.signal(number, on_signal) for number in _SIGNALS}
        try:
            yield
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)

    def _stop(self, number: int) -> None:
        """Ask for a stop; whoever sends SIGTERM will not wait for long, so then it comes after a time of grace."""
        complain("stopping at the next safe point; press Ctrl-C again to abort at once")
        grace = self.grace if number == signal.SIGTERM else None
        self.orchestrator.request_stop(grace=grace)

    def _abort(self) -> NoReturn:
        """End the process now; a run's state survives that by design, and waiting for threads could take long."""
        show_cursor = "\x1b[?25h\n" if os.isatty(2) else ""
        how = self.hint(self.last, False) if self.last else ""
        # Unbuffered, because this may interrupt a write to the same stream.
        os.write(2, f"{show_cursor}understudy: aborted. {how}\n".encode())
        os._exit(INTERRUPTED)

    def _told(self, what: str, *, waits: bool = False) -> None:
        """Tell why a run stands still, and how to go on."""
        complain(f"{what}. {self.hint(self.last, waits)}" if self.last else f"{what}; nothing was started")


async def follow_one(
    settings: Settings,
    screen: Screen,
    answers: Answers,
    start: Start,
    *,
    resumes: str | None = None,
    after: int | None = None,
) -> int:
    """Open an assistant, follow one stream of it, and return the exit code.

    Args:
        settings: Where and for whom to work.
        screen: Shows the events.
        answers: Answers what is asked.
        start: Starts the stream.
        resumes: Thread whose earlier events the screen should know, without showing them again.
        after: Number of the last of these; None: all that there are.
    """
    async with AsyncExitStack() as stack:
        with starting():
            orchestrator = await stack.enter_async_context(assistant(settings))
        if resumes is not None:
            for stamped in await orchestrator.events(resumes, limit=after):
                screen.recall(stamped.event)
        return await Session(orchestrator, screen, answers, grace=settings.drain_grace).follow(start(orchestrator))
