"""Checkpoints of a specialist, where another one does the step than the plan names."""

import pytest

from agents.contracts import Assignment
from domain.checkpoints import Checkpoint, CheckpointCondition
from domain.errors import ToolError
from domain.measures import Test
from domain.outcomes import StepResult
from domain.plans import Plan
from tests.graph.conftest import Opener, Theatre, Troupe, step, team_of
from tests.graph.test_checkpoints import outcome, pending


class Broken(Troupe):
    """The reader never gives anything; the writer stands in."""

    async def specialist(self, request: Assignment) -> StepResult:
        if request.specialist.name == "reader":
            msg = "out of reach"
            raise ToolError(msg)
        return await super().specialist(request)


async def staged(theatre: Opener, *checkpoints: Checkpoint) -> Theatre:
    team = team_of(checkpoints, {})
    stand_in = {"fallback": "writer"}
    specialists = tuple(s.model_copy(update=stand_in) if s.name == "reader" else s for s in team.specialists)
    team = team.model_copy(update={"specialists": specialists})
    stage = theatre(Broken(plans=[Plan(steps=[step("read")], confidence=0.9)]), team=team)
    await stage.say("Read something")
    return stage


def at(condition: CheckpointCondition, stage: str) -> Checkpoint:
    return Checkpoint(name=stage, condition=condition, stage=stage)


@pytest.mark.parametrize("of", ["reader", "writer"])
async def test_an_output_is_held_at_the_stage_of_whom_the_plan_names_and_of_who_did_it(
    theatre: Opener, of: str
) -> None:
    stage = await staged(theatre, at("AFTER_STAGE", of))
    [request] = await pending(stage)
    assert (request["id"], request["checkpoint"]) == ("read.after", of)
    assert request["facts"]["what"].startswith("writer has finished")


BY_WRITER = (Test(measure="agent", op="eq", value="writer"),)


@pytest.mark.parametrize(
    "checkpoint",
    [
        at("BEFORE_EXECUTION", "writer"),
        at("BEFORE_EXECUTION", "writer").model_copy(update={"action": "BLOCK"}),
        Checkpoint(name="c", condition="ON_VALUE", when=BY_WRITER, action="BLOCK"),
    ],
    ids=["asks", "blocks", "blocks by value"],
)
async def test_nobody_stands_in_who_would_be_stopped_before_beginning(theatre: Opener, checkpoint: Checkpoint) -> None:
    stage = await staged(theatre, checkpoint)
    assert "writer" not in [event.agent for event in stage.told("step_started")]
    assert (await outcome(stage))["status"] == "failed"


async def test_a_checkpoint_of_both_that_was_passed_keeps_nobody_from_standing_in(theatre: Opener) -> None:
    stage = await staged(theatre, Checkpoint(name="c", condition="ON_VALUE", when=NOT_PUBLIC))
    assert [request["id"] for request in await pending(stage)] == ["read"]
    await stage.answer({"type": "approve"})
    assert (await outcome(stage))["status"] == "done"


NOT_PUBLIC = (Test(measure="privacy", op="ne", value="secret"), Test(measure="tool", op="eq", value="none"))
