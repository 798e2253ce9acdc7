"""Rollback: a plan that wants all or nothing takes back what it changed when it does not succeed."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import pytest

from agents.contracts import Assignment
from agents.tools.files import file_tools
from agents.tools.registry import Attempt, ToolOutput, Verdict
from domain.checkpoints import Checkpoint
from domain.errors import ToolError
from domain.outcomes import Failure, StepResult
from domain.plans import Plan, Step
from graph.context import Limits
from tests.graph.conftest import Note, Opener, Theatre, Troupe, step

RESULT = Checkpoint(name="look_at_result", condition="AFTER_STAGE", stage="result")
BEFORE_CHECK = Checkpoint(name="look_first", condition="BEFORE_EXECUTION", stage="reader")


def save(path: str, *needs: str) -> Step:
    return step(f"save_{path}", "writer", *needs, tool="save", effect="write", args={"path": path, "text": "x"})


CHECK = step("check", "reader", "save_b", on_failure="rollback")
ALL_OR_NOTHING = Plan(steps=[save("a"), save("b", "save_a"), CHECK])


@dataclass
class Shelf:
    """Where a tool puts notes, and takes them away again."""

    there: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    breaks: list[str] = field(default_factory=list)
    """Notes whose removal breaks off, once each."""
    refuses: str = ""

    async def save(self, note: Note) -> ToolOutput:
        self.there.append(note.path)
        return ToolOutput(f"wrote {note.path}", {"path": note.path})

    async def verify(self, attempt: Attempt) -> Verdict:
        state: Literal["happened", "did_not_happen"]
        state = "happened" if attempt.args.path in self.there else "did_not_happen"
        return Verdict(state)

    async def undo(self, attempt: Attempt, output: ToolOutput) -> ToolOutput:
        path = output.data["path"]
        if path == self.refuses:
            msg = f"{path} was changed since"
            raise ToolError(msg)
        self.there.remove(path)
        self.removed.append(path)
        if path in self.breaks:
            self.breaks.remove(path)
            raise TimeoutError
        return ToolOutput(f"removed {path}")


async def broken(request: Assignment) -> StepResult:
    failure = Failure(code="tool_failed", message="the check failed")
    status: Literal["failed", "done"] = "failed" if request.step.id == "check" else "done"
    return StepResult(step=request.step.id, agent="reader", status=status, failure=failure, confidence=0)


def shelved(theatre: Opener, shelf: Shelf, *checkpoints: Checkpoint, fails: bool = True, **fields: Any) -> Theatre:
    troupe = Troupe(plans=[ALL_OR_NOTHING], perform=broken if fails else None)
    stage = theatre(troupe, checkpoints=checkpoints, limits=Limits(max_attempts=1))
    tool = replace(stage.services.tools.tools["save"], run=shelf.save, **({"undo": shelf.undo} | fields))
    stage.services.tools.tools["save"] = tool  # type: ignore[index]
    return stage


def told(stage: Theatre) -> Sequence[tuple[str, str]]:
    return [(event.step, event.failure.message if event.failure else "") for event in stage.told("effect_undone")]


async def test_a_failed_plan_takes_its_effects_back_the_last_one_first(theatre: Opener) -> None:
    stage = shelved(theatre, shelf := Shelf())
    state = await stage.say("Write both or none")
    outcome = state["outcome"]
    assert (outcome["status"], shelf.there, shelf.removed) == ("failed", [], ["b", "a"])
    assert outcome["undone"] == ["save for step 'save_b': do save_b", "save for step 'save_a': do save_a"]
    assert [state["results"][key]["status"] for key in ("save_a", "save_b")] == ["undone", "undone"]
    assert "wrote" not in outcome["answer"]
    assert [task.last_success for task in await stage.services.memory.list("default")] == [False]
    assert stage.troupe.asked.count("planner") == 1


async def test_a_plan_that_succeeds_keeps_its_effects(theatre: Opener) -> None:
    stage = shelved(theatre, shelf := Shelf(), fails=False)
    outcome = (await stage.say("Write both or none"))["outcome"]
    assert (outcome["status"], shelf.there, outcome["undone"], outcome["kept"]) == ("done", ["a", "b"], [], [])


@pytest.mark.parametrize("checkpoint", [BEFORE_CHECK, RESULT], ids=["a step", "the result"])
async def test_a_persons_no_takes_the_effects_back_too(theatre: Opener, checkpoint: Checkpoint) -> None:
    stage = shelved(theatre, shelf := Shelf(), checkpoint, fails=False)
    await stage.say("Write both or none")
    assert shelf.there == ["a", "b"]
    outcome = (await stage.answer({"type": "reject", "message": "rather not"}))["outcome"]
    assert (outcome["status"], shelf.there, shelf.removed) == ("rejected", [], ["b", "a"])


async def test_what_must_not_be_taken_back_is_kept_and_told(theatre: Opener) -> None:
    stage = shelved(theatre, shelf := Shelf(refuses="b"))
    outcome = (await stage.say("Write both or none"))["outcome"]
    assert shelf.there == ["b"]
    assert outcome["kept"] == ["save for step 'save_b': do save_b: b was changed since"]
    assert told(stage) == [("save_b", "b was changed since"), ("save_a", "")]


async def test_a_plan_without_rollback_says_what_stays(theatre: Opener) -> None:
    stage = shelved(theatre, shelf := Shelf())
    gentle = [save("a"), CHECK.model_copy(update={"needs": ["save_a"], "on_failure": "stop"})]
    stage.troupe.plans = [Plan(steps=gentle)]
    outcome = (await stage.say("Write a, whatever happens"))["outcome"]
    assert (shelf.there, outcome["undone"], outcome["kept"]) == (["a"], [], ["save_a: wrote a"])


async def test_an_undo_that_broke_off_is_looked_into_by_the_tool(theatre: Opener) -> None:
    shelf = Shelf(breaks=["b"])
    stage = shelved(theatre, shelf, verify=shelf.verify)
    outcome = (await stage.say("Write both or none"))["outcome"]
    assert (outcome["status"], shelf.removed) == ("failed", ["b", "a"])


@pytest.mark.parametrize(
    ("answer", "removed", "kept"),
    [({"type": "approve"}, ["b", "a"], 0), ({"type": "reject"}, ["b", "a"], 1)],
    ids=["it was undone", "stop"],
)
async def test_where_only_a_person_knows_the_undo_waits(
    theatre: Opener, answer: dict[str, Any], removed: list[str], kept: int
) -> None:
    stage = shelved(theatre, shelf := Shelf(breaks=["b"]))
    await stage.say("Write both or none")
    question = await stage.question()
    assert question is not None
    assert "whether this was undone" in question["description"]
    assert shelf.there == ["a"]
    outcome = (await stage.answer(answer))["outcome"]
    assert (outcome["status"], shelf.removed, len(outcome["kept"])) == ("failed", removed, kept)


async def test_a_repeated_rollback_undoes_nothing_twice(theatre: Opener) -> None:
    stage = shelved(theatre, shelf := Shelf())
    await stage.say("Write both or none")
    history = [snapshot async for snapshot in stage.graph.aget_state_history(stage.config)]
    stage.config = next(s for s in history if s.next == ("rollback",)).config
    await stage.go(None)
    assert shelf.removed == ["b", "a"]
    assert (await stage.services.effects.of_run("default", history[0].values["run"]))[0].state == "undone"


async def test_files_come_and_go(theatre: Opener, tmp_path: Path) -> None:
    stage = shelved(theatre, Shelf())
    stage.services.tools.tools["write_file"] = file_tools(tmp_path / "out")[0]  # type: ignore[index]
    write = save("a").model_copy(update={"tool": "write_file", "args": {"path": "deep/a.md", "text": "x"}})
    stage.troupe.plans = [Plan(steps=[write, CHECK.model_copy(update={"needs": ["save_a"]})])]
    await stage.say("Write it or do not")
    assert list((tmp_path / "out").iterdir()) == []
