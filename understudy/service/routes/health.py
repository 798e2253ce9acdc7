"""Whether the process lives, and whether it can take requests; anybody may ask."""

from http import HTTPStatus

from fastapi import APIRouter, Request, Response

from understudy.service.bodies.system import HealthShown
from understudy.service.readiness import unready

router = APIRouter(prefix="/health", tags=["health"])


@router.get("/live")
async def live() -> HealthShown:
    """Say that the process lives."""
    return HealthShown(status="live")


@router.get("/ready", responses={503: {"model": HealthShown, "description": "requests should go elsewhere"}})
async def ready(request: Request, response: Response) -> HealthShown:
    """Say whether requests are taken; with 503, why they should go elsewhere."""
    if reasons := await unready(request.app.state.installation):
        response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
        return HealthShown(status="unready", reasons=reasons)
    return HealthShown(status="ready")
