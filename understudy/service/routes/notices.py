"""What people were told outside of a session, and what waits to be told."""

from typing import Annotated

from fastapi import APIRouter, Query

from understudy.service.bodies.notices import NoticeShown
from understudy.service.caller import Reader

router = APIRouter(prefix="/notices", tags=["notices"])


@router.get("")
async def list_notices(caller: Reader, limit: Annotated[int, Query(ge=1, le=500)] = 100) -> list[NoticeShown]:
    """List the workspace's notices: what waits first, then the latest."""
    return [NoticeShown.of(kept) for kept in await caller.orchestrator.notices(limit=limit)]
