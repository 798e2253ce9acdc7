"""What can be typed with a slash in `understudy chat`, beside goals."""

import difflib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from rich.text import Text

from domain.errors import InvalidGoal, UnknownThread
from domain.events import RunStarted
from understudy.cli.approve import Person
from understudy.cli.phrases import decision_text, line, plan_text
from understudy.cli.screen import TerminalScreen, console, put, say
from understudy.cli.session import Session
from understudy.cli.text import clean, one_line
from understudy.client import Client
from understudy.exporting import exported_markdown, write_exported
from understudy.threads import ThreadEntry, checked_thread

if TYPE_CHECKING:
    from domain.routing import Neighbour
    from memory.task_record import TaskRecord
    from understudy.client.conversations import Conversation

_SHOWN = 20
"""Threads and tasks that a list shows."""


@dataclass
class Place:
    """Where the conversation is."""

    thread: str | None = None


class Command(NamedTuple):
    """One that can be typed."""

    name: str
    args: str
    help: str
    anytime: bool = False
    """Whether it can be typed while a run goes on, too."""


COMMANDS = (
    Command("/help", "", "this list", anytime=True),
    Command("/new", "", "start a new conversation; what was remembered stays"),
    Command("/threads", "", "the conversations of this workspace"),
    Command("/switch", "THREAD", "go on with another conversation, by its name, number or title"),
    Command("/rename", "TITLE", "call this conversation something"),
    Command("/export", "FILE", "write this conversation to a file, as Markdown"),
    Command("/why", "", "how the last goal was routed, and the remembered tasks behind it"),
    Command("/plan", "", "the last plan", anytime=True),
    Command("/trace", "", "what happened in the last run, step by step", anytime=True),
    Command("/ask", "QUESTION", "ask about the run; it goes on, or waits, as it does", anytime=True),
    Command("/memory", "[WORDS]", "the remembered tasks, or those like the words"),
    Command("/rate", "1-5 [TEXT]", "rate the last run, with what should have been different"),
    Command("/undo", "", "take back what the last run changed"),
    Command("/resume", "", "go on with what was stopped, or ask the open question again"),
    Command("/quit", "", "leave; Ctrl-D does the same"),
)
NAMES = tuple(command.name for command in COMMANDS)


def help_text() -> Text:
    """Return the commands with what they do, and what else can be typed."""
    width = max(len(f"{command.name} {command.args}") for command in COMMANDS)
    rows = [Text(f"{f'{c.name} {c.args}':<{width}}  {c.help}") for c in COMMANDS]
    rest = Text("Everything else is a goal. Ctrl-C while one runs stops it at the next safe point.")
    return Text("\n").join([*rows, rest])


@dataclass
class Slash:
    """Does what is typed with a slash."""

    session: Session
    screen: TerminalScreen
    person: Person
    place: Place
    listed: list[str] = field(default_factory=list)
    """Threads in the order in which `/threads` showed them last."""

    async def do(self, text: str) -> None:
        """Do a command; one that does not exist is told with the nearest that does."""
        name, _, rest = text.partition(" ")
        done = self._doers().get(name)
        if done is None:
            near = difflib.get_close_matches(name, NAMES, n=1, cutoff=0.6)
            hint = f"did you mean {near[0]}? " if near else ""
            self._tell(f"{one_line(text)!r} is not a command; {hint}/help lists them", "red")
            return
        await done(rest.strip())

    async def do_meanwhile(self, text: str) -> None:
        """Do a command while a run goes on, if it can be done then."""
        name = text.partition(" ")[0]
        if any(command.name == name and command.anytime for command in COMMANDS):
            await self.do(text)
        else:
            usable = ", ".join(command.name for command in COMMANDS if command.anytime)
            self._tell(f"a run goes on; Ctrl-C stops it. Meanwhile there are {usable}", "yellow")

    def _doers(self) -> dict[str, Callable[[str], Awaitable[None]]]:
        return {
            "/help": self._help, "/new": self._new, "/threads": self._threads, "/switch": self._switch,
            "/rename": self._rename, "/export": self._export, "/why": self._why, "/plan": self._plan,
            "/trace": self._trace, "/ask": self._ask, "/memory": self._memory, "/rate": self._rate,
            "/undo": self._undo, "/resume": self._resume,
        }  # fmt: skip

    async def follow(self, thread: str | None, goal: str | None) -> None:
        """Follow a goal, or what goes on without one, and stay in its conversation."""
        before = self.place.thread
        try:
            if goal is not None:
                self.place.thread = thread = checked_thread(thread)  # what is typed meanwhile is about it
                await self.session.follow(self.session.orchestrator.stream(goal, thread=thread), thread=thread)
            elif thread is not None:
                await self.session.follow(self.session.orchestrator.resume(thread), thread=thread)
        finally:
            self.place.thread = self.session.last.thread if self.session.last is not None else before

    async def reopen(self, thread: str) -> None:
        """Recall an earlier conversation, and ask what was left open in it.

        Raises:
            UnknownThread: The workspace has no such thread.
        """
        for stamped in await self.session.orchestrator.events(thread):
            self.screen.recall(stamped.event)
        if await self.session.orchestrator.pending(thread):
            await self.follow(thread, None)

    async def _help(self, _: str) -> None:
        put(console(stderr=True), help_text())

    async def _new(self, _: str) -> None:
        self.place.thread, self.session.last = None, None
        self._tell("a new conversation")

    async def _threads(self, _: str) -> None:
        entries: Sequence[ThreadEntry | Conversation] = await self.session.orchestrator.threads()
        titles = await self.session.orchestrator.titles()
        self.listed = [entry.thread for entry in entries[:_SHOWN]]
        if not entries:
            self._tell("there is no conversation yet")
        for number, entry in enumerate(entries[:_SHOWN], 1):
            put(console(stderr=True), self._entry(number, entry, titles.get(entry.thread, "")))
        if len(entries) > _SHOWN:
            self._tell(f"and {len(entries) - _SHOWN} older ones", "dim")

    def _entry(self, number: int, entry: "ThreadEntry | Conversation", title: str) -> Text:
        here = "*" if entry.thread == self.place.thread else " "
        when = datetime.fromtimestamp(entry.updated).astimezone().strftime("%d %b %H:%M")
        called = one_line(title or entry.goal, 60)
        return line(f"{here}{number}", f"{called}  ({entry.thread}, {entry.state}, {when})")

    async def _switch(self, wanted: str) -> None:
        thread = await self._meant(wanted)
        self.place.thread, self.session.last = thread, None
        started = [s.event for s in await self.session.orchestrator.events(thread) if isinstance(s.event, RunStarted)]
        title = (await self.session.orchestrator.titles()).get(thread) or (started[0].goal if started else thread)
        self._tell(f"in {one_line(title, 80)!r} ({thread})")
        await self.reopen(thread)

    async def _meant(self, wanted: str) -> str:
        """Return the thread that somebody means: by its number in the list, its name, its title, or its beginning."""
        if wanted.isdigit() and 0 < int(wanted) <= len(self.listed):
            return self.listed[int(wanted) - 1]
        names = [entry.thread for entry in await self.session.orchestrator.threads()]
        titles = await self.session.orchestrator.titles()
        ways = (
            [name for name in names if name == wanted],
            [name for name in names if titles.get(name, "").casefold() == wanted.casefold() != ""],
            [name for name in names if wanted and name.startswith(wanted)],
        )
        found = next((way for way in ways if way), [])
        if len(found) == 1:
            return found[0]
        msg = f"{one_line(wanted)!r} names {'no' if not found else 'more than one'} conversation; /threads lists them"
        raise UnknownThread(msg)

    async def _rename(self, title: str) -> None:
        await self.session.orchestrator.rename_thread(self._here(), title)
        self._tell(f"called {one_line(title)!r}" if title else "called by its goal again")

    async def _export(self, file: str) -> None:
        if not file:
            msg = "name a file: /export FILE"
            raise InvalidGoal(msg)
        await write_exported(await self._exported(self._here()), file)
        self._tell(f"written to {file}")

    async def _exported(self, thread: str) -> str:
        here = self.session.orchestrator
        if isinstance(here, Client):
            return await here.export_thread(thread)  # the server notes that it leaves
        return await exported_markdown(here, thread)

    async def _why(self, _: str) -> None:
        decision = self.screen.progress.decision
        put(console(stderr=True), decision_text(decision) if decision else line("", "nothing was routed yet"))

    async def _plan(self, _: str) -> None:
        plan = self.screen.progress.plan
        put(console(stderr=True), plan_text(plan) if plan else line("", "there is no plan yet"))

    async def _trace(self, _: str) -> None:
        from understudy.cli.trace_text import trace_tree

        console(stderr=True).print(trace_tree(await self.session.orchestrator.trace(self._here())))

    async def _ask(self, question: str) -> None:
        told = await self.session.orchestrator.ask_about(self._here(), question)
        say(console(stderr=True), told.answer)

    async def _memory(self, query: str) -> None:
        if query:
            near = await self._near(query)
            told = [(n.goal, n.sequence, f"{n.similarity:.2f} alike") for n in near]
        else:
            records = await self._latest()
            told = [(r.goal, r.sequence, f"{r.successes} of {r.successes + r.failures} succeeded") for r in records]
        for goal, sequence, how in told:
            self._tell(f"{one_line(goal, 60)}  ({' → '.join(sequence)}, {how})")
        if not told:
            self._tell("nothing is remembered yet")

    async def _near(self, query: str) -> "Sequence[Neighbour]":
        here = self.session.orchestrator
        if isinstance(here, Client):
            return await here.tasks_like(query, limit=_SHOWN)
        return await here.memory.search(here.context.workspace, query, limit=_SHOWN)

    async def _latest(self) -> "Sequence[TaskRecord]":
        here = self.session.orchestrator
        if isinstance(here, Client):
            return await here.latest_tasks(limit=_SHOWN)
        return await here.memory.latest(here.context.workspace, limit=_SHOWN)

    async def _rate(self, text: str) -> None:
        number, _, correction = text.partition(" ")
        if number not in ("1", "2", "3", "4", "5"):
            msg = "a rating is a number from 1 (useless) to 5 (right): /rate 2 The sources are missing."
            raise InvalidGoal(msg)
        run = self._here()
        received = await self.session.orchestrator.feedback(run, rating=int(number), correction=correction.strip())
        self._tell(f"the task now stands at {received.successes} of {received.successes + received.failures} runs")

    async def _undo(self, _: str) -> None:
        from understudy.cli.undo import print_undone, undone

        print_undone(await undone(self.session.orchestrator, self._here(), self.person))

    async def _resume(self, _: str) -> None:
        if self.place.thread is None:
            self._tell("nothing was begun yet")
        else:
            await self.follow(self.place.thread, None)

    def _here(self) -> str:
        """Return the conversation that one is in, or raise `UnknownThread`."""
        if self.place.thread is None:
            msg = "nothing was begun in this conversation yet"
            raise UnknownThread(msg)
        return self.place.thread

    def _tell(self, text: str, style: str = "") -> None:
        put(console(stderr=True), line("", clean(text), style))
