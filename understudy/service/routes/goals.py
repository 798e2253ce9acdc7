"""What a workspace wants to reach, and how far it has come."""

from typing import Annotated

from fastapi import APIRouter, Path

from understudy.service.bodies.goals import GoalWanted
from understudy.service.caller import Manager, Reader
from understudy.strategy_goals import Progress

router = APIRouter(prefix="/goals", tags=["goals"])
GoalId = Annotated[str, Path(pattern="^[a-z0-9]{1,32}$", description="Id of a goal.")]


@router.get("")
async def list_goals(caller: Reader) -> list[Progress]:
    """Return every goal with its measure as it is now, and how far it has come."""
    return await (await caller.orchestrator.goals()).listed()


@router.post("", status_code=201)
async def set_goal(caller: Manager, wanted: GoalWanted) -> Progress:
    """Set a goal; what its measure is now is kept as the baseline."""
    return await (await caller.orchestrator.goals()).create(**wanted.model_dump())


@router.get("/{goal}")
async def show_goal(caller: Reader, goal: GoalId) -> Progress:
    """Return a goal with its measure as it is now."""
    return await (await caller.orchestrator.goals()).get(goal)


@router.delete("/{goal}", status_code=204)
async def delete_goal(caller: Manager, goal: GoalId) -> None:
    """Delete a goal."""
    await (await caller.orchestrator.goals()).delete(goal)
