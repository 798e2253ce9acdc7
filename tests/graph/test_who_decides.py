"""Who may decide, held at the gates and again at the effect: past the desk, after an edit, after a checkpoint came."""

from dataclasses import replace
from typing import Any

import pytest

from domain.checkpoints import Checkpoint
from domain.measures import Test
from domain.plans import Plan
from domain.waiting import Level
from memory.checkpoints import Standing, WorkspaceCheckpoints
from tests.graph.conftest import Opener, Theatre, Troupe, step

GOAL = "Save all is well as a.md"
SAVE = step("keep", "writer", tool="save", effect="write", args={"path": "a.md", "text": "all is well"})
ASKS = Checkpoint(name="writes", condition="ON_EFFECT")
TO_OTHERS = (Test(measure="recipients", op="gt", value=0),)
BOSS = Level(to=("boss",))
EDIT = {"type": "edit", "args": {"text": "bob@x.org"}}


async def staged(theatre: Opener, *checkpoints: Checkpoint) -> Theatre:
    stage = theatre(Troupe(plans=[Plan(steps=[SAVE], confidence=0.9)]), checkpoints=checkpoints)
    await stage.say(GOAL)
    return stage


async def told(stage: Theatre) -> str:
    question = await stage.question()
    assert question is not None
    return str(question["description"])


@pytest.mark.parametrize("fields", [{"approvers": ("boss",)}, {"quorum": 2}], ids=["for others", "for more"])
async def test_an_answer_past_the_desk_is_its_users_alone(theatre: Opener, fields: dict[str, Any]) -> None:
    stage = await staged(theatre, ASKS.model_copy(update=fields))
    await stage.answer({"type": "approve"})
    assert "for others, or for more people, to decide" in await told(stage)
    await stage.say("yes")
    assert "for others, or for more people, to decide" in await told(stage)
    assert stage.troupe.saved == []


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"action": "ESCALATE", "escalation": (BOSS,)}, "checkpoint 'to_others'"),
        ({"approvers": ("boss",)}, "checkpoint 'to_others'"),
        ({"quorum": 2}, "checkpoint 'to_others'"),
        ({"action": "BLOCK"}, "checkpoint 'to_others' (recipients > 0"),
    ],
    ids=["escalates", "for others", "for more", "blocks"],
)
async def test_an_edit_into_what_others_decide_is_refused(theatre: Opener, other: dict[str, Any], said: str) -> None:
    stage = await staged(theatre, ASKS, Checkpoint(name="to_others", condition="ON_VALUE", when=TO_OTHERS, **other))
    await stage.answer(EDIT)
    assert said in await told(stage)
    assert stage.troupe.saved == []
    await stage.answer({"type": "approve"})
    assert [note.text for note in stage.troupe.saved] == ["all is well"]


async def test_an_edit_that_the_same_people_decide_on_is_taken(theatre: Opener) -> None:
    own = Checkpoint(name="to_others", condition="ON_VALUE", when=TO_OTHERS, approvers=("ada", "boss"))
    stage = await staged(theatre, ASKS, own)
    await stage.answer(EDIT)
    assert [note.text for note in stage.troupe.saved] == ["bob@x.org"]


@pytest.mark.parametrize(
    ("approvers", "saved"), [((), 1), (("ada",), 1), (("boss",), 0)], ids=["anybody", "the same", "others"]
)
async def test_a_checkpoint_that_came_meanwhile_counts_at_the_effect(
    theatre: Opener, approvers: tuple[str, ...], saved: int
) -> None:
    class Workspace(WorkspaceCheckpoints):
        def __init__(self) -> None:
            self.now: tuple[Standing, ...] = ()

        async def standing(self, workspace: str) -> tuple[Standing, ...]:
            return self.now

    stage, workspace = theatre(Troupe(plans=[Plan(steps=[SAVE], confidence=0.9)]), checkpoints=(ASKS,)), Workspace()
    stage.services = replace(stage.services, checkpoints=workspace)
    stage.reopen()
    await stage.say(GOAL)
    workspace.now = (Standing(Checkpoint(name="late", condition="ON_EFFECT", approvers=approvers), ""),)
    state = await stage.answer({"type": "approve"})
    assert len(stage.troupe.saved) == saved
    if not saved:
        assert state["outcome"]["failure"]["code"] == "approval_needed"
