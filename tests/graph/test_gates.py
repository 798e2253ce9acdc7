"""People in command: what stops, what is shown, and what an answer does."""

from pathlib import Path
from typing import Any

import pytest
from langgraph.errors import UnknownInterruptError
from langgraph.types import Command

from agents.contracts import Assignment
from agents.tools.files import file_tools
from domain.approvals import DESK
from domain.checkpoints import AutoApproval, Checkpoint
from domain.outcomes import StepResult
from domain.plans import Plan
from domain.questions import CLOCK
from memory.tasks import TaskRecord
from tests.graph.conftest import DELIVER, Opener, Theatre, Troupe, step

BEFORE = Checkpoint(name="look_at_plan", condition="BEFORE_EXECUTION")
RESULT = Checkpoint(name="look_at_result", condition="AFTER_STAGE", stage="result")
WRITES = Checkpoint(name="before_writing", description="nothing leaves unseen", condition="ON_EFFECT")
AFTER_READ = Checkpoint(name="review_reading", condition="AFTER_STAGE", stage="reader")
DELIVERY = Plan(steps=[step("read"), DELIVER])
APPROVE = {"type": "approve"}


async def held(theatre: Opener, *checkpoints: Checkpoint, plan: Plan = DELIVERY) -> Theatre:
    stage = theatre(Troupe(plans=[plan]), checkpoints=checkpoints)
    await stage.say("Write it down")
    return stage


async def test_a_writing_step_waits_and_shows_what_it_would_do(theatre: Opener) -> None:
    stage = await held(theatre, WRITES)
    question = await stage.question()
    assert question is not None
    assert question["action_request"] == {"action": "save", "args": {"path": "a.md", "text": "read done"}}
    assert "before_writing" in question["description"]
    assert "nothing leaves unseen" in question["description"]
    assert stage.troupe.saved == []


async def test_approval_lets_it_happen_once(theatre: Opener) -> None:
    stage = await held(theatre, WRITES)
    state = await stage.answer(APPROVE)
    assert [note.path for note in stage.troupe.saved] == ["a.md"]
    assert state["outcome"]["status"] == "done"
    assert stage.troupe.asked.count("read") == 1


async def test_an_edit_changes_what_happens(theatre: Opener) -> None:
    stage = await held(theatre, WRITES)
    await stage.answer({"type": "edit", "args": {"path": "b.md"}})
    assert [(note.path, note.text) for note in stage.troupe.saved] == [("b.md", "read done")]


async def test_a_rejection_stops_it_and_is_remembered_as_no_success(theatre: Opener) -> None:
    stage = await held(theatre, WRITES)
    state = await stage.answer({"type": "reject", "message": "not yet"})
    assert stage.troupe.saved == []
    assert (state["outcome"]["status"], state["outcome"]["failure"]["message"]) == ("rejected", "not yet")
    assert [task.last_success for task in await stage.services.memory.list("default")] == [False]


async def test_a_question_whose_time_ran_out_says_nothing_about_the_sequence(theatre: Opener) -> None:
    stage = await held(theatre, WRITES)
    (question,) = (await stage.graph.aget_state(stage.config)).interrupts
    said = {"type": "reject", "by": CLOCK}
    state = await stage.go(Command(resume={question.id: {DESK: True, "decisions": [said]}}))
    assert (stage.troupe.saved, state["outcome"]["status"]) == ([], "rejected")
    assert await stage.services.memory.list("default") == []


async def test_an_answer_that_does_not_fit_leaves_the_question_open_and_says_why(theatre: Opener) -> None:
    stage = await held(theatre, WRITES)
    await stage.answer({"type": "edit", "args": {"recipient": "x"}})
    question = await stage.question()
    assert question is not None
    assert "no argument 'recipient'" in question["description"]
    await stage.answer(APPROVE)
    assert len(stage.troupe.saved) == 1


@pytest.mark.parametrize(
    ("decision", "says"),
    [
        ({"type": "edit", "args": {"path": "../../x.md"}}, "leads out of the output folder"),
        ({"type": "edit", "args": {"path": ""}}, "path: '' should be non-empty"),
        ({"type": "edit", "args": {"path": "taken.md"}}, "use 'taken-2.md'"),
        ({"type": "respond", "message": "use another name"}, "approved, edited or rejected"),
    ],
    ids=["outside", "empty", "taken", "words"],
)
async def test_what_a_step_cannot_do_can_still_be_mended(
    theatre: Opener, tmp_path: Path, decision: dict[str, Any], says: str
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "taken.md").write_text("other")
    deliver = DELIVER.model_copy(update={"tool": "write_file"})
    stage = theatre(Troupe(plans=[Plan(steps=[step("read"), deliver])]), checkpoints=(WRITES,))
    stage.services.tools.tools["write_file"] = file_tools(out)[0]  # type: ignore[index]
    await stage.say("Write it down")
    await stage.answer(decision)
    question = await stage.question()
    assert question is not None
    assert says in question["description"]
    state = await stage.answer({"type": "edit", "args": {"path": "good.md"}})
    assert (state["outcome"]["status"], (out / "good.md").read_text()) == ("done", "read done")


async def test_a_stale_id_does_not_answer_the_next_question(theatre: Opener) -> None:
    stage = await held(theatre, BEFORE, WRITES)
    (first,) = (await stage.graph.aget_state(stage.config)).interrupts
    await stage.answer(APPROVE)
    with pytest.raises(UnknownInterruptError):
        await stage.go(Command(resume={first.id: {"decisions": [APPROVE]}}))
    assert stage.troupe.saved == []
    assert await stage.question() is not None


@pytest.mark.parametrize(("typed", "saved"), [("yes", 1), ("no, because it is wrong", 0)])
async def test_a_typed_answer_instead_of_a_resume_is_taken(theatre: Opener, typed: str, saved: int) -> None:
    stage = await held(theatre, WRITES)
    state = await stage.say(typed)
    assert len(stage.troupe.saved) == saved
    assert state["outcome"]["status"] == ("done" if saved else "rejected")


async def test_other_words_leave_the_question_open(theatre: Opener) -> None:
    stage = await held(theatre, WRITES)
    await stage.say("what is the weather like?")
    question = await stage.question()
    assert question is not None
    assert question["description"].startswith("Your message was not taken")
    assert stage.troupe.saved == []


async def test_siblings_go_on_while_a_step_waits_and_one_question_asks_for_all(theatre: Opener) -> None:
    save_a = step("save_a", "writer", tool="save", effect="write", args={"path": "a", "text": "x"})
    save_b = step("save_b", "writer", tool="save", effect="write", args={"path": "b", "text": "y"})
    plan = Plan(steps=[save_a, save_b, step("read"), step("more", "reader", "read")])
    stage = await held(theatre, WRITES, plan=plan)
    assert {"read", "more"} <= set(stage.troupe.asked)
    question = await stage.question()
    assert question is not None
    assert [r["id"] for r in question["action_requests"]] == ["save_a", "save_b"]
    await stage.answer(APPROVE, {"type": "reject", "message": "no b"})
    assert [note.path for note in stage.troupe.saved] == ["a"]


@pytest.mark.parametrize(
    ("decision", "asked", "status"),
    [
        (APPROVE, ["read", "critic"], "done"),
        ({"type": "reject", "message": "too dear"}, [], "rejected"),
        ({"type": "respond", "message": "leave out b"}, ["planner", "plan_critic"], None),
    ],
    ids=["approve", "reject", "wish"],
)
async def test_a_plan_can_be_looked_at_first(
    theatre: Opener, decision: dict[str, Any], asked: list[str], status: str | None
) -> None:
    stage = await held(theatre, BEFORE, plan=Plan(steps=[step("read")]))
    stage.troupe.asked.clear()
    state = await stage.answer(decision)
    assert stage.troupe.asked == asked
    assert state["outcome"].get("status") == status


async def test_an_edited_plan_is_validated_before_it_runs(theatre: Opener) -> None:
    stage = await held(theatre, BEFORE, plan=Plan(steps=[step("read")]))
    await stage.answer({"type": "edit", "args": {"steps": [{"id": "x", "agent": "nobody", "task": ""}]}})
    question = await stage.question()
    assert question is not None
    assert "unknown_agent" in question["description"]
    await stage.answer({"type": "edit", "args": {"steps": [{"id": "x", "agent": "writer", "task": "just write"}]}})
    assert "x" in stage.troupe.asked


@pytest.mark.parametrize(
    ("decision", "answer"),
    [(APPROVE, "write done"), ({"type": "edit", "args": {"text": "my words"}}, "my words")],
    ids=["approve", "edit"],
)
async def test_a_result_can_be_reviewed(theatre: Opener, decision: dict[str, Any], answer: str) -> None:
    stage = theatre(checkpoints=(RESULT,))
    await stage.say("Write something good")
    assert (await stage.answer(decision))["outcome"]["answer"] == answer


async def test_a_wish_for_the_result_has_it_revised_and_shown_again(theatre: Opener) -> None:
    stage = theatre(checkpoints=(RESULT,))
    await stage.say("Write something good")
    await stage.answer({"type": "respond", "message": "shorter"})
    question = await stage.question()
    assert question is not None
    assert question["action_request"]["args"] == {"text": "write done!"}


@pytest.mark.parametrize(
    ("decision", "asked", "status"),
    [(APPROVE, "write", "done"), ({"type": "reject", "message": "wrong book"}, None, "rejected")],
    ids=["approve", "reject"],
)
async def test_a_stage_is_shown_before_anything_uses_it(
    theatre: Opener, decision: dict[str, Any], asked: str | None, status: str
) -> None:
    stage = theatre(checkpoints=(AFTER_READ,))
    await stage.say("Write something good")
    assert stage.troupe.asked[-1] == "read"
    state = await stage.answer(decision)
    assert ("write" in stage.troupe.asked) is (asked == "write")
    assert stage.troupe.asked.count("read") == 1
    assert state["outcome"]["status"] == status


async def test_an_edited_stage_result_is_what_the_next_step_reads(theatre: Opener) -> None:
    stage = theatre(checkpoints=(AFTER_READ,))
    await stage.say("Write something good")
    state = await stage.answer({"type": "edit", "args": {"text": "corrected"}})
    assert state["results"]["read"]["text"] == "corrected"


@pytest.mark.parametrize(
    ("rule", "score", "asks"),
    [
        (AutoApproval(quality_above=0.85), 0.9, False),
        (AutoApproval(quality_above=0.85), 0.8, True),
        (AutoApproval(success_rate_above=0.8), 0.9, True),
    ],
    ids=["good enough", "not good enough", "no history means asking"],
)
async def test_a_checkpoint_passes_by_itself_when_its_rule_says_so(
    theatre: Opener, rule: AutoApproval, score: float, asks: bool
) -> None:
    gate = AFTER_READ.model_copy(update={"auto_approve_if": rule})
    stage = theatre(Troupe(scores=[score]), checkpoints=(gate,))
    await stage.say("Write something good")
    assert (await stage.question() is not None) is asks
    assert bool(stage.told("checkpoint_passed")) is not asks


async def test_a_no_stands_even_when_the_rule_would_let_it_pass_by_now(theatre: Opener) -> None:
    rule = WRITES.model_copy(update={"auto_approve_if": AutoApproval(success_rate_above=0.5)})
    stage = await held(theatre, rule)
    await stage.services.memory.remember(
        TaskRecord(workspace="default", team="test", goal="x", sequence=["writer"], successes=9, last_success=True)
    )
    await stage.answer({"type": "reject", "message": "not this one"})
    assert stage.troupe.saved == []


async def test_a_step_can_be_looked_at_before_it_starts_and_its_task_changed(theatre: Opener) -> None:
    before_writer = Checkpoint(name="before_writer", condition="BEFORE_EXECUTION", stage="writer")
    stage = theatre(checkpoints=(before_writer,))
    tasks: list[str] = []

    async def perform(request: Assignment) -> StepResult:
        tasks.append(request.step.task)
        return StepResult(step=request.step.id, agent=request.specialist.name, text="done")

    stage.troupe.perform = perform
    await stage.say("Write something good")
    await stage.answer({"type": "edit", "args": {"task": "write it in French"}})
    assert tasks == ["do read", "write it in French"]
