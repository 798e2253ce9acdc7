"""Effects happen once: what is recorded is returned, and what nobody knows is looked into before it is repeated."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from agents.contracts import Assignment
from agents.tools.registry import Attempt, Tool, ToolOutput, Verdict
from domain.checkpoints import Checkpoint
from domain.errors import ToolError
from domain.outcomes import StepResult
from domain.plans import Plan
from graph.context import Limits
from memory.constraints import parsed_rule
from memory.provenance import Provenance
from tests.graph.conftest import Note, Opener, Theatre, Troupe, step

SAVE = step("keep", "writer", tool="save", effect="write", args={"path": "a", "text": "x"})
WRITES = Checkpoint(name="before_writing", condition="ON_EFFECT")
HAPPENED = {"type": "approve"}
DID_NOT = {"type": "edit", "args": {"happened": False}}


@dataclass
class Shaky:
    """A tool that breaks off, after its effect or before it, as often as it is told to."""

    breaks: int = 1
    after: bool = True
    saved: list[str] = field(default_factory=list)

    async def save(self, note: Note) -> ToolOutput:
        broken, self.breaks = self.breaks > 0, self.breaks - 1
        if self.after or not broken:
            self.saved.append(note.path)
        if broken:
            raise TimeoutError
        return ToolOutput("saved", {"path": note.path})

    async def look(self, attempt: Attempt) -> Verdict:
        there = attempt.args.path in self.saved
        return Verdict("happened", ToolOutput("found")) if there else Verdict("did_not_happen")


def given(stage: Theatre, run: Callable[..., Any], **fields: Any) -> Theatre:
    """Give the stage another tool of the name `save`."""
    stage.services.tools.tools["save"] = replace(  # type: ignore[index]
        stage.services.tools.tools["save"], run=run, **fields
    )
    return stage


def shaky(theatre: Opener, tool: Shaky, *checkpoints: Checkpoint, **fields: Any) -> Theatre:
    stage = theatre(Troupe(plans=[Plan(steps=[step("read"), SAVE])]), checkpoints=checkpoints, limits=Limits())
    return given(stage, tool.save, **fields)


@pytest.mark.parametrize(
    ("after", "answer", "saved"), [(True, HAPPENED, ["a"]), (False, DID_NOT, ["a"])], ids=["happened", "did not"]
)
async def test_a_person_says_whether_it_happened(
    theatre: Opener, after: bool, answer: dict[str, Any], saved: list[str]
) -> None:
    stage = shaky(theatre, tool := Shaky(after=after))
    await stage.say("Write it down")
    question = await stage.question()
    assert question is not None
    assert question["action_request"]["args"] == {
        "happened": True, "tool": "save", "arguments": {"path": "a", "text": "x"}
    }  # fmt: skip
    state = await stage.answer(answer)
    assert (state["outcome"]["status"], tool.saved) == ("done", saved)
    assert await stage.services.effects.unknown("default") == []


async def test_a_person_may_stop_instead(theatre: Opener) -> None:
    stage = shaky(theatre, tool := Shaky())
    await stage.say("Write it down")
    outcome = (await stage.answer({"type": "reject"}))["outcome"]
    assert (outcome["status"], tool.saved) == ("rejected", ["a"])
    assert "nobody knew" in outcome["failure"]["message"]


@pytest.mark.parametrize(
    ("typed", "status", "saved"),
    [("It happened.", "done", ["a"]), ("it did not", "done", ["a", "a"]), ("stop", "rejected", ["a"])],
)
async def test_the_answer_can_be_typed(theatre: Opener, typed: str, status: str, saved: list[str]) -> None:
    stage = shaky(theatre, tool := Shaky())
    await stage.say("Write it down")
    assert (await stage.say(typed))["outcome"]["status"] == status
    assert tool.saved == saved


@pytest.mark.parametrize(
    "answer",
    [
        {"type": "edit", "args": {"happened": True, "tool": "another"}},
        {"type": "edit", "args": {"happened": "perhaps"}},
        {"type": "respond", "message": "no idea"},
    ],
    ids=["another tool", "neither", "words"],
)
async def test_an_answer_that_settles_nothing_leaves_the_question_open(theatre: Opener, answer: dict[str, Any]) -> None:
    stage = shaky(theatre, tool := Shaky())
    await stage.say("Write it down")
    await stage.answer(answer)
    question = await stage.question()
    assert question is not None
    assert question["description"].startswith("The last answer could not be used")
    assert tool.saved == ["a"]


async def test_an_answer_holds_for_one_attempt_only(theatre: Opener) -> None:
    stage = shaky(theatre, tool := Shaky(breaks=2))
    await stage.say("Write it down")
    await stage.answer(DID_NOT)
    assert await stage.question() is not None
    assert tool.saved == ["a", "a"]
    assert (await stage.answer(HAPPENED))["outcome"]["status"] == "done"
    assert tool.saved == ["a", "a"]


@pytest.mark.parametrize("after", [True, False], ids=["happened", "did not"])
async def test_a_tool_that_can_look_asks_nobody(theatre: Opener, after: bool) -> None:
    stage = shaky(theatre, tool := Shaky(after=after), verify=tool.look)
    state = await stage.say("Write it down")
    assert (state["outcome"]["status"], tool.saved) == ("done", ["a"])
    assert [event.replayed for event in stage.told("effect_recorded")] == [after]


async def test_a_tool_that_cannot_look_now_leaves_it_to_a_person(theatre: Opener) -> None:
    async def fail(attempt: Attempt) -> Verdict:
        msg = "away"
        raise ToolError(msg)

    stage = shaky(theatre, tool := Shaky(), verify=fail)
    await stage.say("Write it down")
    assert await stage.question() is not None
    assert tool.saved == ["a"]


async def rerun(stage: Theatre) -> dict[str, Any]:
    """Go on from the checkpoint in front of the steps, as after a crash before their results were kept."""
    history = [snapshot async for snapshot in stage.graph.aget_state_history(stage.config)]
    latest, stage.config = stage.config, next(s for s in history if s.next == ("specialists",)).config
    await stage.go(None)
    stage.config = latest
    return dict((await stage.graph.aget_state(latest)).values)


async def test_a_rule_that_came_later_does_not_take_a_recorded_result_away(theatre: Opener) -> None:
    stage = shaky(theatre, tool := Shaky(breaks=0))
    await stage.say("Write it down")
    ann = Provenance(writer="person", user="ann")
    rule = parsed_rule({"id": "freeze", "kind": "forbidden_tool", "tools": ["save"]})
    await stage.services.constraints.propose("default", rule, ann)
    await stage.services.constraints.accept("default", "freeze", ann)
    state = await rerun(stage)
    assert (state["outcome"]["status"], tool.saved) == ("done", ["a"])
    assert [event.replayed for event in stage.told("effect_recorded")] == [False, True]


async def test_a_rule_still_stops_what_did_not_happen(theatre: Opener) -> None:
    stage = shaky(theatre, tool := Shaky(after=False))
    await stage.say("Write it down")
    ann = Provenance(writer="person", user="ann")
    rule = parsed_rule({"id": "freeze", "kind": "forbidden_tool", "tools": ["save"]})
    await stage.services.constraints.propose("default", rule, ann)
    await stage.services.constraints.accept("default", "freeze", ann)
    state = await stage.answer(DID_NOT)
    assert (state["results"]["keep"]["failure"]["code"], tool.saved) == ("constraint_violated", [])
    assert await stage.services.effects.unknown("default") == []


async def test_nobody_is_asked_about_what_has_happened_already(theatre: Opener) -> None:
    stage = shaky(theatre, tool := Shaky(breaks=0))
    await stage.say("Write it down")
    team = stage.services.team.model_copy(update={"checkpoints": (WRITES,)})
    stage.services = replace(stage.services, team=team)
    state = await rerun(stage)
    assert (state["outcome"]["status"], tool.saved) == ("done", ["a"])
    assert await stage.question() is None


async def test_a_tools_own_key_makes_calls_of_two_steps_one_effect(theatre: Opener) -> None:
    broken = iter([True, False])

    async def perform(request: Assignment) -> StepResult:
        failed = request.step.id == "read" and next(broken)
        return StepResult(step=request.step.id, agent="reader", text="read", status="failed" if failed else "done")

    again = SAVE.model_copy(update={"id": "keep_again", "args": {"path": "a", "text": "in other words"}})
    first, second = Plan(steps=[SAVE, step("read")]), Plan(steps=[again, step("read")])
    troupe = Troupe(plans=[first, second], perform=perform)
    stage = given(theatre(troupe, limits=Limits(max_attempts=1)), (tool := Shaky(breaks=0)).save, key=("path",))
    stage.services.team.specialists[0].__dict__["fallback"] = None
    assert (await stage.say("Write it down"))["outcome"]["status"] == "done"
    assert tool.saved == ["a"]


async def test_a_tool_that_wants_it_gets_the_key_and_what_it_prepared(theatre: Opener) -> None:
    keys: list[Any] = []

    async def save(note: Note, key: str) -> ToolOutput:
        keys.append(key)
        raise TimeoutError

    async def prepare(note: Note) -> dict[str, Any]:
        return {"was": "empty"}

    async def look(attempt: Attempt) -> Verdict:
        keys.append(attempt.key)
        return Verdict("happened", ToolOutput(attempt.before["was"]))

    fields: dict[str, Any] = {"takes_key": True, "prepare": prepare, "verify": look}
    stage = given(theatre(Troupe(plans=[Plan(steps=[step("read"), SAVE])])), save, **fields)
    state = await stage.say("Write it down")
    assert state["results"]["keep"]["text"] == "empty"
    [recorded] = stage.told("effect_recorded")
    assert keys == [recorded.key, recorded.key]


def test_a_tool_says_what_effect_it_has() -> None:
    with pytest.raises(TypeError, match="effect"):
        Tool(name="save", description="", parameters=Note, run=Shaky().save)  # type: ignore[call-arg]
