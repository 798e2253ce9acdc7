"""Having runs go on: here, where this process works, or wherever a worker takes them up."""

import asyncio
import uuid
from typing import Any, Literal, NamedTuple, Protocol

from domain.approvals import could_decide
from domain.errors import Forbidden
from domain.goals import checked_goal
from understudy.durable.engine import started
from understudy.durable.fences import ThreadBusy
from understudy.durable.queue import Order
from understudy.orchestrator import Orchestrator
from understudy.steering import Steering
from understudy.telemetry.spans import incoming
from understudy.telemetry.tracing import INCOMING
from understudy.threads import checked_thread

Strategy = Literal["reject", "enqueue", "interrupt", "rollback"]
"""What happens to a goal for a thread in which a run is going on: it is refused; it waits; the run is stopped where it
is, and its progress kept; the run is stopped, also where it waits for a person, and the conversation is as it was
before."""


class Begin(Protocol):
    """Takes an order that is to be carried out as soon as it can be."""

    async def __call__(self, order: Order) -> None:
        """Take it; when this returns it will be carried out, whatever becomes of this process."""


class Started(NamedTuple):
    """A run that goes on somewhere."""

    thread: str
    run: str
    after: int
    """Number of the thread's last event before it."""


class Dispatch:
    """Starts, resumes and stops runs on behalf of whoever asks."""

    def __init__(self, begin: Begin) -> None:
        self._begin = begin

    async def start(
        self,
        orchestrator: Orchestrator,
        goal: str,
        *,
        thread: str | None = None,
        run: str | None = None,
        strategy: Strategy = "reject",
        plan_only: bool = False,
        may_answer: bool,
    ) -> Started:
        """Have a goal run; doing so twice with the same run id starts it once.

        Args:
            orchestrator: Of whoever asks.
            goal: What should be done.
            thread: The conversation; None begins one.
            run: A UUID; None draws one.
            strategy: What happens where a run is going on in the thread.
            plan_only: Stop before anything of the plan is done.
            may_answer: Whether whoever asks may decide on questions: in a thread that waits, "yes" is a decision.

        Raises:
            Forbidden: The goal could be a decision, also on a question that is only about to be asked.
            InvalidGoal: The goal, or the thread's name, is not usable.
            ThreadBusy: A run is going on, and the strategy is `reject`; or it did not stop in time.
        """
        goal, name, steering = checked_goal(goal), checked_thread(thread), orchestrator.steering
        if thread is not None and not may_answer and could_decide(goal):
            msg = "this could decide on what the thread asks, and you may not approve"
            raise Forbidden(msg)
        if run is not None and (before := await steering.started_after(name, run)) is not None:
            return Started(name, run, before)
        run = run or str(uuid.uuid4())
        after = await orchestrator.last_event(name) if thread is not None else 0
        if thread is not None:
            await self._made_way(steering, name, run, strategy)
        waiting, _ = await asyncio.gather(
            steering.waiting_run(name), steering.accept(name, run, goal, orchestrator.context)
        )
        order = started(goal, orchestrator.context, name, run, plan_only=plan_only, traceparent=_traceparent())
        await self._begin(order)
        return Started(name, waiting or run, after)

    async def _made_way(self, steering: Steering, thread: str, run: str, strategy: Strategy) -> None:
        """Do with a run that is going on what the strategy says, and keep the thread for the one to come."""
        if strategy == "enqueue" and await steering.is_going(thread):
            return
        if strategy == "interrupt":
            await steering.stop(thread)
        elif strategy == "rollback":
            was_going = await steering.stop(thread, grace=0.0)
            if was_going or await steering.waiting_run(thread) is not None:
                await steering.rewind(thread)
        await steering.claim(thread, run)

    async def resume(
        self, orchestrator: Orchestrator, thread: str, answer: Any | None = None, *, interrupt: str | None = None
    ) -> Started:
        """Answer the open question of a thread, or carry a run on that was stopped.

        Raises:
            UnknownThread: The workspace has no such thread.
            NothingPending: An answer came, but the thread has no open question, or another one than was meant.
            InvalidDecision: The answer does not fit; the question stays open.
            ThreadBusy: A run is going on in the thread.
        """
        after, steering = await orchestrator.last_event(thread), orchestrator.steering
        if answer is not None:
            question = await steering.answered(thread, answer, interrupt=interrupt)
            why: dict[str, Any] = {"question": question.id}
            order = question.id
        elif await steering.is_going(thread):
            msg = f"a run is going on in thread {thread!r}"
            raise ThreadBusy(msg)
        else:
            why, order = await steering.wake(thread), str(uuid.uuid4())
        entry = await steering.entry(thread)
        why = why | {"run": entry.run} | ({"traceparent": trace} if (trace := _traceparent()) else {})
        await self._begin(Order(order, entry.workspace, thread, why))
        return Started(thread, entry.run, after)

    async def go_on(self, orchestrator: Orchestrator, question: str) -> None:
        """Have the run of a question go on that was decided elsewhere; one that still wants more stays where it is."""
        found = await orchestrator.question(question)
        if orchestrator.steering.is_decided(found):
            why = {"question": found.id, "run": found.run}
            await self._begin(Order(found.id, found.workspace, found.thread, why))

    async def stop(self, orchestrator: Orchestrator, thread: str, *, grace: float | None = None) -> bool:
        """Stop the run of a thread at its next safe point, wherever it goes on, and return whether one did.

        Args:
            orchestrator: Of whoever asks.
            thread: The conversation.
            grace: Seconds after which what is still going on is cut short; None waits for it.

        Raises:
            UnknownThread: The workspace has no such thread.
        """
        await orchestrator.steering.entry(thread)
        return await orchestrator.steering.stop(thread, grace=grace)


def _traceparent() -> str | None:
    """Return the trace of the request that is being answered, for whoever carries its order out; None without one."""
    given = INCOMING.get()
    return given if given and incoming(given) else None
