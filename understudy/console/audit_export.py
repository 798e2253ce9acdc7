"""The audit as a file: lines with their hashes, which `understudy audit verify` checks anywhere."""

from collections.abc import AsyncIterator

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from domain.errors import UnderstudyError
from understudy.console.visits import caller_for, visit_of
from understudy.service.problems import status_of

_TYPE = "application/x-ndjson"


async def export_audit(request: Request) -> Response:
    """Return the audit of a workspace as a download; that it was taken out is its last entry."""
    try:
        visit = visit_of(request.scope)
        caller = await caller_for(visit, request.query_params.get("workspace") or None, "audit")
        lines = caller.orchestrator.audit.exported()
        first = await anext(lines)  # where the export cannot be noted, nothing leaves
    except UnderstudyError as error:
        return PlainTextResponse(str(error), status_of(error))
    name = f"audit-{caller.workspace}.jsonl"
    headers = {"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"}
    return StreamingResponse(_lines(first, lines), media_type=_TYPE, headers=headers)


async def _lines(first: str, rest: AsyncIterator[str]) -> AsyncIterator[str]:
    yield f"{first}\n"
    async for line in rest:
        yield f"{line}\n"
