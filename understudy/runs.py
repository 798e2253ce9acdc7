"""Runs: advance a thread of the graph to its next stop, keep its events, and know how to go on.

A thread is a conversation; each goal in it is a run. A run survives the process: its state is in the checkpointer,
its events in the journal, and its entry here says in which circumstances it was started and how it stands.
"""

import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import asdict
from typing import Any, Literal

from langchain_core.messages import HumanMessage
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.errors import GraphDrained, GraphRecursionError, UnknownInterruptError
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import RunControl
from langgraph.types import Command
from pydantic import BaseModel, ConfigDict

from domain.approvals import ActionRequest, decode
from domain.errors import InvalidGoal, LimitReached, NothingPending, StorageAway, UnknownThread, UserError
from domain.events import ApprovalRequested, EffectRecorded, Event, RunFinished, RunStopped, Stamped
from domain.goals import checked_goal
from graph.build import RECURSION_LIMIT
from graph.context import Context
from memory.journal import Journal
from memory.records import Records

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
    ) -> None:
        self._graph, self._records, self._journal, self._clock = graph, records, journal, clock
        self._controls: dict[str, RunControl] = {}

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
            yield await self._stamped(entry, "", _asked(pending))
            return
        if answer is None and entry.state == "ended":
            async for stamped in self._ending(workspace, thread):
                yield stamped
            return
        async for stamped in self._advance(entry, _resumption(pending, answer, interrupt), ()):
            yield stamped

    async def _may_wait(self, workspace: str, thread: str) -> bool:
        """Return whether a thread can have an open question; asked first, because a new thread has no checkpoint."""
        try:
            return await self._records.get(_key(workspace, thread)) is not None
        except StorageAway:
            return True

    async def _ending(self, workspace: str, thread: str) -> AsyncIterator[Stamped]:
        """Yield how the last run of a thread ended, once more."""
        for stamped in reversed(await self.events(workspace, thread)):
            if isinstance(stamped.event, RunFinished):
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

    async def forget(self, workspace: str, thread: str) -> list[str] | None:
        """Delete a thread for good: its entry, its events and its checkpoints.

        Returns:
            The keys of the external effects that its runs had, or None where the thread is not at its end: then nothing
            is deleted, because the run could not go on.
        """
        known = await self._records.get(_key(workspace, thread))
        if known is not None and ThreadEntry.model_validate(known).state != "ended":
            return None
        events = [stamped.event for stamped in await self.events(workspace, thread)]
        await self._journal.forget(workspace, thread)
        if isinstance(self._graph.checkpointer, BaseCheckpointSaver):
            await self._graph.checkpointer.adelete_thread(_config(workspace, thread)["configurable"]["thread_id"])
        await self._records.delete(_key(workspace, thread))
        return [event.key for event in events if isinstance(event, EffectRecorded)]

    def request_stop(self, reason: str) -> None:
        """Stop every run at its next safe point, from which it can be resumed."""
        for control in self._controls.values():
            control.request_drain(reason)

    async def _advance(self, entry: ThreadEntry, given: Any, before: Sequence[str]) -> AsyncIterator[Stamped]:
        key = _key(entry.context["workspace"], entry.thread)
        if key in self._controls:
            msg = f"thread {entry.thread!r} is busy with {entry.goal!r:.60}"
            raise ThreadBusy(msg)
        control = self._controls[key] = RunControl()
        state: ThreadState = "stopped"
        try:
            await self._note(entry, "running")
            async for node, event in self._events(entry, given, before, control):
                state = _state_after(event, state)
                yield await self._stamped(entry, node, event)
        finally:
            del self._controls[key]
            await self._note(entry, state)

    async def _events(
        self, entry: ThreadEntry, given: Any, before: Sequence[str], control: RunControl
    ) -> AsyncIterator[tuple[str, Event]]:
        """Yield the graph's events with the node they come from, and the stop in words of the domain."""
        config = _config(entry.context["workspace"], entry.thread) | {"run_id": uuid.UUID(entry.run)}
        stream = self._graph.astream(
            given, config, context=Context(**entry.context), stream_mode=["custom", "updates"],
            durability="sync", control=control, interrupt_before=list(before),
        )  # fmt: skip
        try:
            async for mode, chunk in stream:
                if mode == "custom" and isinstance(chunk, dict):
                    yield chunk["node"], chunk["event"]
                elif "__interrupt__" in chunk:
                    pending = await self.pending(entry.context["workspace"], entry.thread)
                    yield "", _asked(pending) if pending else RunStopped(reason="planned")
        except GraphDrained as drained:
            yield "", RunStopped(reason=str(drained))
        except UnknownInterruptError as error:
            msg = "this question is not open any more"
            raise NothingPending(msg) from error
        except GraphRecursionError as error:
            msg = f"the run took more than {RECURSION_LIMIT} steps of the graph"
            raise LimitReached(msg) from error

    async def _stamped(self, entry: ThreadEntry, node: str, event: Event) -> Stamped:
        stamp = {
            "time": self._clock(),
            "thread": entry.thread,
            "run": entry.run,
            "workspace": entry.context["workspace"],
            "namespace": node,
        }
        body = stamp | {"event": event.model_dump(mode="json")}
        seq = await self._journal.append(stamp["workspace"], entry.thread, body)
        return Stamped(seq=seq, **stamp, event=event)

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


def _config(workspace: str, thread: str) -> RunnableConfig:
    # A stale interrupt id would otherwise answer whatever question is open now.
    strict = {"__pregel_strict_resume": True}
    return {"configurable": {"thread_id": f"{workspace}:{thread}", **strict}, "recursion_limit": RECURSION_LIMIT}


def _checked_thread(thread: str | None) -> str:
    if thread is None:
        return uuid.uuid4().hex[:12]
    if not thread.isprintable() or not 0 < len(thread) <= 100:
        msg = f"{thread!r:.60} is not a usable thread name"
        raise InvalidGoal(msg)
    return thread
