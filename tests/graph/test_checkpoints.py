"""Checkpoints in a run: where they stand, what each action does, and that the strictest wins."""

from dataclasses import replace
from typing import Any

import pytest

from agents.contracts import CritiqueRequest
from domain.checkpoints import AutoApproval, Checkpoint
from domain.errors import StorageAway
from domain.measures import Test
from domain.notices import Notice
from domain.outcomes import Critique
from domain.plans import Plan
from domain.waiting import Level
from memory.checkpoints import Standing, WorkspaceCheckpoints, unreadable
from tests.graph.conftest import DELIVER, Opener, Theatre, Troupe, step

GOAL = "Write it down and save it as a.md"
DELIVERY = Plan(steps=[step("read"), DELIVER], confidence=0.6)
BOSS = Level(to=("boss",))
BEFORE = Checkpoint(name="writes", condition="ON_EFFECT")


def on_value(measure: str, op: str, value: Any, name: str = "value", **fields: Any) -> Checkpoint:
    test = Test.model_validate({"measure": measure, "op": op, "value": value})
    return Checkpoint(name=name, condition="ON_VALUE", when=(test,), **fields)


async def staged(theatre: Opener, *checkpoints: Checkpoint, plan: Plan = DELIVERY, **kwargs: Any) -> Theatre:
    stage = theatre(Troupe(plans=[plan], **kwargs), checkpoints=checkpoints)
    await stage.say(GOAL)
    return stage


async def pending(stage: Theatre) -> list[dict[str, Any]]:
    return list((await stage.graph.aget_state(stage.config)).values.get("pending", []))


async def outcome(stage: Theatre) -> dict[str, Any]:
    return dict((await stage.graph.aget_state(stage.config)).values.get("outcome", {}))


@pytest.mark.parametrize(
    ("checkpoint", "asked"),
    [
        (on_value("confidence", "lt", 0.7, stage="plan"), "plan"),
        (on_value("confidence", "lt", 0.5, stage="plan"), None),
        (on_value("writes", "ge", 1, stage="plan"), "plan"),
        (on_value("risk", "gt", 0.1, stage="plan"), "plan"),
        (on_value("undoable", "eq", False, stage="plan"), "plan"),
        (on_value("tool", "eq", "save"), "deliver"),
        (on_value("tool", "eq", "send"), None),
        (on_value("novelty", "ge", 1.0, stage="writer"), "deliver"),
        (on_value("recipients", "gt", 0), None),
        (on_value("effect", "eq", "write", stage="reader"), None),
        (on_value("quality", "lt", 0.95, stage="result"), "result"),
        (on_value("quality", "lt", 0.5, stage="result"), None),
        (on_value("steps", "eq", 2, stage="result"), "result"),
        (on_value("success_rate", "lt", 0.1, stage="writer"), "deliver"),
    ],
    ids=lambda value: f"{value.when[0]} at {value.stage}" if isinstance(value, Checkpoint) else str(value),
)
async def test_a_value_checkpoint_asks_where_its_test_holds_or_cannot_be_told(
    theatre: Opener, checkpoint: Checkpoint, asked: str | None
) -> None:
    stage = await staged(theatre, checkpoint)
    assert [request["id"] for request in await pending(stage)] == ([asked] if asked else [])
    assert (await outcome(stage)).get("status") == (None if asked else "done")


async def test_what_stands_nowhere_here_says_nothing(theatre: Opener) -> None:
    stage = await staged(theatre, on_value("recipients", "gt", 10))
    assert stage.told("checkpoint_passed") == []


async def test_who_is_notified_is_told_once_and_the_run_goes_on(theatre: Opener) -> None:
    told: list[Notice] = []

    async def notify(notice: Notice) -> None:
        told.append(notice)

    tell = BEFORE.model_copy(update={"action": "NOTIFY"})
    stage = theatre(Troupe(plans=[DELIVERY]), checkpoints=(tell,))
    stage.services = replace(stage.services, notify=notify)
    stage.reopen()
    state = await stage.say(GOAL)
    assert state["outcome"]["status"] == "done"
    own = [notice for notice in told if notice.kind == "checkpoint"]
    assert {notice.id for notice in own} == {f"{state['run']}:checkpoint:writes:deliver"}
    assert [event.rule for event in stage.told("checkpoint_passed")] == ["action"]


async def test_without_anybody_to_tell_there_is_still_the_event(theatre: Opener) -> None:
    stage = await staged(theatre, BEFORE.model_copy(update={"action": "NOTIFY"}))
    assert [event.checkpoint for event in stage.told("checkpoint_passed")] == ["writes"]
    assert (await outcome(stage))["status"] == "done"


async def test_what_escalates_opens_at_the_first_level(theatre: Opener) -> None:
    up = Checkpoint(name="up", condition="ON_EFFECT", action="ESCALATE", escalation=(BOSS,))
    stage = await staged(theatre, BEFORE, up)
    [request] = await pending(stage)
    assert request["checkpoint"] == "up"
    assert (request["patience"]["escalated"], request["patience"]["escalation"][0]["to"]) == (True, ["boss"])
    assert [why.partition(" (")[0] for why in request["facts"]["why"]] == ["checkpoint 'up'", "checkpoint 'writes'"]


async def test_a_step_that_is_blocked_does_nothing_and_says_why(theatre: Opener) -> None:
    block = on_value("tool", "eq", "save", action="BLOCK", name="never", description="saving is off")
    stage = await staged(theatre, BEFORE, block)
    assert await pending(stage) == []
    assert stage.troupe.saved == []
    failure = (await outcome(stage))["failure"]
    assert failure["code"] == "action_refused"
    assert "checkpoint 'never' — saving is off" in failure["message"]


async def test_a_step_without_an_effect_can_be_blocked_too(theatre: Opener) -> None:
    stage = await staged(theatre, Checkpoint(name="c", condition="BEFORE_EXECUTION", stage="reader", action="BLOCK"))
    assert "read" not in stage.troupe.asked
    assert (await outcome(stage))["failure"]["code"] == "action_refused"


async def test_an_output_that_is_blocked_is_not_used_and_not_shown(theatre: Opener) -> None:
    stage = await staged(theatre, Checkpoint(name="c", condition="AFTER_STAGE", stage="reader", action="BLOCK"))
    ended = await outcome(stage)
    assert ended["failure"]["code"] == "action_refused"
    assert "read done" not in ended["answer"]
    assert stage.troupe.saved == []


async def test_a_plan_that_is_blocked_is_not_begun(theatre: Opener) -> None:
    stage = await staged(theatre, on_value("writes", "ge", 1, stage="plan", action="BLOCK"))
    ended = await outcome(stage)
    assert (ended["status"], ended["failure"]["code"]) == ("failed", "action_refused")
    assert ended["answer"].startswith("Nothing was done: checkpoint 'value'")
    assert {"read", "deliver"} & set(stage.troupe.asked) == set()


async def test_an_answer_that_is_blocked_is_neither_given_nor_delivered(theatre: Opener) -> None:
    stage = await staged(theatre, on_value("quality", "lt", 0.95, stage="result", action="BLOCK"))
    ended = await outcome(stage)
    assert ended["failure"]["code"] == "action_refused"
    assert "read done" not in ended["answer"]
    assert stage.troupe.saved == []


async def test_the_clock_may_not_approve_what_cannot_be_undone(theatre: Opener) -> None:
    stage = await staged(theatre, BEFORE.model_copy(update={"on_timeout": "approve"}))
    [request] = await pending(stage)
    assert (request["patience"]["on_timeout"], request["patience"]["undoable"]) == ("halt", False)


async def test_a_person_decides_who_may_pass_but_not_over_a_block(theatre: Opener) -> None:
    free = BEFORE.model_copy(update={"auto_approve_for_users": ("ada",)})
    stage = await staged(theatre, free)
    assert (await outcome(stage))["status"] == "done"
    assert [event.rule for event in stage.told("checkpoint_passed")] == ["auto_approve_for_users"]
    stage = await staged(theatre, free, on_value("tool", "eq", "save", action="BLOCK", name="never"))
    assert stage.troupe.saved == []


class Of(WorkspaceCheckpoints):
    """Stands for the records: what a workspace has, or that nobody can tell."""

    def __init__(self, *standing: Standing, away: bool = False) -> None:
        self._standing, self._away = standing, away

    async def standing(self, workspace: str) -> tuple[Standing, ...]:
        if self._away:
            msg = "away"
            raise StorageAway(msg)
        return self._standing


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (Of(Standing(BEFORE, "")), "the checkpoint always asks"),
        (Of(Standing(BEFORE, "test")), "the checkpoint always asks"),
        (Of(Standing(unreadable("odd", "it cannot be read"), "", readable=False)), "it cannot be evaluated"),
        (Of(Standing(Checkpoint(name="gone", condition="BEFORE_EXECUTION", stage="nobody"), "test")),
         "it cannot be evaluated"),
        (Of(away=True), "it cannot be evaluated"),
        (Of(Standing(BEFORE, "marketing")), None),
    ],
    ids=["every team", "this team", "unreadable", "unknown stage", "away", "another team"],
)  # fmt: skip
async def test_checkpoints_of_the_workspace_stand_beside_the_teams(
    theatre: Opener, given: WorkspaceCheckpoints, reason: str | None
) -> None:
    stage = theatre(Troupe(plans=[DELIVERY]))
    stage.services = replace(stage.services, checkpoints=given)
    stage.reopen()
    await stage.say(GOAL)
    asked = await pending(stage)
    assert [reason in request["facts"]["why"][0] for request in asked] == ([True] if reason else [])
    assert len(stage.troupe.saved) == (0 if reason else 1)


async def test_a_workspace_cannot_switch_off_what_its_team_asks(theatre: Opener) -> None:
    off = BEFORE.model_copy(update={"enabled": False})
    stage = theatre(Troupe(plans=[DELIVERY]), checkpoints=(BEFORE,))
    stage.services = replace(stage.services, checkpoints=Of(Standing(off, "")))
    stage.reopen()
    await stage.say(GOAL)
    assert [request["checkpoint"] for request in await pending(stage)] == ["writes"]


JUDGED = Plan(steps=[step("read"), step("write", "writer", "read")])


@pytest.mark.parametrize("rate", [0.0, 0.9])
async def test_an_output_is_judged_by_what_it_read_and_only_where_that_decides(theatre: Opener, rate: float) -> None:
    """No rate is known here: with a bound on it, a person is asked whatever the critic would say."""
    bounds = AutoApproval(quality_above=0.8, **({"success_rate_above": rate} if rate else {}))
    judged = list[CritiqueRequest]()

    class Judging(Troupe):
        async def critic(self, request: CritiqueRequest) -> Critique:
            judged.append(request)
            return await super().critic(request)

    review = Checkpoint(name="review", condition="AFTER_STAGE", stage="writer", auto_approve_if=bounds)
    stage = theatre(Judging(plans=[JUDGED]), checkpoints=(review,))
    await stage.say("What is in it?")
    if rate:
        assert (len(await pending(stage)), judged) == (1, [])
        return
    output, final = judged
    assert (output.goal, output.draft.text) == ("do write", "write done")
    assert [(result.step, result.text) for result in output.results] == [("read", "read done"), ("write", "")]
    assert final.draft.text == "write done" and await pending(stage) == []
