"""Runs: advance a thread of the graph to its next stop, keep its events, and know how to go on.

A thread is a conversation; each goal in it is a run. A run survives the process: its state is in the checkpointer, its
events in the journal, its question at the desk, and its entry says in which circumstances it was started and how it
stands. Whoever advances a thread has its fence, in the foreground as in a worker: there is one way to do it.
"""

import functools
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import asdict
from typing import Any

from langchain_core.messages import HumanMessage
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import StateSnapshot

from domain.approvals import Decision, shown_digest, typed_answer
from domain.errors import NothingPending
from domain.events import AnswerNoted, Event, Explained, RunFinished, RunStopped, Stamped
from domain.explanations import is_question
from domain.goals import checked_goal
from domain.outcomes import Outcome
from domain.questions import Question
from graph.context import Context
from memory.journal import Journal
from memory.records import Records
from understudy.advancing import Drive, Parts, Told, advance
from understudy.bus import Bus
from understudy.durable.asking import Asking, is_ready, resumption, still_wanted
from understudy.durable.desk import Desk
from understudy.durable.fences import Fences, ThreadBusy
from understudy.event_log import EventLog
from understudy.graph_threads import GraphThreads, interrupt_of, requested
from understudy.holding import Holds
from understudy.stopping import Brake
from understudy.threads import Pending, ThreadEntry, Threads, checked_thread, checkpoint_thread

Explain = Callable[[ThreadEntry, str], Awaitable[Explained]]
"""Answers a question about the latest run of a thread."""
BEFORE_WORK = ("approve_plan", "specialists")
"""Nodes before which nothing but planning has happened."""


class Runs:
    """Starts and resumes runs; one at a time per thread."""

    def __init__(
        self,
        graph: CompiledStateGraph[Any, Context, Any, Any],
        records: Records,
        journal: Journal,
        clock: Callable[[], float],
        *,
        fences: Fences,
        desk: Desk,
        bus: Bus,
        ended: Callable[[ThreadEntry], Awaitable[None]],
        explain: Explain,
    ) -> None:
        """Set up runs.

        Args:
            graph: Compiled with a checkpointer.
            records: Where threads are noted.
            journal: Where events are kept.
            clock: Unix time in seconds.
            fences: Who advances which thread.
            desk: Where questions wait.
            bus: Tells those who follow a thread that there is more.
            ended: Called once after each run that came to its end.
            explain: Answers questions about a run.
        """
        self._graph, self._threads, self._asking = GraphThreads(graph), Threads(records, clock), Asking(desk, clock)
        self._log, self._holds = EventLog(journal, clock, fences.check, bus), Holds(fences)
        self._desk, self._fences, self._ended = desk, fences, ended
        self._explain = explain
        parts = Parts(self._graph, self._threads, self._log, self._asking, fences.check, ended)
        self._advance = functools.partial(advance, parts)

    async def start(
        self,
        goal: str,
        context: Context,
        *,
        thread: str | None,
        plan_only: bool = False,
        run: str | None = None,
        unattended: bool = False,
    ) -> Told:
        """Run a goal in a new or an existing thread of the workspace until it ends, waits or is stopped.

        While the thread has an open question, the text is taken as an answer to it ("yes", "no, because ..."); where
        it asks something itself, it is answered, and the thread's question stays open as it is.

        Args:
            goal: What should be done.
            context: For whom, and where.
            thread: The conversation; None begins one.
            plan_only: Stop before anything of the plan is done.
            run: Id of the run, so that starting it twice starts it once; None draws one.
            unattended: As in `resume`.

        Raises:
            InvalidGoal: the goal is empty, too long or not text; nothing was started.
            ThreadBusy: a run is going on in the thread.
            StorageAway: the thread has an open question, and its records cannot be read now; it stays open.
        """
        goal, thread, workspace = checked_goal(goal), checked_thread(thread), context.workspace
        entry = ThreadEntry(thread=thread, context=asdict(context), goal=goal, run=run or str(uuid.uuid4()))
        async with self.held(workspace, thread) as brake:
            drive, earlier, pending = Drive(brake, unattended), None, None
            before = BEFORE_WORK if plan_only else ()
            if await self._threads.may_be_there(workspace, thread) and (pending := await self._waits(entry)):
                earlier = await self.entry(workspace, thread)
            elif run is not None:
                earlier = await self._threads.find(workspace, thread)
            if pending and earlier and (typed := typed_answer(goal, pending.requests)):
                stream = self._answered(earlier, _same(typed, pending), drive, by=context.user)
            elif pending and earlier and is_question(goal):
                stream = self._explained(earlier, goal)
            elif earlier and earlier.run == run:
                stream = self._gone_on(earlier, drive, before=before)
            else:
                given = {"messages": [HumanMessage(goal)]}
                stream = self._advance(earlier if pending and earlier else entry, given, drive, before=before)
            async with aclosing(stream):
                async for stamped in stream:
                    yield stamped

    async def resume(
        self,
        workspace: str,
        thread: str,
        answer: Any | None = None,
        *,
        interrupt: str | None = None,
        by: str = "",
        unattended: bool = False,
    ) -> Told:
        """Answer the open question, or carry on: with what was decided, or a run that was interrupted.

        Args:
            workspace: Where the thread is.
            thread: The conversation.
            answer: Decisions in any client's form; None carries on, or asks the open question again.
            interrupt: Id of the question that is meant.
            by: Who answers; empty: the one for whom the run works.
            unattended: Whether a worker does it, which carries on later what is stopped now.

        Raises:
            UnknownThread: the workspace has no such thread.
            InvalidDecision: the answer does not fit; the question stays open.
            NothingPending: an answer came, but this question is not open.
            QuestionClosed: it was decided by somebody else, or its time is over; without an answer it is asked anew.
            ThreadBusy: a run is going on in the thread.
        """
        await self.entry(workspace, thread)
        async with self.held(workspace, thread) as brake:
            entry, drive = await self.entry(workspace, thread), Drive(brake, unattended)
            if answer is None:
                stream = self._gone_on(entry, drive)
            else:
                stream = self._answered(entry, answer, drive, by=by or entry.context["user"], interrupt=interrupt)
            async with aclosing(stream):
                async for stamped in stream:
                    yield stamped

    async def _gone_on(self, entry: ThreadEntry, drive: Drive, *, before: Sequence[str] = ()) -> Told:
        """Carry a thread on that is held, from wherever it stands."""
        question = await self._desk.of_thread(entry.workspace, entry.thread)
        snapshot = await self._graph.snapshot(entry.workspace, entry.thread)
        opened = interrupt_of(snapshot)
        if question is not None and is_ready(question):
            if opened and opened.interrupt == question.interrupt:
                async for stamped in self._advance(entry, resumption(question), drive, question=question):
                    yield stamped
                return
            await self._desk.applied(question.id)  # its process ended before it could say so
        if opened:
            yield await self._asked_again(entry, opened)
        elif entry.state == "ended":
            async for stamped in self._ending(entry):
                yield stamped
        # Not `next`: it leaves out a node whose writes are stored and not yet in a checkpoint.
        elif not snapshot.tasks and snapshot.values.get("run") == entry.run:
            yield await self._told_at_last(entry, Outcome.model_validate(snapshot.values["outcome"]))
        else:
            # Without tasks its process ended before the graph took the goal in.
            given = None if snapshot.tasks else {"messages": [HumanMessage(entry.goal)]}
            async for stamped in self._advance(entry, given, drive, before=before if given else ()):
                yield stamped

    async def _answered(
        self, entry: ThreadEntry, answer: Any, drive: Drive, *, by: str, interrupt: str | None = None
    ) -> Told:
        """Take an answer to the open question of a thread that is held, and go on with it if it decides."""
        opened = interrupt_of(await self._graph.snapshot(entry.workspace, entry.thread))
        if opened is None or (interrupt is not None and interrupt != opened.interrupt):
            msg = "this question is not open any more" if interrupt else "the thread has no open question"
            raise NothingPending(msg)
        asked = await self._asking.latest(entry, opened)
        question = await self._desk.answer(
            entry.workspace, asked.id, answer, by=by, digest=shown_digest(opened.requests)
        )
        if is_ready(question):
            async for stamped in self._advance(entry, resumption(question), drive, question=question):
                yield stamped
        else:
            yield await self.tell(entry, AnswerNoted(question=question.id, by=by, wants=still_wanted(question)))

    async def _explained(self, entry: ThreadEntry, question: str) -> Told:
        """Answer a question about a thread that waits and is held; nothing of it changes."""
        yield await self.tell(entry, await self._explain(entry, question))

    async def _asked_again(self, entry: ThreadEntry, opened: Pending) -> Stamped:
        """Ask the open question of a thread once more, anew where its time was over."""
        await self._asking.ask(entry, opened)
        stamped = await self.tell(entry, requested(opened))
        if entry.state != "waiting":
            await self._threads.note(entry, "waiting")
        return stamped

    async def _told_at_last(self, entry: ThreadEntry, outcome: Outcome) -> Stamped:
        """Return how a run ended whose process was gone before it had told so."""
        async for stamped in self._ending(entry):
            ending = stamped
            break
        else:
            ending = await self.tell(entry, RunFinished(outcome=outcome))
        await self._threads.note(entry, "ended")
        await self._ended(entry)
        return ending

    async def _ending(self, entry: ThreadEntry) -> AsyncIterator[Stamped]:
        """Yield how the last run of a thread ended, once more."""
        for stamped in reversed(await self.events(entry.workspace, entry.thread)):
            if isinstance(stamped.event, RunFinished) and stamped.run == entry.run:
                yield stamped
                return

    async def entry(self, workspace: str, thread: str) -> ThreadEntry:
        """Return what is known about a thread, or raise `UnknownThread`."""
        return await self._threads.get(workspace, thread)

    async def entries(self, workspace: str) -> list[ThreadEntry]:
        """Return the workspace's threads, the last touched first."""
        return await self._threads.listed(workspace)

    async def titles(self, workspace: str) -> dict[str, str]:
        """Return what people called the workspace's threads, by thread."""
        return await self._threads.titles(workspace)

    async def title(self, workspace: str, thread: str) -> str:
        """Return what people called a thread; empty where nobody did."""
        return await self._threads.title(workspace, thread)

    async def rename(self, workspace: str, thread: str, title: str) -> None:
        """Call a thread something, or raise `UnknownThread`."""
        await self.entry(workspace, thread)
        await self._threads.rename(workspace, thread, title)

    async def pending(self, workspace: str, thread: str) -> Pending | None:
        """Return the thread's question that wants an answer, if there is one; also one whose time is over."""
        return await self._opened(workspace, thread, await self._desk.of_thread(workspace, thread))

    async def _opened(self, workspace: str, thread: str, question: Question | None) -> Pending | None:
        """Return what a thread waits for, by its latest question at the desk and its place in the graph."""
        if question is None:
            return interrupt_of(await self._graph.snapshot(workspace, thread))
        if is_ready(question):
            return None
        return Pending(interrupt=question.interrupt, requests=question.requests, question=question.id)

    async def _waits(self, entry: ThreadEntry) -> Pending | None:
        """Return the open question of a thread, to which a message is an answer.

        Raises:
            ThreadBusy: It was decided, and the run is to go on with that first.
        """
        question = await self._desk.of_thread(entry.workspace, entry.thread)
        if is_ready(question):
            msg = f"thread {entry.thread!r} is about to go on with a decision; resume it, or wait for its end"
            raise ThreadBusy(msg)
        return await self._opened(entry.workspace, entry.thread, question)

    async def events(self, workspace: str, thread: str, *, after: int = 0, limit: int | None = None) -> list[Stamped]:
        """Return the thread's events with a higher seq than `after`, all or the first so many of them."""
        return await self._log.read(workspace, thread, after=after, limit=limit)

    async def first_of(self, workspace: str, thread: str, run: str) -> int | None:
        """Return the number of a run's first event in a thread; None where it has none."""
        return await self._log.first_of(workspace, thread, run)

    async def last(self, workspace: str, thread: str) -> Stamped | None:
        """Return the thread's last event."""
        return await self._log.last(workspace, thread)

    async def forget(self, workspace: str, thread: str) -> None:
        """Delete a thread that is held for good: its question, its place, its events and, at last, its entry."""
        await self._desk.forget(workspace, thread)
        await self._graph.forget(workspace, thread)
        await self._log.forget(workspace, thread)
        await self._threads.forget(workspace, thread)
        await self._fences.forget(checkpoint_thread(workspace, thread))

    def held(self, workspace: str, thread: str) -> AbstractAsyncContextManager[Brake]:
        """Keep a thread to oneself for the length of the block: no run of it goes on, and nobody else changes it.

        Raises:
            ThreadBusy: Somebody has it, here or in another process.
        """
        return self._holds.held(workspace, thread)

    async def tell(self, entry: ThreadEntry, event: Event) -> Stamped:
        """Add an event to a run's log, from outside of the graph."""
        return (await self._log.add(entry, [("", event)]))[0]

    async def give_up(self, entry: ThreadEntry) -> None:
        """End a run that waits or was interrupted, for good: the conversation is as before it, its events stay."""
        # The question first: one that outlived its run could be approved, and the run would go on.
        await self._desk.withdraw(entry.workspace, entry.thread, "its run was given up")
        await self._threads.note(entry, "ended")
        await self._graph.rewind(entry)
        await self._ended(entry)

    async def wake(self, entry: ThreadEntry) -> None:
        """Note that a run that was stopped is to go on, so that whoever finds it carries it on."""
        await self._threads.note(entry, "running")

    async def snapshot(self, workspace: str, thread: str) -> StateSnapshot:
        """Return where a thread stands in the graph."""
        return await self._graph.snapshot(workspace, thread)

    async def history(self, workspace: str, thread: str, *, limit: int) -> list[StateSnapshot]:
        """Return where a thread stood, the latest first."""
        return await self._graph.history(workspace, thread, limit=limit)

    async def halt(self, workspace: str, thread: str, reason: str) -> Stamped:
        """Leave a run where it is, because it cannot go on by itself; a person can resume it."""
        async with self.held(workspace, thread):
            entry = await self.entry(workspace, thread)
            stamped = await self.tell(entry, RunStopped(reason=reason))
            await self._threads.note(entry, "stopped")
        return stamped

    async def revise(self, entry: ThreadEntry, outcome: Outcome) -> None:
        """Put another outcome in place of the one that an ended run has; its thread shows the new one."""
        await self.tell(entry, RunFinished(outcome=outcome))
        await self._graph.revise(entry, outcome)

    def request_stop(self, reason: str, *, grace: float | None = None, for_good: bool = False) -> None:
        """Stop every run at its next safe point, from which it can be resumed.

        Args:
            reason: In words, for the event.
            grace: Seconds after which a run is cut short that has not come to one; None waits for it.
            for_good: Whether what is taken up from now on is stopped, too.
        """
        self._holds.request_stop(reason, grace=grace, for_good=for_good)

    def cancel(self, workspace: str, thread: str, reason: str, *, grace: float | None = None) -> bool:
        """Stop the run of one thread, and return whether one was going on here."""
        return self._holds.cancel(workspace, thread, reason, grace=grace)


def _same(decision: Decision, pending: Pending) -> dict[str, Any]:
    """Return one decision as the answer to each request."""
    said = decision.model_dump(exclude_defaults=True)
    return {"decisions": [said] * len(pending.requests)}
