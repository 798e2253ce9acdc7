"""A decision holds for what was shown: where plan, draft or arguments change afterwards, a person is asked again.

The state is changed as Studio and the server's API change it: by an update from outside, and on disk between two
openings of the graph where a crash lies between.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.types import Command

from agents.contracts import Assignment
from domain.approvals import ActionRequest, shown_digest
from domain.checkpoints import Checkpoint
from domain.nesting import flattened
from domain.outcomes import StepResult
from domain.plans import Plan, Step
from graph.build import builder
from graph.context import Context, Services
from tests.graph.conftest import DELIVER, Opener, Theatre, Troupe, step

GOAL = "Write it down and save it as a.md, b.md, x.md and y.md"
BEFORE = Checkpoint(name="plan", condition="BEFORE_EXECUTION")
RESULT = Checkpoint(name="result", condition="AFTER_STAGE", stage="result")
WRITES = Checkpoint(name="writes", condition="ON_EFFECT")
READ = Checkpoint(name="reading", condition="AFTER_STAGE", stage="reader")
APPROVE = {"type": "approve"}
SAVE: dict[str, Any] = {"tool": "save", "effect": "write"}
TEXT = {"ref": {"step": "read"}}

PLANS = {
    "plain": Plan(steps=[step("read"), step("save", "writer", "read", args={"path": "a.md", "text": TEXT}, **SAVE)]),
    "foreach": Plan(
        steps=[
            step("read"),
            step("save", "writer", "read", foreach={"step": "read", "field": "rows"},
                 args={"path": {"ref": {"step": "item"}}, "text": TEXT}, **SAVE),
        ]
    ),
    "nested": flattened(
        Plan(
            steps=[
                step("read"),
                Step.model_validate(
                    {"id": "outer", "agent": "writer", "task": "both", "needs": ["read"], "steps": [
                        {"id": "save", "agent": "writer", "task": "save", **SAVE,
                         "args": {"path": "a.md", "text": TEXT}}
                    ]}
                ),
            ]
        )
    ),
}  # fmt: skip


@dataclass
class Stage:
    """A theatre whose graph can be closed and opened again on the same file."""

    theatre: Theatre
    file: Path
    crash: bool

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Theatre]:
        """Open the graph on the file, as a process that begins would."""

        async def services_for(context: Context) -> Services:
            return self.theatre.services

        async with AsyncSqliteSaver.from_conn_string(str(self.file)) as saver:
            self.theatre.graph = builder(services_for).compile(checkpointer=saver)
            yield self.theatre

    async def do(self, *given: Any) -> dict[str, Any]:
        """Advance by each in turn; after a crash each is done by another process."""
        state: dict[str, Any] = {}
        parts = [[each] for each in given] if self.crash else [list(given)]
        for part in parts:
            async with self.opened() as theatre:
                for each in part:
                    state = await (theatre.answer(each) if "type" in each else theatre.go(each))
        return state

    async def asked(self) -> list[str]:
        async with self.opened() as theatre:
            values = (await theatre.graph.aget_state(theatre.config)).values
        return [request["id"] for request in values.get("pending", [])]

    async def values(self) -> dict[str, Any]:
        async with self.opened() as theatre:
            return dict((await theatre.graph.aget_state(theatre.config)).values)


async def rows(request: Assignment) -> StepResult:
    return StepResult(
        step=request.step.id, agent=request.specialist.name, text="read done", data={"rows": ["x.md", "y.md"]}
    )


def staged(theatre: Opener, folder: Path, plan: Plan, *checkpoints: Checkpoint, crash: bool) -> Stage:
    troupe = Troupe(plans=[plan], perform=rows)
    return Stage(theatre(troupe, checkpoints=checkpoints), folder / "checkpoints.sqlite", crash)


def said(text: str = GOAL) -> dict[str, Any]:
    return {"messages": [("user", text)]}


def changed(values: dict[str, Any], how: str) -> Any:
    """Return the update from outside that changes a thing after it was shown."""
    match how:
        case "plan":
            plan = values["plan"] | {"steps": [*values["plan"]["steps"], step("more").model_dump(mode="json")]}
            return {"plan": plan}
        case "draft":
            return {"draft": values["draft"] | {"text": "other words"}}
    read = values["results"]["read"] | {"text": "other words", "data": {"rows": ["x.md", "y.md"]}}
    return {"results": values["results"] | {"read": read}}


FORMS = pytest.mark.parametrize("form", ["plain", "foreach", "nested"])
CRASH = pytest.mark.parametrize("crash", [False, True], ids=["going on", "after a crash"])


async def changed_while_open(stage: Stage, how: str) -> None:
    """Change the state while the question is open."""
    update = changed(await stage.values(), how)
    async with stage.opened() as theatre:
        await theatre.go(Command(update=update))


@FORMS
@CRASH
async def test_other_arguments_than_those_approved_are_asked_about_again(
    theatre: Opener, tmp_path: Path, form: str, crash: bool
) -> None:
    stage = staged(theatre, tmp_path, PLANS[form], WRITES, crash=crash)
    await stage.do(said())
    first = await stage.asked()
    await changed_while_open(stage, "arguments")
    await stage.do(APPROVE)
    assert stage.theatre.troupe.saved == []
    assert await stage.asked() == first
    question = (await stage.values())["pending"][0]
    assert question["args"]["text"] == "other words"
    assert question["description"].startswith("What you decided on has changed since")
    await stage.do(APPROVE)
    assert {note.text for note in stage.theatre.troupe.saved} == {"other words"}
    assert len(stage.theatre.troupe.saved) == len(first)


@FORMS
@CRASH
async def test_another_plan_than_the_approved_one_is_asked_about_again(
    theatre: Opener, tmp_path: Path, form: str, crash: bool
) -> None:
    stage = staged(theatre, tmp_path, PLANS[form], BEFORE, WRITES, crash=crash)
    await stage.do(said(), APPROVE)
    writing = await stage.asked()
    await changed_while_open(stage, "plan")
    await stage.do(APPROVE)
    assert stage.theatre.troupe.saved == []
    assert await stage.asked() == ["plan"]
    await stage.do(APPROVE)
    assert await stage.asked() == writing
    assert stage.theatre.troupe.saved == []
    await stage.do(APPROVE)
    assert len(stage.theatre.troupe.saved) == len(writing)


@CRASH
async def test_a_plan_that_changes_while_it_is_shown_is_shown_again(
    theatre: Opener, tmp_path: Path, crash: bool
) -> None:
    stage = staged(theatre, tmp_path, PLANS["plain"], BEFORE, crash=crash)
    await stage.do(said())
    await changed_while_open(stage, "plan")
    await stage.do(APPROVE)
    assert stage.theatre.troupe.saved == []
    assert await stage.asked() == ["plan"]
    steps = (await stage.values())["pending"][0]["args"]["steps"]
    assert [each["id"] for each in steps] == ["read", "save", "more"]


@CRASH
@pytest.mark.parametrize("when", ["while it is shown", "after it was approved"])
async def test_another_draft_than_the_approved_one_is_asked_about_again(
    theatre: Opener, tmp_path: Path, when: str, crash: bool
) -> None:
    plan = Plan(steps=[step("read"), DELIVER])
    stage = staged(theatre, tmp_path, plan, RESULT, WRITES, crash=crash)
    await stage.do(said())
    if when == "after it was approved":
        await stage.do(APPROVE)
        assert await stage.asked() == ["deliver"]
    await changed_while_open(stage, "draft")
    await stage.do(APPROVE)
    assert stage.theatre.troupe.saved == []
    assert await stage.asked() == ["result"]
    assert (await stage.values())["pending"][0]["args"] == {"text": "other words"}
    await stage.do(APPROVE)
    assert await stage.asked() == ["deliver"]
    await stage.do(APPROVE)
    assert [note.text for note in stage.theatre.troupe.saved] == ["other words"]


@CRASH
async def test_another_output_than_the_reviewed_one_is_shown_again(
    theatre: Opener, tmp_path: Path, crash: bool
) -> None:
    stage = staged(theatre, tmp_path, PLANS["plain"], READ, crash=crash)
    await stage.do(said())
    assert await stage.asked() == ["read.after"]
    await changed_while_open(stage, "arguments")
    await stage.do(APPROVE)
    assert stage.theatre.troupe.saved == []
    assert await stage.asked() == ["read.after"]
    assert (await stage.values())["pending"][0]["args"] == {"text": "other words"}
    await stage.do(APPROVE)
    assert [note.text for note in stage.theatre.troupe.saved] == ["other words"]


async def test_a_no_to_something_else_does_not_become_a_yes(theatre: Opener, tmp_path: Path) -> None:
    """A rule that would let the new arguments pass by itself does not: a person had said no to the earlier ones."""
    stage = staged(theatre, tmp_path, PLANS["plain"], WRITES, crash=False)
    await stage.do(said())
    await changed_while_open(stage, "arguments")
    free = WRITES.model_copy(update={"auto_approve_for_users": ("ada",)})
    team = stage.theatre.services.team.model_copy(update={"checkpoints": (free,)})
    object.__setattr__(stage.theatre.services, "team", team)
    await stage.do({"type": "reject", "message": "not this"})
    assert stage.theatre.troupe.saved == []
    assert await stage.asked() == ["save"]


async def test_an_edited_plan_and_an_edited_answer_are_what_holds(theatre: Opener, tmp_path: Path) -> None:
    plan = Plan(steps=[step("read"), DELIVER])
    stage = staged(theatre, tmp_path, plan, BEFORE, RESULT, crash=True)
    await stage.do(said())
    deliver = DELIVER.model_dump(mode="json")
    await stage.do({"type": "edit", "args": {"steps": [step("read").model_dump(mode="json"), deliver]}})
    assert await stage.asked() == ["result"]
    state = await stage.do({"type": "edit", "args": {"text": "my words"}})
    assert [note.text for note in stage.theatre.troupe.saved] == ["my words"]
    assert state["outcome"]["status"] == "done"


async def test_what_was_shown_is_frozen_with_the_decision(theatre: Opener, tmp_path: Path) -> None:
    stage = staged(theatre, tmp_path, PLANS["plain"], WRITES, crash=False)
    await stage.do(said())
    request = ActionRequest.model_validate((await stage.values())["pending"][0])
    state = await stage.do(APPROVE)
    entry = state["decisions"]["save"]
    assert entry["shown"] == shown_digest([request])
    assert entry["decision"]["by"] == "ada"
