"""The experience that people have, in numbers."""

from typing import Annotated

from fastapi import APIRouter, Query

from understudy.service.bodies.experience import ExperienceShown
from understudy.service.caller import Reader

router = APIRouter(tags=["experience"])


@router.get("/experience")
async def show_experience(caller: Reader, weeks: Annotated[int, Query(ge=1, le=52)] = 4) -> ExperienceShown:
    """Return friction, speed and trust as they were measured, each with its target; null where nothing was."""
    return ExperienceShown.shown(await caller.orchestrator.experience(weeks=weeks))
