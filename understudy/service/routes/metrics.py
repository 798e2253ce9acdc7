"""The metrics of this process, for Prometheus."""

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST

from understudy.identity.access import Identity
from understudy.identity.principals import EVERYWHERE
from understudy.service.caller import Auditor

router = APIRouter(tags=["metrics"])


@router.get("/metrics", response_class=PlainTextResponse)
async def show_metrics(caller: Auditor) -> PlainTextResponse:
    """Return the metrics as text; they count all workspaces, so who asks must be an auditor of all."""
    Identity.allow(caller.principal, EVERYWHERE, "audit")
    return PlainTextResponse(caller.installation.telemetry.metrics(), media_type=CONTENT_TYPE_LATEST)
