"""The graph's side of threads: where one stands in the graph, and what the graph streams, in words of the domain."""

import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.errors import GraphDrained, GraphRecursionError, UnknownInterruptError
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import StateSnapshot
from langsmith import tracing_context

from domain.approvals import REFUSED, ActionRequest, asked_again
from domain.errors import LimitReached, NothingPending
from domain.events import ApprovalRequested, Event, RunStopped, TextStreamed
from domain.outcomes import Outcome
from graph.build import RECURSION_LIMIT
from graph.context import Context
from understudy.stopping import Brake
from understudy.stored import context_of
from understudy.threads import Pending, ThreadEntry, checkpoint_thread
from understudy.untraced import untraced

Told = list[tuple[str, Event]]
"""Events with the node that each comes from."""
Hear = Callable[[TextStreamed], None]
"""Tells what a model writes to those who watch now."""
Ask = Callable[[Pending], Awaitable[None]]
"""Opens the question of an interrupt; is awaited before anybody is told of it."""


class GraphThreads:
    """Threads of one graph that was compiled with a checkpointer."""

    def __init__(self, graph: CompiledStateGraph[Any, Context, Any, Any]) -> None:
        self._graph = graph

    async def snapshot(self, workspace: str, thread: str) -> StateSnapshot:
        """Return where a thread stands."""
        return await self._graph.aget_state(_config(workspace, thread))

    async def stream(
        self, entry: ThreadEntry, given: Any, brake: Brake, ask: Ask, *, hear: Hear, before: Sequence[str] = ()
    ) -> AsyncGenerator[Told]:
        """Advance a thread to its next stop, and yield what is told on the way and of the stop.

        What has come meanwhile comes together, so that it is stored in one go.

        Args:
            entry: The thread.
            given: What the graph goes on with; None carries on.
            brake: Stops it.
            ask: Opens the question at which it stops.
            hear: Is given what is told and not kept, in its place among the rest.
            before: Nodes before which it stops.

        Raises:
            NothingPending: `given` answers a question that is not open.
            LimitReached: It took too many steps.
        """
        config = _config(entry.workspace, entry.thread) | {"run_id": uuid.UUID(entry.run)}
        stream = untraced(self._graph.astream(
            given, config, context=context_of(entry.context), stream_mode=["custom", "updates"],
            durability="sync", control=brake, interrupt_before=list(before),
        ))  # fmt: skip
        stopped = False
        try:
            async for chunks in brake.followed(stream):
                stopped = stopped or any(mode == "updates" and "__interrupt__" in chunk for mode, chunk in chunks)
                told: Told = []
                for node, event in _told(chunks):
                    if not isinstance(event, TextStreamed):
                        told.append((node, event))
                        continue
                    if told:  # before it: a listener is told in the order in which it happened
                        yield told
                        told = []
                    hear(event)
                if told:
                    yield told
            if stopped:  # only now: the graph tells of an interrupt before it is stored, and waits for that at its end
                yield [("", await self._asked(entry, ask))]
        except GraphDrained as drained:
            yield [("", RunStopped(reason=brake.drain_reason or str(drained)))]
        except UnknownInterruptError as error:
            msg = "this question is not open any more"
            raise NothingPending(msg) from error
        except GraphRecursionError as error:
            msg = f"the run took more than {RECURSION_LIMIT} steps of the graph"
            raise LimitReached(msg) from error

    async def _asked(self, entry: ThreadEntry, ask: Ask) -> Event:
        """Return what is told of a stop: that a person is asked, or that it stopped as it should."""
        opened = interrupt_of(await self.snapshot(entry.workspace, entry.thread))
        if opened is None:
            return RunStopped(reason="planned")
        await ask(opened)
        return requested(opened)

    async def revise(self, entry: ThreadEntry, outcome: Outcome) -> None:
        """Put another outcome in place of the one that an ended run has, if it is its thread's latest."""
        config = _config(entry.workspace, entry.thread)
        values = (await self._graph.aget_state(config)).values
        if values and values.get("run") == entry.run:
            with tracing_context(enabled=False):
                await self._graph.aupdate_state(
                    config, {"outcome": outcome.model_dump(mode="json")}, as_node="remember"
                )

    async def history(self, workspace: str, thread: str, *, limit: int) -> list[StateSnapshot]:
        """Return where a thread stood, the latest first."""
        return [snapshot async for snapshot in self._graph.aget_state_history(_config(workspace, thread), limit=limit)]

    async def rewind(self, entry: ThreadEntry) -> None:
        """Let a thread stand where it stood before a run; one that began with it is deleted."""
        with tracing_context(enabled=False):
            async for snapshot in self._graph.aget_state_history(_config(entry.workspace, entry.thread)):
                if snapshot.values and snapshot.values.get("run") != entry.run and not snapshot.next:
                    await self._graph.aupdate_state(snapshot.config, None, as_node="__copy__")
                    return
        await self.forget(entry.workspace, entry.thread)

    async def forget(self, workspace: str, thread: str) -> None:
        """Delete a thread's checkpoints."""
        if isinstance(self._graph.checkpointer, BaseCheckpointSaver):
            await self._graph.checkpointer.adelete_thread(checkpoint_thread(workspace, thread))


def _told(chunks: Sequence[tuple[str, Any]]) -> Iterator[tuple[str, Event | TextStreamed]]:
    """Yield what nodes tell, each with its node."""
    for mode, chunk in chunks:
        if mode == "custom" and isinstance(chunk, dict):
            yield chunk["node"], chunk["event"]


def interrupt_of(snapshot: StateSnapshot) -> Pending | None:
    """Return what a thread waits for in the graph."""
    if not snapshot.interrupts:
        return None
    [stopped, *_] = snapshot.interrupts
    requests = [ActionRequest.model_validate(value) for value in snapshot.values["pending"]]
    refused = stopped.value.get(REFUSED, "")
    return Pending(interrupt=stopped.id, requests=asked_again(requests, refused) if refused else requests)


def requested(pending: Pending) -> ApprovalRequested:
    """Return the event that says that a person is asked."""
    return ApprovalRequested(interrupt=pending.interrupt, requests=pending.requests)


def _config(workspace: str, thread: str) -> RunnableConfig:
    # A stale interrupt id would otherwise answer whatever question is open now.
    strict = {"__pregel_strict_resume": True}
    configurable = {"thread_id": checkpoint_thread(workspace, thread), **strict}
    return {"configurable": configurable, "recursion_limit": RECURSION_LIMIT}
