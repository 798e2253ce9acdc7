"""Runs: advance a thread of the graph to its next stop, keep its events, and know how to go on.

A thread is a conversation; each goal in it is a run. A run survives the process: its state is in the checkpointer,
its events in the journal, and its entry here says in which circumstances it was started and how it stands.
"""

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any, Literal

from langchain_core.messages import HumanMessage
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.errors import GraphDrained, GraphRecursionError, UnknownInterruptError
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Command
from pydantic import BaseModel, ConfigDict

from domain.approvals import ActionRequest, decode
from domain.errors import InvalidGoal, LimitReached, NothingPending, StorageAway, UnknownThread, UserError
from domain.events import ApprovalRequested, Event, RunFinished, RunStopped, Stamped
from domain.goals import checked_goal
from domain.outcomes import Outcome
from graph.build import RECURSION_LIMIT
from graph.context import Context
from memory.journal import Journal
from memory.records import Records
from understudy.stopping import Brake

ThreadState = Literal["running", "waiting", "stopped", "ended"]
BEFORE_WORK = ("approve_plan", "specialists")
"""Nodes before which nothing but planning has happened."""


class ThreadBusy(UserError):
    """A run is going on in this thread."""

    code = "thread_busy"


class ThreadEntry(BaseModel):
    """What is known about a thread apart from the graph's own state."""

    model_config = ConfigDict(extra="forbid")

    thread: str
    context: dict[str, Any]
    """`graph.context.Context` in which its goals run."""
    goal: str
    run: str
    """Id of the run that the goal started."""
    state: ThreadState = "running"
    updated: float = 0.0
    """Unix time in seconds."""


class Pending(BaseModel):
    """An open question."""

    model_config = ConfigDict(extra="forbid")

    interrupt: str
    """Id to answer with."""
    requests: list[ActionRequest]


class Runs:
    """Starts and resumes runs; one at a time per thread."""

    def __init__(
        self,
        graph: CompiledStateGraph[Any, Context, Any, Any],
        records: Records,
        journal: Journal,
        clock: Callable[[], float],
        *,
        ended: Callable[[ThreadEntry], Awaitable[None]],
    ) -> None:
        """Set up runs.

        Args:
            graph: Compiled with a checkpointer.
            records: Where threads are noted.
            journal: Where events are kept.
            clock: Unix time in seconds.
            ended: Called once after each run that came to its end.
        """
        self._graph, self._records, self._journal, self._clock = graph, records, journal, clock
        self._ended = ended
        self._brakes: dict[str, Brake] = {}

    async def start(
        self, goal: str, context: Context, *, thread: str | None, plan_only: bool = False
    ) -> AsyncIterator[Stamped]:
        """Run a goal in a new or an existing thread of the workspace until it ends, waits or is stopped.

        While the thread has an open question, the text is taken as an answer to it ("yes", "no, because ...").

        Raises:
            InvalidGoal: the goal is empty, too long or not text; nothing was started.
            ThreadBusy: a run is going on in the thread.
            StorageAway: the thread has an open question, and its records cannot be read now; it stays open.
        """
        goal = checked_goal(goal)
        thread = _checked_thread(thread)
        entry = ThreadEntry(thread=thread, context=asdict(context), goal=goal, run=str(uuid.uuid4()))
        if await self._may_wait(context.workspace, thread) and await self.pending(context.workspace, thread):
            entry = await self.entry(context.workspace, thread)
        before = BEFORE_WORK if plan_only else ()
        async for stamped in self._advance(entry, {"messages": [HumanMessage(goal)]}, before):
            yield stamped

    async def resume(
        self, workspace: str, thread: str, answer: Any | None, *, interrupt: str | None = None
    ) -> AsyncIterator[Stamped]:
        """Answer the open question, or carry an interrupted run on.

        Raises:
            UnknownThread: the workspace has no such thread.
            InvalidDecision: the answer does not fit; the question stays open.
            NothingPending: an answer came, but this question is not open.
        """
        entry = await self.entry(workspace, thread)
        pending = await self.pending(workspace, thread)
        if answer is None and pending:
            yield await self.tell(entry, _asked(pending))
            return
        if answer is None and entry.state == "ended":
            async for stamped in self._ending(workspace, entry):
                yield stamped
            return
        given: Any = _resumption(pending, answer, interrupt)
        if given is None:
            snapshot = await self._graph.aget_state(_config(workspace, thread))
            # Not `next`: it leaves out a node whose writes are stored and not yet in a checkpoint.
            if not snapshot.tasks and snapshot.values.get("run") == entry.run:
                yield await self._told_at_last(entry, Outcome.model_validate(snapshot.values["outcome"]))
                return
            if not snapshot.tasks:  # its process ended before the graph took the goal in
                given = {"messages": [HumanMessage(entry.goal)]}
        async for stamped in self._advance(entry, given, ()):
            yield stamped

    async def _told_at_last(self, entry: ThreadEntry, outcome: Outcome) -> Stamped:
        """Return how a run ended whose process was gone before it had told so."""
        with self.held(entry.context["workspace"], entry.thread):
            async for stamped in self._ending(entry.context["workspace"], entry):
                ending = stamped
                break
            else:
                ending = await self.tell(entry, RunFinished(outcome=outcome))
            await self._note(entry, "ended")
            await self._ended(entry)
        return ending

    async def _may_wait(self, workspace: str, thread: str) -> bool:
        """Return whether a thread can have an open question; asked first, because a new thread has no checkpoint."""
        try:
            return await self._records.get(_key(workspace, thread)) is not None
        except StorageAway:
            return True

    async def _ending(self, workspace: str, entry: ThreadEntry) -> AsyncIterator[Stamped]:
        """Yield how the last run of a thread ended, once more."""
        for stamped in reversed(await self.events(workspace, entry.thread)):
            if isinstance(stamped.event, RunFinished) and stamped.run == entry.run:
                yield stamped
                return

    async def entry(self, workspace: str, thread: str) -> ThreadEntry:
        """Return what is known about a thread, or raise `UnknownThread`."""
        found = await self._records.get(_key(workspace, thread))
        if found is None:
            msg = f"workspace {workspace!r} has no thread {thread!r}"
            raise UnknownThread(msg)
        return ThreadEntry.model_validate(found)

    async def entries(self, workspace: str) -> list[ThreadEntry]:
        """Return the workspace's threads, the last touched first."""
        found = [ThreadEntry.model_validate(value) for _, value in await self._records.scan(_key(workspace, ""))]
        return sorted(found, key=lambda entry: entry.updated, reverse=True)

    async def pending(self, workspace: str, thread: str) -> Pending | None:
        """Return the thread's open question, if there is one."""
        snapshot = await self._graph.aget_state(_config(workspace, thread))
        if not snapshot.interrupts:
            return None
        return Pending(interrupt=snapshot.interrupts[0].id, requests=snapshot.values["pending"])

    async def events(self, workspace: str, thread: str, *, after: int = 0) -> list[Stamped]:
        """Return the thread's events with a higher seq than `after`."""
        entries = await self._journal.read(workspace, thread, after=after)
        return [Stamped(seq=seq, **value) for seq, value in entries]

    async def forget(self, workspace: str, thread: str) -> None:
        """Delete a thread that is held for good: its checkpoints, its events and, when all else is gone, its entry."""
        if isinstance(self._graph.checkpointer, BaseCheckpointSaver):
            await self._graph.checkpointer.adelete_thread(checkpoint_thread(workspace, thread))
        await self._journal.forget(workspace, thread)
        await self._records.delete(_key(workspace, thread))

    @contextmanager
    def held(self, workspace: str, thread: str) -> Iterator[Brake]:
        """Keep a thread to oneself for the length of the block: no run of it goes on, and nobody else changes it.

        Raises:
            ThreadBusy: Somebody has it.
        """
        key = _key(workspace, thread)
        if key in self._brakes:
            msg = f"thread {thread!r} is busy; stop its run first, or wait for its end"
            raise ThreadBusy(msg)
        brake = self._brakes[key] = Brake()
        try:
            yield brake
        finally:
            del self._brakes[key]

    async def tell(self, entry: ThreadEntry, event: Event) -> Stamped:
        """Add an event to a run's log, from outside of the graph."""
        return (await self._stamped(entry, [("", event)]))[0]

    async def give_up(self, entry: ThreadEntry) -> None:
        """End a run that waits or was interrupted, for good: its place in the graph is forgotten, its events stay."""
        workspace = entry.context["workspace"]
        await self._note(entry, "ended")
        if isinstance(self._graph.checkpointer, BaseCheckpointSaver):
            await self._graph.checkpointer.adelete_thread(checkpoint_thread(workspace, entry.thread))
        await self._ended(entry)

    async def revise(self, entry: ThreadEntry, outcome: Outcome) -> None:
        """Put another outcome in place of the one that an ended run has; its thread shows the new one."""
        await self.tell(entry, RunFinished(outcome=outcome))
        config = _config(entry.context["workspace"], entry.thread)
        values = (await self._graph.aget_state(config)).values
        if values and values.get("run") == entry.run:
            await self._graph.aupdate_state(config, {"outcome": outcome.model_dump(mode="json")}, as_node="remember")

    def request_stop(self, reason: str, *, grace: float | None = None) -> None:
        """Stop every run at its next safe point, from which it can be resumed.

        Args:
            reason: In words, for the event.
            grace: Seconds after which a run is cut short that has not come to one; None waits for it.
        """
        for brake in self._brakes.values():
            brake.stop(reason, grace=grace)

    def cancel(self, workspace: str, thread: str, reason: str, *, grace: float | None = None) -> bool:
        """Stop the run of one thread, and return whether one was going on here."""
        brake = self._brakes.get(_key(workspace, thread))
        if brake is not None:
            brake.stop(reason, grace=grace)
        return brake is not None

    async def _advance(self, entry: ThreadEntry, given: Any, before: Sequence[str]) -> AsyncIterator[Stamped]:
        state: ThreadState = "stopped"
        with self.held(entry.context["workspace"], entry.thread) as brake:
            try:
                await self._note(entry, "running")
                async for told in self._events(entry, given, before, brake):
                    for stamped in await self._stamped(entry, told):
                        state = _state_after(stamped.event, state)
                        yield stamped
            finally:
                await self._note(entry, state)
                if state == "ended":
                    await self._ended(entry)

    async def _events(
        self, entry: ThreadEntry, given: Any, before: Sequence[str], brake: Brake
    ) -> AsyncIterator[list[tuple[str, Event]]]:
        """Yield the graph's events with the node they come from, and the stop in words of the domain.

        What has come meanwhile comes together, so that it is stored in one go.
        """
        config = _config(entry.context["workspace"], entry.thread) | {"run_id": uuid.UUID(entry.run)}
        stream = self._graph.astream(
            given, config, context=Context(**entry.context), stream_mode=["custom", "updates"],
            durability="sync", control=brake, interrupt_before=list(before),
        )  # fmt: skip
        try:
            async for chunks in brake.followed(stream):
                if told := [event for mode, chunk in chunks async for event in self._told(entry, mode, chunk)]:
                    yield told
        except GraphDrained as drained:
            yield [("", RunStopped(reason=brake.drain_reason or str(drained)))]
        except UnknownInterruptError as error:
            msg = "this question is not open any more"
            raise NothingPending(msg) from error
        except GraphRecursionError as error:
            msg = f"the run took more than {RECURSION_LIMIT} steps of the graph"
            raise LimitReached(msg) from error

    async def _told(self, entry: ThreadEntry, mode: str, chunk: Any) -> AsyncIterator[tuple[str, Event]]:
        """Yield what a chunk of the graph's stream says, if anything, with the node that it comes from."""
        if mode == "custom" and isinstance(chunk, dict):
            yield chunk["node"], chunk["event"]
        elif "__interrupt__" in chunk:
            pending = await self.pending(entry.context["workspace"], entry.thread)
            yield "", _asked(pending) if pending else RunStopped(reason="planned")

    async def _stamped(self, entry: ThreadEntry, told: Sequence[tuple[str, Event]]) -> list[Stamped]:
        """Store events, each with the node that it comes from, and return them as stored: nothing is shown before."""
        workspace, time = entry.context["workspace"], self._clock()
        stamp = {"time": time, "thread": entry.thread, "run": entry.run, "workspace": workspace}
        stamps = [stamp | {"namespace": node} for node, _ in told]
        bodies = [s | {"event": event.model_dump(mode="json")} for s, (_, event) in zip(stamps, told, strict=True)]
        last = await self._journal.append_many(workspace, entry.thread, bodies)
        numbered = enumerate(zip(stamps, told, strict=True), last - len(told) + 1)
        return [Stamped(seq=seq, **stamp, event=event) for seq, (stamp, (_, event)) in numbered]

    async def _note(self, entry: ThreadEntry, state: ThreadState) -> None:
        noted = entry.model_copy(update={"state": state, "updated": self._clock()})
        await self._records.put(_key(entry.context["workspace"], entry.thread), noted.model_dump(mode="json"))


def _asked(pending: Pending) -> ApprovalRequested:
    return ApprovalRequested(interrupt=pending.interrupt, requests=pending.requests)


def _resumption(pending: Pending | None, answer: Any | None, interrupt: str | None) -> Command[Any] | None:
    """Return what resumes the graph: the answer to its question by id, or nothing where it was merely interrupted."""
    if answer is None:
        return None
    if pending is None or (interrupt is not None and interrupt != pending.interrupt):
        msg = "this question is not open any more" if interrupt else "the thread has no open question"
        raise NothingPending(msg)
    decode(answer, pending.requests)
    return Command(resume={pending.interrupt: answer})


def _state_after(event: Event, state: ThreadState) -> ThreadState:
    if isinstance(event, RunFinished):
        return "ended"
    return "waiting" if isinstance(event, ApprovalRequested) else state


def _key(workspace: str, thread: str) -> str:
    return f"thread:{workspace}:{thread}"


def checkpoint_thread(workspace: str, thread: str) -> str:
    """Return the name of a workspace's thread among the checkpoints."""
    return f"{workspace}:{thread}"


def _config(workspace: str, thread: str) -> RunnableConfig:
    # A stale interrupt id would otherwise answer whatever question is open now.
    strict = {"__pregel_strict_resume": True}
    configurable = {"thread_id": checkpoint_thread(workspace, thread), **strict}
    return {"configurable": configurable, "recursion_limit": RECURSION_LIMIT}


def _checked_thread(thread: str | None) -> str:
    if thread is None:
        return uuid.uuid4().hex[:12]
    if not thread.isprintable() or not 0 < len(thread) <= 100:
        msg = f"{thread!r:.60} is not a usable thread name"
        raise InvalidGoal(msg)
    return thread
