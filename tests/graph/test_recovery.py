"""What is done when a step fails, rung by rung, and that each rung says why."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict

from agents.contracts import Assignment
from agents.tools.registry import Tool, ToolOutput
from domain.checkpoints import Checkpoint
from domain.errors import ModelRefused, ToolError, ToolRefused
from domain.outcomes import StepResult
from domain.plans import Plan
from domain.secrets import Secrets
from graph.context import Limits
from tests.graph.conftest import Opener, Theatre, Troupe, step

FAST = Limits(retry_pause=0)
LAST_PLAN = Limits(retry_pause=0, max_replans=0)
Perform = Callable[[Assignment], Any]


def failing(error: Exception, *, agents: tuple[str, ...] = ("reader", "writer"), step_id: str = "read") -> Perform:
    async def perform(request: Assignment) -> StepResult:
        if request.step.id == step_id and request.specialist.name in agents:
            raise error
        return StepResult(step=request.step.id, agent=request.specialist.name, text=f"by {request.specialist.name}")

    return perform


def rungs(stage: Theatre) -> list[str]:
    return [event.rung for event in stage.told("recovery_chosen")]


async def test_what_passes_by_itself_is_tried_again_and_then_handed_over(theatre: Opener) -> None:
    stage = theatre(Troupe(perform=failing(ToolError("not now"), agents=("reader",))), limits=FAST)
    state = await stage.say("Read it")
    assert rungs(stage) == ["retry", "fallback"]
    assert stage.told("recovery_chosen")[0].why == "reader: tool_failed: not now"
    assert (state["results"]["read"]["attempts"], state["results"]["read"]["agent"]) == (3, "writer")


async def test_what_does_not_pass_is_not_tried_again(theatre: Opener) -> None:
    stage = theatre(Troupe(perform=failing(ModelRefused("no"), agents=("reader",))), limits=FAST)
    await stage.say("Read it")
    assert rungs(stage) == ["fallback"]


async def test_a_handover_does_not_go_back_and_forth(theatre: Opener) -> None:
    stage = theatre(Troupe(perform=failing(ModelRefused("no"))), limits=LAST_PLAN)
    first, second = stage.services.team.specialists
    again = second.model_copy(update={"fallback": first.name})
    stage.services = replace(
        stage.services, team=stage.services.team.model_copy(update={"specialists": (first, again)})
    )
    stage.reopen()
    await stage.say("Read it")
    assert rungs(stage) == ["fallback", "stop"]
    assert stage.troupe.asked.count("read") == 2


async def test_a_plan_that_failed_for_good_is_not_run_again(theatre: Opener) -> None:
    other = Plan(steps=[step("look", "writer")])
    troupe = Troupe(perform=failing(ModelRefused("no")))
    troupe.plans = [troupe.plans[0], troupe.plans[0], other]
    stage = theatre(troupe, limits=FAST)
    state = await stage.say("Read it")
    assert rungs(stage) == ["fallback", "replan"]
    assert [problem.code for problem in troupe.planning[2].problems] == ["already_failed"]
    assert state["outcome"]["status"] == "done"


async def test_a_run_with_no_other_plan_ends_with_what_is_done(theatre: Opener) -> None:
    plan = Plan(steps=[step("good"), step("read")])
    stage = theatre(Troupe(plans=[plan], perform=failing(ModelRefused("no"))), limits=FAST)
    outcome = (await stage.say("Read it"))["outcome"]
    assert (outcome["status"], outcome["failure"]["code"]) == ("failed", "model_refused")
    assert "by reader" in outcome["answer"]
    assert [task.last_success for task in await stage.services.memory.list("default")] == [False]


async def test_where_models_lead_the_rules_do_it_when_nobody_else_can(theatre: Opener) -> None:
    stage = theatre(Troupe(perform=failing(ModelRefused("no"))), limits=LAST_PLAN)

    async def by_rules(request: Assignment) -> StepResult:
        return StepResult(step=request.step.id, agent=request.specialist.name, text="plain", degraded=True)

    services = stage.services
    stage.services = replace(
        services, cast=replace(services.cast, mode="openai:lead"),
        understudies=replace(services.understudies, specialist=by_rules),
    )  # fmt: skip
    stage.reopen()
    state = await stage.say("Read it")
    assert rungs(stage) == ["fallback", "degrade"]
    assert (state["outcome"]["status"], state["outcome"]["degraded"]) == ("done", True)


class Query(BaseModel):
    model_config = ConfigDict(extra="forbid")
    text: str = ""


def with_tools(stage: Theatre, *, main: Any, other: Any) -> None:
    """Give the writer two tools that can stand in for each other."""

    async def run_main(_: Query) -> ToolOutput:
        if isinstance(main, BaseException):
            raise main
        return main  # type: ignore[no-any-return]

    async def run_other(_: Query) -> ToolOutput:
        return other  # type: ignore[no-any-return]

    tools: Any = stage.services.tools.tools
    tools["write_file"] = Tool("write_file", "", Query, run_main, effect="read", alternatives=("save",))
    tools["save"] = Tool("save", "", Query, run_other, effect="read")


LOOK = step("look", "writer", tool="write_file", effect="read", args={"text": "x"})


async def test_another_tool_takes_over(theatre: Opener) -> None:
    stage = theatre(Troupe(plans=[Plan(steps=[LOOK])]), limits=FAST)
    with_tools(stage, main=SystemExit(3), other=ToolOutput("from the other"))
    state = await stage.say("Look at it")
    assert rungs(stage) == ["retry", "alternative_tool"]
    assert state["outcome"]["answer"] == "from the other"


async def test_what_a_tool_refuses_for_good_is_asked_of_another_at_once(theatre: Opener) -> None:
    stage = theatre(Troupe(plans=[Plan(steps=[LOOK])]), limits=FAST)
    with_tools(stage, main=ToolRefused("no such lamp"), other=ToolOutput("from the other"))
    state = await stage.say("Look at it")
    assert rungs(stage) == ["alternative_tool"]
    assert state["outcome"]["answer"] == "from the other"


@pytest.mark.parametrize(
    ("other", "text", "empty"),
    [
        (ToolOutput("found", {"rows": [1]}), "found", False),
        (ToolOutput("", {"rows": []}), "0 rows", True),
    ],
    ids=["the other finds it", "nobody finds anything"],
)
async def test_an_empty_answer_is_no_failure_and_may_be_asked_of_another(
    theatre: Opener, other: ToolOutput, text: str, empty: bool
) -> None:
    plan = Plan(steps=[LOOK.model_copy(update={"on_empty": "fallback"})])
    stage = theatre(Troupe(plans=[plan]), limits=FAST)
    with_tools(stage, main=ToolOutput("0 rows", {"rows": []}), other=other)
    result = (await stage.say("Look at it"))["results"]["look"]
    assert (result["status"], result["empty"]) == ("done", empty)
    assert result["text"] in (text, "Nothing was found.")


async def test_a_condition_can_react_to_an_empty_answer(theatre: Opener) -> None:
    steps = [
        LOOK,
        step("use", "reader", "look", condition={"step": "look", "op": "empty", "value": False}),
        step("search", "reader", "look", condition={"step": "look", "op": "empty"}),
    ]
    stage = theatre(Troupe(plans=[Plan(steps=steps)]), limits=FAST)
    with_tools(stage, main=ToolOutput("", {"rows": []}), other=None)
    state = await stage.say("Look at it")
    assert {key: value["status"] for key, value in state["results"].items()} == {
        "look": "done", "use": "skipped", "search": "done",
    }  # fmt: skip
    assert state["results"]["look"]["text"] == "Nothing was found."


@pytest.mark.parametrize("data", [{"total": "three"}, {}], ids=["wrong type", "missing"])
async def test_an_output_that_is_not_what_the_step_returns_is_a_failure(theatre: Opener, data: dict[str, Any]) -> None:
    plan = Plan(steps=[LOOK.model_copy(update={"returns": {"total": "number"}})])
    stage = theatre(Troupe(plans=[plan]), limits=LAST_PLAN)
    with_tools(stage, main=ToolOutput("x", data), other=ToolOutput("y", {"total": 3}))
    result = (await stage.say("Look at it"))["results"]["look"]
    assert (result["status"], result["text"]) == ("done", "y")
    assert "malformed_output" in stage.told("recovery_chosen")[0].why


class Total(BaseModel):
    total: float


async def test_an_output_that_is_not_what_the_tool_declares_is_a_failure(theatre: Opener) -> None:
    stage = theatre(Troupe(plans=[Plan(steps=[LOOK])]), limits=LAST_PLAN)
    with_tools(stage, main=ToolOutput("x", {"total": "?"}), other=ToolOutput("y"))
    tools: Any = stage.services.tools.tools
    tools["write_file"] = replace(tools["write_file"], returns=Total)
    result = (await stage.say("Look at it"))["results"]["look"]
    assert result["text"] == "y"
    assert "write_file gave data that is not what it declares: total" in stage.told("recovery_chosen")[0].why


async def test_arguments_of_the_wrong_type_are_refused_before_the_call_and_the_question(theatre: Opener) -> None:
    args = {"path": {"ref": {"step": "read", "field": "x"}}, "text": "t"}
    save = step("save", "writer", tool="save", effect="write", args=args)
    stage = theatre(Troupe(plans=[Plan(steps=[step("read"), save])]), limits=LAST_PLAN)
    outcome = (await stage.say("Save it"))["outcome"]
    assert outcome["failure"]["code"] == "invalid_arguments"
    assert "step 'read' gave no 'x'" in outcome["failure"]["message"]
    assert (stage.troupe.saved, stage.told("tool_called")) == ([], [])


async def test_a_secret_that_a_tool_prints_is_hidden_everywhere(theatre: Opener) -> None:
    stage = theatre(Troupe(plans=[Plan(steps=[LOOK])]), limits=LAST_PLAN)
    stage.services = replace(stage.services, secrets=Secrets(["hunter2-hunter2"]))
    stage.reopen()
    with_tools(stage, main=ZeroDivisionError("key hunter2-hunter2"), other=ToolOutput("hunter2-hunter2 it is"))
    state = await stage.say("Look at it")
    assert state["outcome"]["answer"] == "[secret] it is"
    assert "hunter2" not in repr(state) + repr(stage.events)


async def test_a_run_for_which_no_other_plan_can_be_made_keeps_what_is_done(theatre: Opener) -> None:
    broken = Plan(steps=[step("x", "nobody_like_that")])
    troupe = Troupe(plans=[Plan(steps=[step("good"), step("read")]), broken], perform=failing(ModelRefused("no")))
    stage = theatre(troupe, limits=FAST)
    outcome = (await stage.say("Read it"))["outcome"]
    assert (outcome["status"], outcome["failure"]["code"]) == ("failed", "invalid_plan")
    assert "by reader" in outcome["answer"]
    assert [task.last_success for task in await stage.services.memory.list("default")] == [False]


async def test_a_step_whose_specialist_has_left_the_team_fails_and_another_plan_is_made(theatre: Opener) -> None:
    gate = Checkpoint(name="look", condition="BEFORE_EXECUTION", stage="reader")
    stage = theatre(Troupe(plans=[Plan(steps=[step("read")]), Plan(steps=[step("write", "writer")])]))
    team = stage.services.team
    stage.services = replace(stage.services, team=team.model_copy(update={"checkpoints": (gate,)}))
    await stage.say("Read it")
    stage.services = replace(stage.services, team=team.model_copy(update={"specialists": team.specialists[1:]}))
    state = await stage.answer({"type": "approve"})
    assert (rungs(stage), state["outcome"]["status"]) == (["replan"], "done")
    assert "unknown_agent" in stage.told("recovery_chosen")[0].why
