"""What a person sees is enough to decide, and what is decided is noted and remembered."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, Field

from agents.tools.registry import Attempt, Tool, Toolbox, ToolOutput
from domain.approvals import ActionRequest
from domain.checkpoints import Checkpoint
from domain.decisions import ActKind
from domain.facts import Facts
from domain.plans import Plan
from memory.audit import Audit
from memory.sqlite import SqliteRecords
from tests.graph.conftest import DELIVER, Opener, Theatre, Troupe, step

BEFORE = Checkpoint(name="plan", condition="BEFORE_EXECUTION")
RESULT = Checkpoint(name="result", condition="AFTER_STAGE", stage="result")
WRITES = Checkpoint(name="writes", condition="ON_EFFECT")
READ = Checkpoint(name="reading", condition="AFTER_STAGE", stage="reader")
GOAL = "Write it down, save it as a.md and send it to b@x.example"
APPROVE = {"type": "approve"}


class Person(BaseModel):
    model_config = ConfigDict(extra="forbid")

    address: str
    copies: int = Field(default=1, le=3)


class Mail(BaseModel):
    model_config = ConfigDict(extra="forbid")

    to: list[Person]
    text: str


SEND = step(
    "send", "writer", "read", tool="send", effect="write", privacy="public",
    args={"to": [{"address": "b@x.example"}], "text": {"ref": {"step": "read"}}},
)  # fmt: skip


def mailing(theatre: Opener, *checkpoints: Checkpoint, undo: bool = False, **services: Any) -> Theatre:
    stage = theatre(
        Troupe(plans=[Plan(steps=[step("read"), SEND], rationale="the short way")]), checkpoints=checkpoints
    )

    async def send(mail: Mail) -> ToolOutput:
        stage.troupe.asked.append("send " + ", ".join(f"{each.address} x{each.copies}" for each in mail.to))
        return ToolOutput("sent")

    async def take_back(attempt: Attempt, output: ToolOutput) -> ToolOutput:
        return ToolOutput("taken back")

    tool = Tool(
        name="send", description="sends a mail", parameters=Mail, run=send, effect="write",
        undo=take_back if undo else None,
    )  # fmt: skip
    writer = stage.services.team.specialists[1].model_copy(update={"tools": ("send", "save")})
    team = stage.services.team.model_copy(update={"specialists": (stage.services.team.specialists[0], writer)})
    tools = Toolbox({**stage.services.tools.tools, "send": tool})
    stage.services = replace(stage.services, team=team, tools=tools, **services)
    stage.reopen()
    return stage


async def request_of(stage: Theatre) -> ActionRequest:
    values = (await stage.graph.aget_state(stage.config)).values
    return ActionRequest.model_validate(values["pending"][0])


async def facts_of(stage: Theatre) -> Facts:
    facts = (await request_of(stage)).facts
    assert facts is not None
    return facts


async def test_before_an_effect_a_person_sees_what_to_whom_with_what_and_whether_it_can_be_undone(
    theatre: Opener,
) -> None:
    stage = mailing(theatre, WRITES)
    await stage.say(GOAL)
    facts = await facts_of(stage)
    assert facts.model_dump(include={"what", "to", "data", "privacy", "undo", "rationale"}) == {
        "what": "writer calls send: do send",
        "to": ["b@x.example"],
        "data": ["what 'read' gave"],
        "privacy": "internal",
        "undo": "final",
        "rationale": (await stage.graph.aget_state(stage.config)).values["plan"]["rationale"],
    }
    question = await stage.question()
    assert question is not None
    assert {"to: b@x.example", "undo: not possible"} <= set(question["description"].splitlines())


async def test_what_can_be_undone_is_told_so(theatre: Opener) -> None:
    stage = mailing(theatre, WRITES, undo=True)
    await stage.say(GOAL)
    assert (await facts_of(stage)).undo == "undoable"
    assert (await request_of(stage)).patience.undoable is True


async def test_a_plan_tells_its_recipients_cost_and_worst_step(theatre: Opener) -> None:
    stage = mailing(theatre, BEFORE)
    await stage.say(GOAL)
    facts = await facts_of(stage)
    assert (facts.to, facts.privacy, facts.undo) == (["b@x.example"], "internal", "final")
    assert facts.what == "2 step(s) by reader, writer; 1 of them change something"
    assert {"seconds", "calls"} <= facts.cost.keys()


async def test_an_output_tells_who_will_use_it(theatre: Opener) -> None:
    stage = mailing(theatre, READ)
    await stage.say(GOAL)
    facts = await facts_of(stage)
    assert facts.what.endswith("you see its output, which send will use")
    assert facts.undo == "final"


async def test_a_result_tells_the_critics_scores_and_what_is_done_with_it(theatre: Opener) -> None:
    stage = theatre(Troupe(plans=[Plan(steps=[step("read"), DELIVER])], scores=[0.85]), checkpoints=(RESULT,))
    await stage.say(GOAL)
    facts = await facts_of(stage)
    assert (facts.scores, facts.issues) == ({"overall": 0.85}, ["more"])
    assert facts.what == "the answer is given, then writer calls save"


async def test_what_was_decided_before_is_shown_with_what_came_of_it(theatre: Opener) -> None:
    for decision in (APPROVE, {"type": "reject", "message": "not today"}):
        stage = mailing(theatre, WRITES)
        await stage.say(GOAL)
        await stage.answer(decision)
        stage.config = {"configurable": {"thread_id": f"after {decision['type']}"}}
    stage = mailing(theatre, WRITES)
    await stage.say(GOAL)
    assert (await facts_of(stage)).past == [
        "just now ada rejected send → b@x.example: not today",
        "just now ada approved send → b@x.example, and it was done",
    ]


async def test_a_decision_is_remembered_with_the_fields_that_were_edited(theatre: Opener) -> None:
    stage = mailing(theatre, WRITES)
    await stage.say(GOAL)
    await stage.answer({"type": "edit", "args": {"to": [{"address": "c@x.example", "copies": "2"}]}})
    kind = ActKind(tool="send", scope="b@x.example")
    [past] = await stage.services.lessons.decisions.of_kind("default", kind)
    assert (past.type, past.edited, past.by, past.outcome, past.step) == ("edit", ("to",), "ada", "done", "send")
    assert "send c@x.example x2" in stage.troupe.asked


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        ({"to": [{"address": "c@x.example", "copies": 9}]}, "to.0.copies"),
        ({"to": [{"address": "c@x.example", "bcc": "d@x.example"}]}, "'bcc' was unexpected"),
        ({"to": [{}]}, "'address' is a required property"),
        ({"cc": "d@x.example"}, "takes no argument 'cc'"),
    ],
)
async def test_a_wrong_edit_leaves_the_question_open_and_says_what_is_wrong(
    theatre: Opener, edit: dict[str, Any], says: str
) -> None:
    stage = mailing(theatre, WRITES)
    await stage.say(GOAL)
    await stage.answer({"type": "edit", "args": edit})
    question = await stage.question()
    assert question is not None
    assert says in question["description"]
    assert not [each for each in stage.troupe.asked if each.startswith("send ")]


@pytest.fixture
async def records(tmp_path: Path) -> AsyncIterator[SqliteRecords]:
    file = await SqliteRecords.open(tmp_path / "audit.sqlite")
    yield file
    await file.close()


async def test_the_frozen_decision_is_in_the_audit_with_what_was_shown(theatre: Opener, records: SqliteRecords) -> None:
    audit = Audit(records)
    stage = mailing(theatre, WRITES, audit=audit)
    await stage.say(GOAL)
    state = await stage.answer({"type": "reject", "message": "a name that is nobody's business"})
    noted = [each.entry async for page in audit.pages("default") for each in page]
    [decision] = [entry for entry in noted if entry.kind == "decision"]
    assert (decision.who, decision.step, decision.why) == ("ada", "send", "reject: send")
    assert decision.shown == state["decisions"]["send"]["shown"]
    assert "business" not in decision.model_dump_json()
