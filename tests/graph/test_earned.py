"""Earned autonomy, through the graph: approved often enough, offered as a rule, and out of force at the first no."""

from dataclasses import replace
from typing import Any

import pytest

from agents.tools.registry import Attempt, ToolOutput
from domain.audit import AuditEntry
from domain.autonomy import Autonomy
from domain.checkpoints import Checkpoint
from domain.notices import Notice
from domain.plans import Plan
from domain.standing import kinds_of
from graph.acts import judge
from memory.audit import Audit
from memory.autonomy import AutonomyMemory
from memory.provenance import Provenance
from memory.standing_rules import _log
from tests.graph.conftest import Opener, Theatre, Troupe, step

ADA = Provenance(writer="person", user="ada")
SAVE = step("keep", "writer", tool="save", effect="write", args={"path": "reports/a.md", "text": "all is well"})
WRITES = Checkpoint(name="before_writing", condition="ON_EFFECT")


def staged(
    theatre: Opener, *checkpoints: Checkpoint, tier: Any = "standard", **tool: Any
) -> tuple[Theatre, list[Notice]]:
    stage = theatre(Troupe(plans=[Plan(steps=[step("read"), SAVE], confidence=0.9)]), checkpoints=checkpoints)
    told: list[Notice] = []

    async def notify(notice: Notice) -> None:
        told.append(notice)

    services = stage.services
    records, team = services.effects._records, services.team
    services.tools.tools["save"] = replace(services.tools.tools["save"], **tool)  # type: ignore[index]
    stage.services = replace(
        services, autonomy=AutonomyMemory.of(records), notify=notify, audit=Audit(records),
        team=team.model_copy(update={"autonomy": Autonomy(tier=tier)}),
    )  # fmt: skip
    return stage, told


def memory_of(stage: Theatre) -> AutonomyMemory:
    assert stage.services.autonomy is not None
    return stage.services.autonomy


async def begin(stage: Theatre, number: int) -> dict[str, Any]:
    stage.config = {"configurable": {"thread_id": f"t{number}", "__pregel_strict_resume": True}}
    return await stage.say("Save the report under reports/a.md with save")


async def approve(stage: Theatre, times: int, *, start: int = 0, **decision: Any) -> dict[str, Any]:
    state: dict[str, Any] = {}
    for number in range(start, start + times):
        await begin(stage, number)
        assert await stage.question() is not None
        state = await stage.answer({"type": "approve", **decision})
    return state


def rulings(stage: Theatre) -> list[tuple[str, str]]:
    return [(event.ruling.action, event.ruling.rule) for event in stage.told("action_ruled")]


async def accepted(stage: Theatre, told: list[Notice]) -> str:
    """Let a rule be earned and accept it; return its id."""
    await approve(stage, 8)
    [proposal] = [notice for notice in told if notice.kind == "proposal"]
    rule = proposal.answer.rpartition(" ")[2]
    await memory_of(stage).rules.accept("default", rule, ADA)
    return rule


async def test_what_cannot_be_undone_is_asked_about_and_says_why(theatre: Opener) -> None:
    stage, told = staged(theatre)
    await begin(stage, 0)
    question = await stage.question()
    assert question is not None
    assert "it cannot be undone" in question["description"]
    assert (rulings(stage), stage.troupe.saved, told) == ([("ask", "tier")], [], [])


async def test_what_can_be_undone_is_done(theatre: Opener) -> None:
    async def undo(attempt: Attempt, output: ToolOutput) -> ToolOutput:
        return output

    stage, told = staged(theatre, undo=undo)
    state = await begin(stage, 0)
    assert (state["outcome"]["status"], len(stage.troupe.saved), told) == ("done", 1, [])
    assert rulings(stage) == [("act", "tier")]


async def test_a_trusted_user_is_told_instead_of_asked(theatre: Opener) -> None:
    stage, told = staged(theatre, tier="trusted")
    await begin(stage, 0)
    assert len(stage.troupe.saved) == 1
    assert [(notice.kind, notice.to) for notice in told] == [("acted", ("ada",))]
    assert "it cannot be undone" in told[0].body


async def test_a_notice_tells_nothing_of_private_work(theatre: Opener) -> None:
    stage, told = staged(theatre, tier="trusted")
    stage.troupe.plans[:] = [Plan(steps=[step("read"), SAVE.model_copy(update={"privacy": "personal"})])]
    await begin(stage, 0)
    await stage.say("yes")  # to the consent
    assert len(stage.troupe.saved) == 1
    assert [notice.title for notice in told] == ["Done without asking: save (with private data)"]
    assert "reports" not in told[0].body


async def test_a_tier_is_the_users_own(theatre: Opener) -> None:
    stage, _ = staged(theatre, tier="trusted")
    await memory_of(stage).trust.set("default", "ada", "cautious", ADA)
    await begin(stage, 0)
    assert (await stage.question() is not None, stage.troupe.saved) == (True, [])


async def test_a_rule_is_offered_once_and_holds_when_it_is_accepted(theatre: Opener) -> None:
    stage, told = staged(theatre, WRITES)
    await approve(stage, 7)
    assert [notice for notice in told if notice.kind == "proposal"] == []
    await approve(stage, 1, start=7)
    [proposal] = [notice for notice in told if notice.kind == "proposal"]
    assert proposal.to == ("ada",)
    assert "'reports'" in proposal.body
    assert "8 approved unchanged" in proposal.body
    await approve(stage, 2, start=8)
    assert len([notice for notice in told if notice.kind == "proposal"]) == 1
    await memory_of(stage).rules.accept("default", proposal.answer.rpartition(" ")[2], ADA)
    state = await begin(stage, 20)
    assert (state["outcome"]["status"], len(stage.troupe.saved)) == ("done", 11)
    assert rulings(stage)[-1] == ("act_and_notify", "standing_rule")


async def test_a_proposal_that_nobody_accepted_lets_nothing_pass(theatre: Opener) -> None:
    stage, _ = staged(theatre, WRITES)
    await approve(stage, 9)
    await begin(stage, 20)
    assert await stage.question() is not None


@pytest.mark.parametrize(
    "answer", [{"type": "reject", "message": "no"}, {"type": "edit", "args": {"text": "better"}}], ids=["no", "edit"]
)
async def test_the_first_no_puts_the_rule_out_of_force(theatre: Opener, answer: dict[str, Any]) -> None:
    stage, told = staged(theatre, WRITES)
    rule = await accepted(stage, told)
    await memory_of(stage).trust.set("default", "ada", "cautious", ADA)  # asked all the same
    await begin(stage, 20)
    await stage.answer(answer)
    assert (await memory_of(stage).rules.get("default", rule)).status == "demoted"
    await memory_of(stage).trust.set("default", "ada", "standard", ADA)
    await begin(stage, 21)
    assert await stage.question() is not None


@pytest.mark.parametrize("outcome", ["undone", "complained"])
async def test_a_bad_outcome_puts_the_rule_out_of_force(theatre: Opener, outcome: Any) -> None:
    stage, told = staged(theatre, WRITES)
    rule = await accepted(stage, told)
    state = await begin(stage, 20)
    effects = [entry.effect for entry in await stage.services.effects.of_run("default", state["run"])]
    await judge(memory_of(stage), "default", "ada", effects, outcome, now=stage.services.clock())
    assert (await memory_of(stage).rules.get("default", rule)).status == "demoted"


async def test_a_rule_that_cannot_be_read_does_not_keep_a_run_from_its_end(theatre: Opener) -> None:
    stage, told = staged(theatre, WRITES)
    name = f"earned-{kinds_of('ada', 'save', SAVE.args)[0].hash[:12]}-1"
    rules = memory_of(stage).rules
    await stage.services.effects._records.append(_log("default"), {"id": name, "move": "odd"})
    state = await approve(stage, 8)
    assert state["outcome"]["status"] == "done"
    assert (await rules.listed("default"), [notice for notice in told if notice.kind == "proposal"]) == ([], [])


async def test_the_audit_names_the_conversation_as_its_user_does(theatre: Opener) -> None:
    stage, _ = staged(theatre)
    stage.config = {"configurable": {"thread_id": "default:wind", "__pregel_strict_resume": True}}
    await stage.say("Save the report under reports/a.md with save")
    await stage.answer({"type": "approve"})
    assert {(entry.kind, entry.thread) for entry in await audited(stage)} == {
        (kind, "wind") for kind in ("ruling", "decision", "effect")
    }


async def audited(stage: Theatre) -> list[AuditEntry]:
    audit = stage.services.audit
    assert audit is not None
    return [noted.entry async for page in audit.pages("default") for noted in page]


async def test_rulings_are_in_the_audit(theatre: Opener) -> None:
    stage, _ = staged(theatre)
    await approve(stage, 1)
    [ruling] = [entry for entry in await audited(stage) if entry.kind == "ruling"]
    assert (ruling.who, ruling.why, ruling.data["tool"]) == ("controller", "ask: tier", "save")
