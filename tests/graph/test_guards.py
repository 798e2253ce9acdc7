"""A guard that trips in the middle of a plan ends it, and what the plan had done is taken back where it says so."""

from dataclasses import replace
from typing import Any

import pytest

from agents.tools.registry import ToolOutput
from domain.autonomy import Autonomy
from domain.checkpoints import Checkpoint
from domain.plans import Plan
from memory.constraints import parsed_rule
from memory.provenance import Provenance
from tests.graph.conftest import Note, Opener, Theatre
from tests.graph.test_rollback import CHECK, Shelf, save, shelved

ANN = Provenance(writer="person", user="ann")
GOAL = "Save a and b"


def guarded(theatre: Opener, shelf: Shelf, *checkpoints: Checkpoint, replans: int = 0) -> Theatre:
    """Return a plan of two effects whose first one makes a rule against the second."""
    stage: Theatre

    async def save_and_forbid(note: Note) -> ToolOutput:
        output = await shelf.save(note)
        constraints = stage.services.constraints
        rule = parsed_rule({"id": "no-b", "kind": "forbidden_path", "paths": ["b"]})
        await constraints.propose("default", rule, ANN)
        await constraints.accept("default", "no-b", ANN)
        return output

    stage = shelved(theatre, shelf, *checkpoints, fails=False)
    tools: Any = stage.services.tools.tools
    tools["save"] = replace(tools["save"], run=save_and_forbid)
    stage.services.limits.__dict__["max_replans"] = replans
    return stage


@pytest.mark.parametrize("replans", [0, 1], ids=["no other plan", "the same plan again"])
async def test_a_rule_that_comes_in_the_middle_has_everything_undone(theatre: Opener, replans: int) -> None:
    stage = guarded(theatre, shelf := Shelf(), replans=replans)
    outcome = (await stage.say(GOAL))["outcome"]
    assert outcome["status"] == "failed"
    assert "no-b" in outcome["failure"]["message"] or "already_failed" in str(outcome)
    assert (shelf.there, shelf.removed) == ([], ["a"])
    assert [kept for kept in outcome["kept"] if "save_a" in kept] == []


async def test_a_checkpoint_that_blocks_in_the_middle_has_everything_undone(theatre: Opener) -> None:
    block = Checkpoint.model_validate({
        "name": "no_b", "condition": "ON_VALUE", "action": "BLOCK", "stage": "reader",
        "when": [{"measure": "agent", "op": "eq", "value": "reader"}],
    })  # fmt: skip
    stage = shelved(theatre, shelf := Shelf(), block, fails=False)
    stage.services.limits.__dict__["max_replans"] = 0
    outcome = (await stage.say(GOAL))["outcome"]
    assert outcome["status"] == "failed"
    assert (shelf.there, shelf.removed) == ([], ["b", "a"])


async def test_a_person_who_says_no_in_the_middle_has_everything_undone(theatre: Opener) -> None:
    """The second effect cannot be undone, so it is asked about although the first was done alone."""
    stage = shelved(theatre, shelf := Shelf(), fails=False)
    team, tools = stage.services.team, stage.services.tools
    other = replace(tools.get("save"), name="post", undo=None)
    writer = team.specialists[1].model_copy(update={"tools": ("save", "post")})
    team = team.model_copy(update={"autonomy": Autonomy(), "specialists": (team.specialists[0], writer)})
    stage.services = replace(stage.services, team=team, tools=tools.with_tools([other]))
    stage.troupe.plans = [Plan(steps=[save("a"), save("b", "save_a").model_copy(update={"tool": "post"}), CHECK])]
    await stage.say("Save a and post b")
    question: Any = await stage.question()
    assert question is not None
    assert "it cannot be undone" in question["description"]
    assert shelf.there == ["a"]
    outcome = (await stage.answer({"type": "reject", "message": "no"}))["outcome"]
    assert (outcome["status"], shelf.there, shelf.removed) == ("rejected", [], ["a"])
