"""Runs: started, watched, resumed and stopped."""

from contextlib import aclosing
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from sse_starlette import EventSourceResponse

from domain.errors import InvalidRequest
from domain.events import Stamped, comes_to_rest
from understudy.service.caller import Caller, Runner
from understudy.service.dispatch import Started
from understudy.service.idempotency import run_id
from understudy.service.models import Accepted, Message, NewRun, Result, Resumption, Stop, Stopped
from understudy.service.routes.threads import ThreadId
from understudy.service.streaming import AS_STREAM, Format, LastEventId, Seen, last_seen, seen, streamed

router = APIRouter(tags=["runs"])


def _run_id(request: Request) -> str | None:
    """Return the id of the run that a request starts, so that the same request never starts two."""
    key = getattr(request.state, "idempotency", None)
    return run_id(key) if key else None


Run = Annotated[str | None, Depends(_run_id)]


@router.post("/threads/{thread}/runs", status_code=202)
async def start(caller: Runner, thread: ThreadId, new: NewRun, run: Run) -> Accepted:
    """Have a goal run in a conversation; it goes on whether anybody watches or not."""
    return Accepted.of(await _started(caller, new, thread, run))


@router.post("/threads/{thread}/runs/wait")
async def start_and_wait(caller: Runner, thread: ThreadId, new: NewRun, run: Run) -> Result:
    """Have a goal run, and answer when it ends, waits for a person or is stopped."""
    return await _result(caller, await _started(caller, new, thread, run))


@router.post("/threads/{thread}/runs/stream", response_class=EventSourceResponse, responses=AS_STREAM)
async def start_and_stream(
    caller: Runner,
    thread: ThreadId,
    new: NewRun,
    run: Run,
    format: Format = "understudy",
    last_event_id: LastEventId = None,
) -> EventSourceResponse:
    """Have a goal run and follow it until it ends, waits for a person or is stopped."""
    place = await _place(caller, thread, last_event_id)
    return _stream(caller, await _started(caller, new, thread, run), format, place)


@router.post("/runs/stream", response_class=EventSourceResponse, responses=AS_STREAM)
async def stream(caller: Runner, new: NewRun, run: Run, format: Format = "understudy") -> EventSourceResponse:
    """Have a goal run in a conversation of its own and follow it."""
    return _stream(caller, await _started(caller, new, None, run), format, None)


@router.post("/chat/stream", response_class=EventSourceResponse, responses=AS_STREAM)
async def chat(
    caller: Runner, said: Message, run: Run, format: Format = "understudy", last_event_id: LastEventId = None
) -> EventSourceResponse:
    """Say something in a conversation, or begin one, and follow what comes of it."""
    new = NewRun(goal=said.message, strategy=said.strategy)
    place = await _place(caller, said.thread, last_event_id)
    return _stream(caller, await _started(caller, new, said.thread, run), format, place)


@router.post("/threads/{thread}/resume", status_code=202)
async def resume(caller: Runner, thread: ThreadId, given: Resumption) -> Accepted:
    """Carry a run on that was stopped, or answer its open question, which takes an approver."""
    return Accepted.of(await _resumed(caller, thread, given))


@router.post("/threads/{thread}/resume/stream", response_class=EventSourceResponse, responses=AS_STREAM)
async def resume_and_stream(
    caller: Runner,
    thread: ThreadId,
    given: Resumption,
    format: Format = "understudy",
    last_event_id: LastEventId = None,
) -> EventSourceResponse:
    """As `resume`, and follow what comes of it."""
    place = await _place(caller, thread, last_event_id)
    return _stream(caller, await _resumed(caller, thread, given), format, place)


@router.post("/threads/{thread}/cancel")
async def cancel(caller: Runner, thread: ThreadId, how: Stop) -> Stopped:
    """Stop the run of a conversation at its next safe point, on whatever node; it can be resumed."""
    stopped = await caller.installation.dispatch.stop(caller.orchestrator, thread, grace=how.grace)
    return Stopped(was_going=stopped)


async def _started(caller: Caller, new: NewRun, thread: str | None, run: str | None) -> Started:
    return await caller.installation.dispatch.start(
        caller.orchestrator, new.goal, thread=thread, run=run, strategy=new.strategy, plan_only=new.plan_only,
        may_answer=caller.may_answer,
    )  # fmt: skip


async def _resumed(caller: Caller, thread: str, given: Resumption) -> Started:
    """Resume a run; who may run but not approve may only carry on."""
    installation = caller.installation
    if given.answer is not None:
        installation.identity.allow(caller.principal, caller.workspace, "approve")
    return await installation.dispatch.resume(
        caller.orchestrator, thread, given.answer, interrupt=given.interrupt
    )  # fmt: skip


async def _place(caller: Caller, thread: str | None, last_event_id: str | None) -> Seen | None:
    """Return up to where a conversation was seen, before anything is begun; None: up to what is begun."""
    if not last_event_id:
        return None
    if thread is None:
        msg = "Last-Event-ID is of a conversation; name it"
        raise InvalidRequest(msg)
    place = seen(last_event_id, 0)
    await last_seen(caller.orchestrator, thread, place)
    return place


def _stream(caller: Caller, started: Started, form: Format, place: Seen | None) -> EventSourceResponse:
    place = place or Seen(started.after)
    ping = caller.installation.settings.service.ping_seconds
    return streamed(caller.orchestrator, started.thread, seen=place, run=started.run, form=form, ping=ping)


async def _result(caller: Caller, started: Started) -> Result:
    async with aclosing(caller.orchestrator.follow(started.thread, after=started.after)) as followed:
        async for told in followed:
            if isinstance(told, Stamped) and told.run == started.run and comes_to_rest(told.event):
                await caller.orchestrator.steering.comes_to_rest(started.thread)
                return Result.of(told)
    raise AssertionError("following a thread never ends by itself")
