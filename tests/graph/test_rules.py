"""Hard rules, through the graph: in planning, and again before every effect."""

from typing import Any

import pytest

from agents.contracts import Assignment
from agents.tools.registry import Tool, Toolbox, ToolOutput
from domain.checkpoints import Checkpoint
from domain.errors import StorageAway
from domain.outcomes import StepResult
from domain.plans import Plan
from graph.context import Limits
from memory.constraints import Policy, parsed_rule
from memory.provenance import Provenance
from tests.graph.conftest import DELIVER, Note, Opener, Theatre, Troupe, step

ANN = Provenance(writer="person", user="ann")
NO_EVIL = {"id": "no-evil", "kind": "forbidden_path", "paths": ["evil*"]}
EVIL = step("deliver", "writer", tool="save", effect="write", args={"path": "evil.md", "text": "x"})
WRITES = Checkpoint(name="before_writing", condition="ON_EFFECT")
NO_REPLANS = Limits(max_replans=0)


async def ruled(stage: Theatre, rule: dict[str, Any]) -> Theatre:
    await stage.services.constraints.propose("default", parsed_rule(rule), ANN)
    await stage.services.constraints.accept("default", rule["id"], ANN)
    return stage


async def test_a_plan_that_breaks_a_rule_goes_back_to_the_planner(theatre: Opener) -> None:
    stage = await ruled(theatre(Troupe(plans=[Plan(steps=[EVIL]), Plan(steps=[step("read")])])), NO_EVIL)
    state = await stage.say("Write it down")
    [problem] = stage.troupe.planning[1].problems
    assert (problem.code, problem.step) == ("constraint_violated", "deliver")
    assert "no-evil" in problem.message
    assert (state["outcome"]["status"], stage.troupe.saved) == ("done", [])


async def test_no_plan_is_better_than_a_forbidden_one(theatre: Opener) -> None:
    stage = await ruled(theatre(Troupe(plans=[Plan(steps=[EVIL])])), NO_EVIL)
    outcome = (await stage.say("Write it down"))["outcome"]
    assert (outcome["status"], outcome["stopped"], stage.troupe.saved) == ("failed", "max_plan_revisions", [])


async def test_a_value_that_is_known_only_at_the_effect_is_held_against_the_rules_there(theatre: Opener) -> None:
    async def perform(request: Assignment) -> StepResult:
        return StepResult(step=request.step.id, agent="reader", text="evil.md")

    path = {"ref": {"step": "read"}}
    late = EVIL.model_copy(update={"args": {"path": path, "text": "x"}, "needs": ["read"]})
    troupe = Troupe(plans=[Plan(steps=[step("read"), late])], perform=perform)
    stage = await ruled(theatre(troupe, limits=NO_REPLANS), NO_EVIL)
    outcome = (await stage.say("Write it down as evil.md"))["outcome"]
    assert (outcome["status"], outcome["failure"]["code"]) == ("failed", "constraint_violated")
    assert stage.troupe.saved == []
    assert await stage.services.effects.unknown("default") == []


async def test_a_rule_that_is_accepted_while_the_run_waits_still_stops_the_effect(theatre: Opener) -> None:
    plan = Plan(steps=[step("read"), DELIVER])
    stage = theatre(Troupe(plans=[plan]), checkpoints=(WRITES,), limits=NO_REPLANS)
    await stage.say("Write it down")
    await ruled(stage, {"id": "freeze", "kind": "forbidden_tool", "tools": ["save"]})
    outcome = (await stage.answer({"type": "approve"}))["outcome"]
    assert (outcome["failure"]["code"], stage.troupe.saved) == ("constraint_violated", [])


async def test_an_edit_by_a_person_is_held_against_the_rules_too(theatre: Opener) -> None:
    plan = Plan(steps=[step("read"), DELIVER])
    stage = await ruled(
        theatre(Troupe(plans=[plan]), checkpoints=(WRITES,), limits=NO_REPLANS),
        NO_EVIL,
    )
    await stage.say("Write it down")
    outcome = (await stage.answer({"type": "edit", "args": {"path": "evil.md"}}))["outcome"]
    assert (outcome["failure"]["code"], stage.troupe.saved) == ("constraint_violated", [])


async def test_a_specialists_own_tools_ask_the_rules(theatre: Opener) -> None:
    looked: list[str] = []

    async def look(note: Note) -> ToolOutput:
        looked.append(note.path)
        return ToolOutput(text="found")

    async def perform(request: Assignment) -> StepResult:
        for path in ("good.md", "evil.md"):
            await request.tools.get("write_file").call({"path": path, "text": ""})
        return StepResult(step=request.step.id, agent="writer", text="done")

    stage = theatre(Troupe(plans=[Plan(steps=[step("look", "writer")])], perform=perform), limits=NO_REPLANS)
    tool = Tool(name="write_file", description="looks", parameters=Note, run=look, effect="read")
    object.__setattr__(stage.services, "tools", Toolbox.of([tool]))
    outcome = (await (await ruled(stage, NO_EVIL)).say("Look into it"))["outcome"]
    assert (outcome["failure"]["code"], looked) == ("constraint_violated", ["good.md"])


async def test_a_remembered_plan_that_a_rule_forbids_is_not_reused(theatre: Opener) -> None:
    stage = theatre(Troupe(plans=[Plan(steps=[step("read"), EVIL])], scores=[0.92]))
    await stage.say("Write a brief on wind power")
    await ruled(stage, {"id": "freeze", "kind": "forbidden_tool", "tools": ["save"]})
    state = await stage.say("Write a brief on wind power")
    assert state["decision"]["source"] == "planner"
    assert len(stage.troupe.saved) == 1


async def test_a_rule_that_cannot_be_evaluated_forbids(theatre: Opener) -> None:
    nowhere = {"id": "night", "kind": "time_of_day", "start": "01:00", "end": "02:00", "zone": "Mars/Base"}
    stage = await ruled(theatre(Troupe(plans=[Plan(steps=[step("read"), DELIVER])])), nowhere)
    outcome = (await stage.say("Write it down"))["outcome"]
    assert "cannot be evaluated" in outcome["failure"]["message"]
    assert stage.troupe.saved == []


async def test_while_nobody_can_tell_the_rules_no_tool_is_used(
    theatre: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(workspace: str) -> Policy:
        raise StorageAway("gone")

    stage = theatre(Troupe(plans=[Plan(steps=[step("read"), DELIVER])]))
    monkeypatch.setattr(stage.services.constraints, "active", away)
    outcome = (await stage.say("Write it down"))["outcome"]
    assert "rules-unknown" in outcome["failure"]["message"]
    assert stage.troupe.saved == []


async def test_another_workspaces_rules_do_not_bind(theatre: Opener) -> None:
    stage = theatre(Troupe(plans=[Plan(steps=[step("read"), DELIVER])]))
    await stage.services.constraints.propose("other", parsed_rule(NO_EVIL | {"paths": ["*"]}), ANN)
    await stage.services.constraints.accept("other", "no-evil", ANN)
    assert (await stage.say("Write it down"))["outcome"]["status"] == "done"
