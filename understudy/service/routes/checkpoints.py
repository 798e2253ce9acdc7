"""Checkpoints: where a run pauses for a person, is told about, or ends."""

from typing import Annotated

from fastapi import APIRouter, Path

from domain.verdicts import CheckpointVerdict
from memory.checkpoints import CheckpointVersion
from understudy.service.bodies.rules import CheckpointShown, CheckpointWanted, Measured
from understudy.service.caller import Manager, Reader

router = APIRouter(prefix="/checkpoints", tags=["checkpoints"])
Name = Annotated[str, Path(min_length=1, max_length=100, description="Name of a checkpoint.")]


@router.get("")
async def list_checkpoints(caller: Reader) -> list[CheckpointShown]:
    """Return every checkpoint that stands for the team: its own, then those of the workspace."""
    return [
        CheckpointShown(checkpoint=posted.checkpoint, origin=origin, unreadable=posted.unreadable)
        for posted, origin in await caller.orchestrator.checkpoints.listed()
    ]


@router.post("", status_code=201)
async def add_checkpoint(caller: Manager, wanted: CheckpointWanted) -> CheckpointVersion:
    """Put a checkpoint of the workspace in force; one of the same name is replaced."""
    orchestrator = caller.orchestrator
    return await orchestrator.checkpoints.add(wanted.checkpoint, orchestrator.person, every_team=wanted.every_team)


@router.get("/history")
async def show_history(caller: Reader) -> list[CheckpointVersion]:
    """Return every version of every checkpoint of the workspace, oldest first."""
    return await caller.orchestrator.checkpoints.history()


@router.delete("/{name}")
async def remove_checkpoint(caller: Manager, name: Name) -> CheckpointVersion:
    """Put a checkpoint of the workspace out of force; the team's are changed in its file."""
    return await caller.orchestrator.checkpoints.remove(name, caller.orchestrator.person)


@router.post("/{name}/evaluate")
async def evaluate_checkpoint(caller: Reader, name: Name, measured: Measured) -> CheckpointVerdict:
    """Return what a checkpoint says about values by the name of the measure; nobody is asked or told."""
    return await caller.orchestrator.evaluate_checkpoint(name, measured.data)
