"""What a workspace remembers: looked at, searched, drawn, forgotten, taken out and brought in."""

from collections.abc import Iterator
from typing import Annotated

from fastapi import APIRouter, Body, Path, Query
from fastapi.responses import StreamingResponse

from domain.errors import InvalidImport, UnknownTask
from memory.scopes import Entry
from memory.task_record import TaskRecord
from understudy.service.bodies.memory import ForgottenShown, ImportedShown, PlaceShown, RecipeShown, TasksShown
from understudy.service.caller import Manager, Reader
from understudy.service.lines import AS_LINES, LINES

router = APIRouter(prefix="/memory", tags=["memory"])
Limit = Annotated[int, Query(ge=1, le=500)]
Task = Annotated[str, Path(pattern="^[0-9a-f]{32}$", description="Id of a remembered task.")]


@router.get("/tasks")
async def list_tasks(
    caller: Reader,
    *,
    text: Annotated[str | None, Query(min_length=1, max_length=2000, description="Search for tasks like this.")] = None,
    limit: Limit = 50,
    offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
) -> TasksShown:
    """Return the remembered tasks, the latest first; or those nearest to a text, with their similarity."""
    memory, workspace = caller.orchestrator.memory, caller.workspace
    total = await memory.count(workspace)
    if text is not None:
        near = await memory.search(workspace, text, limit)
        return TasksShown(tasks=[], near=list(near), total=total, next=None)
    tasks = await memory.latest(workspace, limit=limit, offset=offset)
    more = offset + limit if offset + limit < total else None
    return TasksShown(tasks=list(tasks), near=[], total=total, next=more)


@router.get("/tasks/{task}")
async def show_task(caller: Reader, task: Task) -> TaskRecord:
    """Return a remembered task with its plan and how its runs ended."""
    found = await caller.orchestrator.memory.get(caller.workspace, task)
    if found is None:
        raise _unknown(caller.workspace, task)
    return found


@router.delete("/tasks/{task}")
async def forget_task(caller: Manager, task: Task) -> ForgottenShown:
    """Forget a task for good, with everything that was learnt from it and the threads that it was done in."""
    forgotten = await caller.orchestrator.forget(task)
    if not (forgotten.there or forgotten.threads):
        raise _unknown(caller.workspace, task)
    return ForgottenShown.of(forgotten)


@router.get("/recipes")
async def list_recipes(caller: Reader) -> list[RecipeShown]:
    """Return the patterns of goals that were recognised, and which of them may be used as recipes."""
    return [RecipeShown.of(each) for each in await caller.orchestrator.lessons.recipes.patterns(caller.workspace)]


@router.get("/map")
async def draw_map(caller: Reader, limit: Annotated[int, Query(ge=1, le=2000)] = 500) -> list[PlaceShown]:
    """Return where the latest tasks stand in a picture in which similar goals are near to each other."""
    return [
        PlaceShown(
            task=record.id, goal=record.goal, team=record.team, sequence=record.sequence, success=record.last_success,
            runs=record.successes + record.failures, quality=record.quality, updated=record.updated, x=x, y=y,
        )
        for record, x, y in await caller.orchestrator.memory.placed(caller.workspace, limit=limit)
    ]  # fmt: skip


@router.get("/state")
async def show_state(
    caller: Reader, thread: Annotated[str | None, Query(min_length=1, max_length=200)] = None
) -> list[Entry]:
    """Return the working state of the workspace, or of one conversation, outermost scope first."""
    return await caller.orchestrator.state(thread)


@router.post("/export", responses=AS_LINES, response_class=StreamingResponse)
async def export_tasks(caller: Manager, *, unredacted: bool = False) -> StreamingResponse:
    """Return the tasks as JSON lines, to keep elsewhere or to give to another memory; that it left is in the audit."""
    lines = await caller.orchestrator.exported(unredacted=unredacted)
    return StreamingResponse(_ended(lines), media_type=LINES)


@router.post("/import")
async def import_tasks(caller: Manager, lines: Annotated[bytes, Body(media_type=LINES)]) -> ImportedShown:
    """Add exported tasks, one JSON object a line, marked as imported; with one mistake nothing is taken in."""
    try:
        text = lines.decode()
    except UnicodeDecodeError as error:
        msg = "the lines are not UTF-8"
        raise InvalidImport(msg) from error
    # Not `splitlines`: goals may hold other separators of lines, which JSON leaves as they are.
    return ImportedShown.of(await caller.orchestrator.imported(text.split("\n")))


def _ended(lines: list[str]) -> Iterator[str]:
    return (f"{line}\n" for line in lines)


def _unknown(workspace: str, task: str) -> UnknownTask:
    return UnknownTask(f"workspace {workspace!r} remembers no task {task!r:.60}")
