"""Loops and nested plans, through the graph: the same guarantees as for plain steps."""

from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict

from agents.contracts import Assignment
from agents.tools.registry import Tool, ToolOutput
from domain.checkpoints import Checkpoint
from domain.outcomes import StepResult
from domain.plans import Plan, Step
from graph.context import Limits
from tests.graph.conftest import Opener, Theatre, Troupe, step

WRITES = Checkpoint(name="before_writing", condition="ON_EFFECT")
NO_REPLANS = Limits(max_replans=0, retry_pause=0)
ROWS = ["a.md", "b.md", "c.md"]


def gives(data: dict[str, Any], **by_step: Any) -> Any:
    """Return specialists of which `read` gives this data; others give what they were handed."""

    async def perform(request: Assignment) -> StepResult:
        name = request.step.id
        handed = " ".join(result.text for key, result in request.inputs.items() if key in ("item", "previous"))
        given = by_step.get(name.partition("#")[0], data if name == "read" else {})
        return StepResult(step=name, agent="reader", text=f"{name} {handed}".strip(), data=given)

    return perform


def save_each(**fields: Any) -> Step:
    args = {"path": {"ref": {"step": "item"}}, "text": "x"}
    loop = {"step": "read", "field": "rows"}
    return step("save", "writer", tool="save", effect="write", args=args, foreach=loop, **fields)


async def test_a_step_is_done_for_each_item(theatre: Opener) -> None:
    look = step("look", foreach={"step": "read", "field": "rows"})
    stage = theatre(Troupe(plans=[Plan(steps=[step("read"), look, save_each()])], perform=gives({"rows": ROWS})))
    state = await stage.say("Save the parts as a.md, b.md and c.md")
    assert [note.path for note in stage.troupe.saved] == ROWS
    assert [part["text"] for part in state["results"]["look"]["parts"]] == [
        "look#1 a.md", "look#2 b.md", "look#3 c.md",
    ]  # fmt: skip
    assert state["results"]["look"]["data"]["texts"] == ["look#1 a.md", "look#2 b.md", "look#3 c.md"]
    assert state["outcome"]["status"] == "done"


async def test_a_field_of_an_item_is_resolved_and_an_item_is_never_taken_for_a_reference(theatre: Opener) -> None:
    args = {"path": {"ref": {"step": "item", "field": "path"}}, "text": {"ref": {"step": "item", "field": "note"}}}
    save = save_each().model_copy(update={"args": args})
    rows = [{"path": "a", "note": "hi"}, {"path": "b", "note": {"ref": {"step": "read"}}}]
    troupe = Troupe(plans=[Plan(steps=[step("read"), save])], perform=gives({"rows": rows}))
    stage = theatre(troupe, limits=NO_REPLANS)
    state = await stage.say("Save the parts as a and b")
    assert [(note.path, note.text) for note in troupe.saved] == [("a", "hi")]
    assert state["results"]["save"]["parts"][1]["failure"]["code"] == "invalid_arguments"


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        ({"rows": []}, "done", None),
        ({"rows": "abc"}, "failed", "bad_items"),
        ({}, "failed", "bad_items"),
        ({"rows": [1] * 21}, "failed", "too_many_items"),
    ],
    ids=["no items", "no list", "nothing", "over the cap"],
)
async def test_lists_that_cannot_be_gone_through(
    theatre: Opener, data: dict[str, Any], status: str, code: str | None
) -> None:
    look = step("look", foreach={"step": "read", "field": "rows"})
    troupe = Troupe(plans=[Plan(steps=[step("read"), look])], perform=gives(data))
    result = (await theatre(troupe, limits=NO_REPLANS).say("Do something useful"))["results"]["look"]
    assert (result["status"], (result["failure"] or {}).get("code")) == (status, code)
    assert result["empty"] is (status == "done")


async def test_instances_are_asked_about_together_and_done_once(theatre: Opener) -> None:
    troupe = Troupe(plans=[Plan(steps=[step("read"), save_each()])], perform=gives({"rows": ROWS}))
    stage = theatre(troupe, checkpoints=(WRITES,))
    await stage.say("Do something useful")
    question = await stage.question()
    assert question is not None
    assert [request["args"]["path"] for request in question["action_requests"]] == ROWS
    state = await stage.answer(
        {"type": "approve"}, {"type": "edit", "args": {"path": "B", "text": "y"}}, {"type": "approve"}
    )
    assert sorted(note.path for note in troupe.saved) == ["B", "a.md", "c.md"]
    assert state["outcome"]["status"] == "done"


async def test_an_instance_that_a_person_rejects_ends_the_run_with_the_others_done(theatre: Opener) -> None:
    troupe = Troupe(plans=[Plan(steps=[step("read"), save_each()])], perform=gives({"rows": ROWS}))
    stage = theatre(troupe, checkpoints=(WRITES,))
    await stage.say("Do something useful")
    state = await stage.answer({"type": "approve"}, {"type": "reject"}, {"type": "approve"})
    assert sorted(note.path for note in troupe.saved) == ["a.md", "c.md"]
    assert state["outcome"]["status"] == "rejected"
    assert len(state["outcome"]["kept"]) == 2


async def test_finished_instances_wait_for_review_and_are_not_done_again(theatre: Opener) -> None:
    look = step("look", "writer", foreach={"step": "read", "field": "rows"})
    troupe = Troupe(plans=[Plan(steps=[step("read"), look])], perform=gives({"rows": ROWS}))
    stage = theatre(troupe, checkpoints=(Checkpoint(name="show", condition="AFTER_STAGE", stage="writer"),))
    await stage.say("Do something useful")
    state = await stage.answer({"type": "approve"}, {"type": "edit", "args": {"text": "mine"}}, {"type": "approve"})
    assert state["results"]["look"]["data"]["texts"] == ["look#1 a.md", "mine", "look#3 c.md"]
    assert [name for name in troupe.asked if name.startswith("look")] == ["look#1", "look#2", "look#3"]


class Empty(BaseModel):
    model_config = ConfigDict(extra="forbid")


def counting(stage: Theatre, *, same: bool = False) -> None:
    """Give the writer a tool that counts its calls."""
    calls = [0]

    async def run(_: Empty) -> ToolOutput:
        calls[0] += 1
        return ToolOutput("same" if same else f"n is {calls[0]}", {"n": calls[0] if not same else 0})

    tools: Any = stage.services.tools.tools
    tools["write_file"] = Tool("write_file", "", Empty, run, effect="none")


@pytest.mark.parametrize(
    ("loop", "same", "status", "code", "times"),
    [
        ({"field": "n", "op": "ge", "value": 3}, False, "done", None, 3),
        ({"field": "n", "op": "ge", "value": 9, "max_times": 4}, False, "failed", "not_reached", 4),
        ({"field": "n", "op": "ge", "value": 9}, True, "failed", "no_progress", 2),
        ({"field": "n", "op": "ge", "value": 9, "max_times": 3, "every": 0.001}, True, "failed", "not_reached", 3),
    ],
    ids=["until it holds", "cap", "no progress", "polling may see the same"],
)
async def test_a_step_is_repeated_until(
    theatre: Opener, loop: dict[str, Any], same: bool, status: str, code: str | None, times: int
) -> None:
    again = step("again", "writer", tool="write_file", repeat=loop)
    stage = theatre(Troupe(plans=[Plan(steps=[step("read"), again])]), limits=NO_REPLANS)
    counting(stage, same=same)
    result = (await stage.say("Do something useful"))["results"]["again"]
    assert (result["status"], (result["failure"] or {}).get("code")) == (status, code)
    assert len(result["parts"]) == times


async def test_each_time_sees_the_time_before(theatre: Opener) -> None:
    again = step("again", repeat={"op": "contains", "value": "again#1"})
    stage = theatre(Troupe(plans=[Plan(steps=[again])], perform=gives({})))
    result = (await stage.say("Do something useful"))["results"]["again"]
    assert [part["text"] for part in result["parts"]] == ["again#1"]
    until = step("again", repeat={"op": "contains", "value": "#2"})
    stage = theatre(Troupe(plans=[Plan(steps=[until])], perform=gives({})))
    stage.config = {"configurable": {"thread_id": "u", "__pregel_strict_resume": True}}
    result = (await stage.say("Do something quite different"))["results"]["again"]
    assert [part["text"] for part in result["parts"]] == ["again#1", "again#2 again#1"]


async def test_a_nested_plan_runs_within_the_plan_around_it(theatre: Opener) -> None:
    inner = [step("look"), step("note", "writer", "look")]
    outer = step("study", "reader", "read", steps=[each.model_dump() for each in inner])
    after = step("end", "writer", "study")
    stage = theatre(Troupe(plans=[Plan(steps=[step("read"), outer, after])]))
    state = await stage.say("Do something useful")
    assert [s["id"] for s in state["plan"]["steps"]] == ["read", "study/look", "study/note", "study", "end"]
    assert state["results"]["study"]["text"] == "study/note done"
    assert state["outcome"]["plan"]["steps"][3]["joins"] is True
    assert state["outcome"]["answer"] == "end done"


async def test_a_nested_plan_behind_a_false_condition_is_left_out(theatre: Opener) -> None:
    never = {"step": "read", "field": "n", "op": "gt", "value": 5}
    outer = step("study", "reader", steps=[step("look").model_dump()], condition=never)
    stage = theatre(Troupe(plans=[Plan(steps=[step("read"), outer, step("end", "writer", "read", "study")])]))
    state = await stage.say("Do something useful")
    assert {key: value["status"] for key, value in state["results"].items()} == {
        "read": "done", "study/look": "skipped", "study": "skipped", "end": "done",
    }  # fmt: skip


async def test_the_ends_of_a_nested_plan_are_composed_as_parts_of_the_answer(theatre: Opener) -> None:
    outer = step("study", steps=[step("one").model_dump(), step("two").model_dump()])
    stage = theatre(Troupe(plans=[Plan(steps=[outer])]))
    state = await stage.say("Do something useful")
    assert state["outcome"]["answer"] == "study/one done + study/two done"


async def test_a_list_that_was_left_out_leaves_out_what_goes_through_it(theatre: Opener) -> None:
    read = step("read", "reader", "look", condition={"step": "look", "op": "empty"})
    each = step("each", "reader", "look", foreach={"step": "read", "field": "rows"})
    stage = theatre(Troupe(plans=[Plan(steps=[step("look"), read, each])]), limits=NO_REPLANS)
    state = await stage.say("Do something useful")
    assert (state["results"]["each"]["status"], state["outcome"]["status"]) == ("skipped", "done")
