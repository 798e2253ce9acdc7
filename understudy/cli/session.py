"""Following runs to their end: showing events, asking for decisions, stopping on Ctrl-C."""

import asyncio
import os
import signal
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, aclosing, contextmanager
from dataclasses import dataclass
from typing import NoReturn, cast

from domain.events import AnswerNoted, ApprovalRequested, Event, RunFinished, RunStopped, Stamped
from domain.outcomes import Outcome, RunStatus
from understudy.cli.approve import Answer, Answers
from understudy.cli.errors import DONE, FAILED, INTERRUPTED, WAITS, complain
from understudy.cli.hints import inbox_command, resume_command
from understudy.cli.screen import Screen, starting
from understudy.orchestrator import Orchestrator
from understudy.settings import Settings

Start = Callable[[Orchestrator], AsyncIterator[Stamped]]
"""Starts the stream that is to be followed."""

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
    """Follows the runs of one orchestrator."""

    orchestrator: Orchestrator
    screen: Screen
    answers: Answers
    last: Stamped | None = None
    """The latest event; it names the thread."""
    hint: Callable[[Stamped, bool], str] = resume_hint
    """Says how to go on; the second argument tells whether a question waits."""
    _stopping: bool = False

    async def follow(self, events: AsyncIterator[Stamped]) -> int:
        """Show a run, answering its questions, until it ends, is stopped or waits; return the exit code."""
        while True:
            ending = await self._shown(events)
            if ending is None or not isinstance(ending.event, ApprovalRequested):
                return self._ended(ending.event if ending else None)
            try:
                answers = self._asked(ending.event)
            except KeyboardInterrupt:
                self._told("interrupted; the question stays open")
                return INTERRUPTED
            if answers is None:
                self._told("waits for a person", waits=True)
                return WAITS
            decisions = {"decisions": answers}
            events = self.orchestrator.resume(ending.thread, decisions, interrupt=ending.event.interrupt)

    def _ended(self, event: Event | None) -> int:
        match event:
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
            with self._stopping_on_signals():
                async with aclosing(cast(AsyncGenerator[Stamped], events)):
                    async for stamped in events:
                        self.last = stamped
                        self.screen.show(stamped)
                        if not (ending and isinstance(ending.event, RunFinished)):
                            ending = stamped
        finally:
            self.screen.pause()
        return ending

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
        grace = self.orchestrator.settings.drain_grace if number == signal.SIGTERM else None
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
    settings: Settings, screen: Screen, answers: Answers, start: Start, *, resumes: str | None = None
) -> int:
    """Open an orchestrator, follow one stream of it, and return the exit code.

    Args:
        settings: Where and for whom to work.
        screen: Shows the events.
        answers: Answers what is asked.
        start: Starts the stream.
        resumes: Thread whose earlier events the screen should know, without showing them again.
    """
    async with AsyncExitStack() as stack:
        with starting():
            orchestrator = await stack.enter_async_context(Orchestrator(settings))
        if resumes is not None:
            for stamped in await orchestrator.events(resumes):
                screen.recall(stamped.event)
        return await Session(orchestrator, screen, answers).follow(start(orchestrator))
