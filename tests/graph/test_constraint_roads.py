"""A hard rule that comes into force late is held before the effect, by whatever road a step comes to it."""

from dataclasses import replace
from typing import Any

import pytest

from agents.contracts import Assignment
from agents.tools.registry import Attempt, Tool, Toolbox, ToolOutput, Verdict
from domain.checkpoints import Checkpoint
from domain.outcomes import StepResult
from domain.plans import Plan
from graph.build import builder
from graph.context import Context, Limits, Services
from memory.constraints import parsed_rule
from memory.provenance import Provenance
from tests.graph.conftest import Note, Opener, Theatre, Troupe, step

ANN = Provenance(writer="person", user="ann")
ONCE = Limits(max_replans=0, max_attempts=1, retry_pause=0)
FREEZE: dict[str, Any] = {"id": "freeze", "kind": "forbidden_tool", "tools": ["save"]}
ASK = Checkpoint(name="before_writing", condition="ON_EFFECT")
SAVE = {"tool": "save", "effect": "write", "args": {"path": "a.md", "text": "x"}}
GOAL = "Save x into a.md"


async def in_force(stage: Theatre, rule: dict[str, Any]) -> None:
    await stage.services.constraints.propose("default", parsed_rule(rule), ANN)
    await stage.services.constraints.accept("default", rule["id"], ANN)


def freezing(stages: list[Theatre]) -> Any:
    """Return a specialist during whose work the rule comes into force, so that no plan was held against it."""

    async def perform(request: Assignment) -> StepResult:
        await in_force(stages[0], FREEZE)
        data = {"items": ["a.md", "b.md"]}
        return StepResult(step=request.step.id, agent="reader", text="found", data=data)

    return perform


ROADS: dict[str, Plan] = {
    "a step that calls a tool": Plan(steps=[step("read"), step("s", "writer", "read", on_failure="stop", **SAVE)]),
    "instances of a step": Plan(
        steps=[
            step("read"),
            step(
                "s", "writer", "read", tool="save", effect="write", on_failure="stop",
                args={"path": {"ref": {"step": "item"}}, "text": "x"}, foreach={"step": "read", "field": "items"},
            ),
        ]
    ),
    "a loop": Plan(
        steps=[
            step("read"),
            step(
                "s", "writer", "read", on_failure="stop", **SAVE,
                repeat={"field": "path", "op": "eq", "value": "never", "max_times": 3},
            ),
        ]
    ),
    "a nested plan": Plan(
        steps=[
            step("read"),
            step("outer", "writer", "read", steps=[step("s", "writer", on_failure="stop", **SAVE)]),
        ]
    ),
}  # fmt: skip


@pytest.mark.parametrize("plan", ROADS.values(), ids=ROADS)
async def test_no_road_leads_to_a_forbidden_effect(theatre: Opener, plan: Plan) -> None:
    stages: list[Theatre] = []
    stage = theatre(Troupe(plans=[plan], perform=freezing(stages)), limits=ONCE)
    stages.append(stage)
    state = await stage.say(GOAL)
    while state.get("gate"):
        state = await stage.say("yes")
    assert stage.troupe.saved == []
    assert state["outcome"]["failure"]["code"] == "constraint_violated"
    assert await stage.services.effects.unknown("default") == []


@pytest.mark.parametrize("plan", ROADS.values(), ids=ROADS)
async def test_without_the_rule_each_road_leads_there(theatre: Opener, plan: Plan) -> None:
    async def perform(request: Assignment) -> StepResult:
        data = {"items": ["a.md", "b.md"]}
        return StepResult(step=request.step.id, agent="reader", text="found", data=data)

    stage = theatre(Troupe(plans=[plan], perform=perform), limits=ONCE)
    state = await stage.say(GOAL)
    while state.get("gate"):
        state = await stage.say("yes")
    assert stage.troupe.saved != []


async def test_after_an_edit_by_a_person(theatre: Opener) -> None:
    plan = Plan(steps=[step("s", "writer", on_failure="stop", **SAVE)])
    stage = theatre(Troupe(plans=[plan]), checkpoints=(ASK,), limits=ONCE)
    await stage.say(GOAL)
    await in_force(stage, {"id": "no-b", "kind": "forbidden_path", "paths": ["b*"]})
    state = await stage.answer({"type": "edit", "args": {"path": "b.md"}})
    assert (state["outcome"]["failure"]["code"], stage.troupe.saved) == ("constraint_violated", [])


async def test_after_a_resume_by_another_process(theatre: Opener) -> None:
    plan = Plan(steps=[step("s", "writer", on_failure="stop", **SAVE)])
    stage = theatre(Troupe(plans=[plan]), checkpoints=(ASK,), limits=ONCE)
    await stage.say(GOAL)
    await in_force(stage, FREEZE)
    saver = stage.graph.checkpointer

    async def services_for(_: Context) -> Services:
        return stage.services

    stage.graph = builder(services_for).compile(checkpointer=saver)
    state = await stage.answer({"type": "approve"})
    assert (state["outcome"]["failure"]["code"], stage.troupe.saved) == ("constraint_violated", [])


async def test_taking_back_is_nothing_new_and_is_not_forbidden(theatre: Opener) -> None:
    """A rule against a tool must not keep what it did before the rule from being undone."""
    there: list[str] = []

    async def save(note: Note) -> ToolOutput:
        there.append(note.path)
        return ToolOutput(f"wrote {note.path}")

    async def undo(attempt: Attempt, _: ToolOutput) -> ToolOutput:
        there.remove(attempt.args.path)
        return ToolOutput("gone")

    async def verify(attempt: Attempt) -> Verdict:
        return Verdict("happened" if attempt.args.path in there else "did_not_happen")

    plan = Plan(
        steps=[
            step("s", "writer", **SAVE),
            step("late", "reader", "s"),
            step("again", "writer", "late", on_failure="rollback", **{**SAVE, "args": {"path": "b.md", "text": "x"}}),
        ]
    )  # fmt: skip
    stages: list[Theatre] = []
    stage = theatre(Troupe(plans=[plan], perform=freezing(stages)), limits=ONCE)
    tool = Tool("save", "saves", Note, save, effect="write", undo=undo, verify=verify)
    stage.services = replace(stage.services, tools=Toolbox.of([tool]))
    stages.append(stage)
    state = await stage.say("Save x into a.md and x into b.md")
    while state.get("gate"):
        state = await stage.say("yes")
    assert there == []
    assert (state["outcome"]["failure"]["code"], len(state["outcome"]["undone"])) == ("constraint_violated", 1)


async def test_an_answer_made_of_private_data_is_as_private_when_it_is_delivered(theatre: Opener) -> None:
    rule = {"id": "stays", "kind": "privacy", "classes": ["secret"]}

    async def perform(request: Assignment) -> StepResult:
        await in_force(stages[0], rule)
        return StepResult(step=request.step.id, agent="reader", text="found", privacy="secret")

    stages: list[Theatre] = []
    deliver = step(
        "d", "writer", tool="save", effect="write", on_failure="stop",
        args={"path": "a.md", "text": {"ref": {"step": "result"}}},
    )  # fmt: skip
    stage = theatre(Troupe(plans=[Plan(steps=[step("read"), deliver])], perform=perform), limits=ONCE)
    stages.append(stage)
    state = await stage.say("Save what you find into a.md")
    while state.get("gate"):
        state = await stage.say("yes")
    assert (state["outcome"]["failure"]["code"], stage.troupe.saved) == ("constraint_violated", [])
