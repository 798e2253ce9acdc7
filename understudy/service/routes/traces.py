"""Runs of the past: what happened in them, and taking back what they changed."""

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import Field

from domain.approvals import Decision
from graph.trace import Trace
from understudy.past import Undone
from understudy.service.bodies.approvals import DecisionAsked
from understudy.service.bodies.base import Asked
from understudy.service.caller import Reader, Runner

router = APIRouter(tags=["traces"])
Run = Annotated[
    str, Path(min_length=1, max_length=200, description="Id, or the name of its thread, which means the latest run.")
]


class UndoAsked(Asked):
    """What a person found out where nobody else could tell whether something had happened."""

    answers: dict[str, DecisionAsked] = Field(default_factory=dict, max_length=100)
    """By the id of the question (`Undone.question`)."""


@router.get("/trace/{run}")
async def show_trace(caller: Reader, run: Run) -> Trace:
    """Return what happened in a run: steps with their attempts, tools, effects, decisions, model calls and times."""
    return await caller.orchestrator.trace(run)


@router.post("/undo/{run}")
async def undo(caller: Runner, run: Run, asked: UndoAsked | None = None) -> Undone:
    """Take back what a run changed, the last effect first; doing it again goes on from where it stopped."""
    given = asked.answers if asked else {}
    answers = {
        name: Decision(type=answer.type, args=answer.args, message=answer.message, by=caller.principal.user)
        for name, answer in given.items()
    }
    return await caller.orchestrator.undo(run, answers)
