"""The audit: what was decided and done, by whom and why; looked at, checked, and taken out."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from domain.audit import AuditKind, parsed_anchor
from understudy.auditing import Wanted
from understudy.service.bodies.audit import AnchorShown, CheckedShown, NotedShown
from understudy.service.caller import Auditor
from understudy.service.lines import AS_LINES, LINES

router = APIRouter(prefix="/audit", tags=["audit"])
Word = Annotated[str, Query(max_length=200)]


@router.get("")
async def show_audit(
    caller: Auditor,
    *,
    run: Word = "",
    thread: Word = "",
    kind: AuditKind | None = None,
    who: Word = "",
    since: Annotated[float, Query(ge=0, le=1e11, description="Unix time in seconds.")] = 0.0,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> list[NotedShown]:
    """Return the latest entries that are wanted, the newest first; what is left out asks for nothing."""
    wanted = Wanted(run=run, thread=thread, kind=kind or "", who=who, since=since, limit=limit)
    return [NotedShown.of(noted) for noted in await caller.orchestrator.audit.shown(wanted)]


@router.get("/head")
async def show_head(caller: Auditor) -> AnchorShown:
    """Return the number and hash of the last entry, to keep elsewhere and to check against later."""
    return AnchorShown.of(await caller.orchestrator.audit.head())


@router.get("/verify")
async def verify_audit(
    caller: Auditor,
    against: Annotated[
        list[str] | None, Query(max_length=20, description="Places kept elsewhere, each as SEQ:HASH.")
    ] = None,
) -> CheckedShown:
    """Check the chain from its first entry to its last, and against places that were kept elsewhere."""
    return CheckedShown.of(await caller.orchestrator.audit.verified([parsed_anchor(text) for text in against or ()]))


@router.post("/export", responses=AS_LINES, response_class=StreamingResponse)
async def export_audit(caller: Auditor) -> StreamingResponse:
    """Return the audit as JSON lines that can be checked anywhere; that it was taken out is its last entry."""
    lines = caller.orchestrator.audit.exported()
    first = await anext(lines)  # before the answer begins: where it cannot be noted, nothing leaves
    return StreamingResponse(_ended(first, lines), media_type=LINES)


async def _ended(first: str, lines: AsyncIterator[str]) -> AsyncIterator[str]:
    yield f"{first}\n"
    async for line in lines:
        yield f"{line}\n"
