"""Conversations: listed, shown, followed, exported and forgotten."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from fastapi.responses import PlainTextResponse
from pydantic import BaseModel
from sse_starlette import EventSourceResponse

from domain.events import Explained
from understudy.exporting import exported_markdown
from understudy.service.bodies.memory import ForgottenShown
from understudy.service.caller import Manager, Reader, Runner
from understudy.service.models import Drawn, NewThread, QuestionAsked, State, Thread, Title
from understudy.service.streaming import AS_STREAM, LAST_NUMBER, Format, LastEventId, is_end, last_seen, seen, streamed
from understudy.threads import Pending, ThreadState, checked_thread

router = APIRouter(prefix="/threads", tags=["threads"])
ThreadId = Annotated[str, Path(max_length=100)]
After = Annotated[int, Query(ge=0, le=LAST_NUMBER)]
Limit = Annotated[int, Query(ge=1, le=500)]


class Told(BaseModel):
    """Stored events of a conversation."""

    events: list[dict[str, object]]
    """Each flat, as in streams."""


class MarkdownResponse(PlainTextResponse):
    """A text in Markdown."""

    media_type = "text/markdown"


@router.post("", status_code=201)
async def create(caller: Runner, new: NewThread) -> Drawn:
    """Draw, or check, the name of a conversation; it begins with its first run."""
    return Drawn(thread=checked_thread(new.thread))


@router.get("")
async def find(caller: Reader, state: ThreadState | None = None, limit: Limit = 100) -> list[Thread]:
    """List the workspace's conversations, the last touched first."""
    entries, titles = await caller.orchestrator.threads(), await caller.orchestrator.titles()
    found = [entry for entry in entries if state in (None, entry.state)]
    return [Thread.of(entry, titles.get(entry.thread, "")) for entry in found[:limit]]


@router.get("/{thread}")
async def get(caller: Reader, thread: ThreadId) -> Thread:
    """Show a conversation."""
    entry = await caller.orchestrator.steering.entry(thread)
    return Thread.of(entry, await caller.orchestrator.title(thread))


@router.put("/{thread}/title")
async def rename(caller: Runner, thread: ThreadId, given: Title) -> Thread:
    """Call a conversation something; empty: by its goal again."""
    await caller.orchestrator.rename_thread(thread, given.title)
    return await get(caller, thread)


@router.post("/{thread}/ask")
async def ask(caller: Runner, thread: ThreadId, asked: QuestionAsked) -> Explained:
    """Answer a question about the latest run of a conversation, which goes on, waits or rests as it does."""
    return await caller.orchestrator.ask_about(thread, asked.question)


@router.delete("/{thread}")
async def forget(caller: Manager, thread: ThreadId) -> ForgottenShown:
    """Forget a conversation for good, with everything that its runs left."""
    return ForgottenShown.of(await caller.orchestrator.forget_thread(thread))


@router.get("/{thread}/state")
async def state(caller: Reader, thread: ThreadId) -> State:
    """Show where a conversation stands in the graph."""
    return State.of(await caller.orchestrator.snapshot(thread))


@router.get("/{thread}/history")
async def history(caller: Reader, thread: ThreadId, limit: Annotated[int, Query(ge=1, le=100)] = 20) -> list[State]:
    """Show where a conversation stood, the latest first."""
    return [State.of(snapshot) for snapshot in await caller.orchestrator.history(thread, limit=limit)]


@router.get("/{thread}/pending")
async def pending(caller: Reader, thread: ThreadId) -> Pending | None:
    """Show the open question of a conversation."""
    return await caller.orchestrator.pending(thread)


@router.get("/{thread}/events")
async def events(caller: Reader, thread: ThreadId, after: After = 0, limit: Limit = 500) -> Told:
    """Return stored events with a number above `after`, the oldest first."""
    found = await caller.orchestrator.events(thread, after=after, limit=limit)
    return Told(events=[stamped.flat() for stamped in found])


@router.get("/{thread}/export", response_class=MarkdownResponse)
async def export(caller: Reader, thread: ThreadId) -> MarkdownResponse:
    """Return a conversation as Markdown."""
    return MarkdownResponse(await exported_markdown(caller.orchestrator, thread))


@router.get(
    "/{thread}/stream",
    response_class=EventSourceResponse,
    responses={**AS_STREAM, 204: {"description": "The run came to its end at the event that was seen last."}},
)
async def stream(
    caller: Reader,
    thread: ThreadId,
    after: After = 0,
    run: Annotated[str | None, Query(max_length=100, description="Ends the stream where this run stops.")] = None,
    format: Format = "understudy",
    last_event_id: LastEventId = None,
) -> Response:
    """Follow a conversation: what is stored, then what comes; whoever was cut off joins again with Last-Event-ID."""
    await caller.orchestrator.steering.entry(thread)
    place = seen(last_event_id, after)
    if is_end(await last_seen(caller.orchestrator, thread, place), run):
        return Response(status_code=HTTPStatus.NO_CONTENT)
    ping = caller.installation.settings.service.ping_seconds
    return streamed(caller.orchestrator, thread, seen=place, run=run, form=format, ping=ping)
