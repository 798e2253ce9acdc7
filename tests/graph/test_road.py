"""The whole road, through the graph's public door."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agents.contracts import Assignment, Planning, PlanningRequest
from agents.tools.files import file_tools
from agents.tools.registry import ToolOutput
from domain.checkpoints import Checkpoint
from domain.errors import ToolError
from domain.events import RoleDegraded
from domain.outcomes import StepResult
from domain.plans import Plan, Problem, Step
from domain.routing import RouteDecision
from graph.context import Limits
from tests.graph.conftest import DELIVER, Note, Opener, Troupe, step

FILE = step(
    "deliver",
    "writer",
    tool="write_file",
    effect="write",
    args={"path": "report.md", "text": {"ref": {"step": "result"}}},
)


async def test_a_goal_is_planned_done_criticised_and_remembered(theatre: Opener) -> None:
    stage = theatre()
    state = await stage.say("Create a blog post about AI trends")
    assert stage.troupe.asked == ["supervisor", "planner", "plan_critic", "read", "write", "critic"]
    assert state["outcome"]["status"] == "done"
    assert state["outcome"]["answer"] == state["messages"][-1].text == "write done"
    assert [task.sequence for task in await stage.services.memory.list("default")] == [["reader", "writer"]]


async def test_a_similar_goal_takes_the_remembered_sequence_and_skips_the_planner(theatre: Opener) -> None:
    stage = theatre(Troupe(scores=[0.92]))
    await stage.say("Create a blog post about AI trends")
    stage.troupe.asked.clear()
    state = await stage.say("Write a blog about machine learning")
    assert stage.troupe.asked == ["read", "write", "critic"]
    assert state["decision"]["source"] == "memory"
    assert state["decision"]["confidence"] > 0.8
    assert state["decision"]["sequence"] == ["reader", "writer"]


async def test_a_remembered_plan_that_cannot_run_here_goes_to_the_planner_with_its_problems(theatre: Opener) -> None:
    stage = theatre(Troupe(scores=[0.92]))
    await stage.say("Create a blog post about AI trends")
    stage.troupe.plans, team = [Plan(steps=[step("look")])], stage.services.team
    reader = team.specialists[0].model_copy(update={"fallback": None})
    stage.services = replace(stage.services, team=team.model_copy(update={"specialists": (reader,)}))
    stage.reopen()
    state = await stage.say("Write a blog about machine learning")
    assert (state["recall"]["confidence"] > 0.8, state["decision"]["source"]) == (True, "planner")
    assert [problem.code for problem in stage.troupe.planning[-1].unfit] == ["unknown_agent"]
    assert list(stage.troupe.planning[0].unfit) == []


async def test_work_below_the_bar_is_given_but_never_reused(theatre: Opener) -> None:
    stage = theatre(Troupe(scores=[0.5]))
    state = await stage.say("Create a blog post about AI trends")
    assert state["outcome"]["status"] == "done"
    (task,) = await stage.services.memory.list("default")
    assert (task.successes, task.failures, task.last_success) == (0, 1, False)
    assert "below" in task.error
    again = await stage.say("Create a blog post about AI trends")
    assert again["decision"]["source"] == "planner"


async def test_work_below_the_bar_that_a_person_approved_is_a_success(theatre: Opener) -> None:
    gate = Checkpoint(name="look", condition="AFTER_STAGE", stage="result")
    stage = theatre(Troupe(scores=[0.5]), checkpoints=(gate,))
    await stage.say("Create a blog post about AI trends")
    await stage.answer({"type": "approve"})
    (task,) = await stage.services.memory.list("default")
    assert (task.successes, task.failures) == (1, 0)


async def test_an_unlike_goal_is_planned_anew(theatre: Opener) -> None:
    stage = theatre(Troupe(scores=[0.92]))
    await stage.say("Create a blog post about AI trends")
    state = await stage.say("What is the refund policy for enterprise plans?")
    assert state["decision"]["source"] == "planner"


@pytest.mark.parametrize(("source", "status"), [("reply", "replied"), ("ask", "asked"), ("refuse", "refused")])
async def test_the_supervisor_can_end_it(theatre: Opener, source: Any, status: str) -> None:
    stage = theatre(Troupe(decision=RouteDecision(source=source, message="hello")))
    state = await stage.say("hi there")
    assert (state["outcome"]["status"], state["messages"][-1].text) == (status, "hello")
    assert await stage.services.memory.count("default") == 0


async def test_an_empty_message_is_asked_back(theatre: Opener) -> None:
    stage = theatre()
    state = await stage.say("   ")
    assert state["outcome"]["status"] == "asked"
    assert stage.troupe.asked == []


async def test_several_ends_are_composed_into_one_draft(theatre: Opener) -> None:
    stage = theatre(Troupe(plans=[Plan(steps=[step("a"), step("b")])]))
    state = await stage.say("Compare a and b please")
    assert "composer" in stage.troupe.asked
    assert state["outcome"]["answer"] == "a done + b done"


async def test_a_draft_is_revised_until_it_is_good_enough_and_the_best_one_is_kept(theatre: Opener) -> None:
    stage = theatre(Troupe(scores=[0.5, 0.7, 0.95]))
    state = await stage.say("Write something good")
    assert state["outcome"]["answer"] == "write done!!"
    assert (state["outcome"]["stopped"], state["outcome"]["iterations"]) == ("threshold_met", 3)


@pytest.mark.parametrize(
    ("scores", "drafts", "stopped", "quality", "answer"),
    [
        ([0.5, 0.55], [], "plateau", 0.55, "write done!"),
        ([0.5, 0.3], [], "plateau", 0.5, "write done"),
        ([0.1, 0.3, 0.5, 0.7], [], "max_iterations", 0.7, "write done!!!"),
        ([0.5], ["write  done"], "repeat", 0.5, "write done"),
    ],
    ids=["too small a gain", "worse: the best is kept", "cap", "the same again"],
)
async def test_critique_stops_for_a_named_reason(
    theatre: Opener, scores: list[float], drafts: list[str], stopped: str, quality: float, answer: str
) -> None:
    stage = theatre(Troupe(scores=scores, drafts=drafts))
    outcome = (await stage.say("Write something good"))["outcome"]
    assert (outcome["stopped"], outcome["quality"], outcome["answer"]) == (stopped, quality, answer)


async def test_a_plan_that_cannot_run_goes_back_with_its_problems(theatre: Opener) -> None:
    broken, good = Plan(steps=[step("a", "nobody")]), Plan(steps=[step("a")])
    stage = theatre(Troupe(plans=[broken, good]))
    state = await stage.say("Do something useful")
    assert [p.code for p in stage.troupe.planning[1].problems] == ["unknown_agent"]
    assert state["outcome"]["status"] == "done"


async def test_planning_is_bounded_and_its_end_is_named(theatre: Opener) -> None:
    stage = theatre(Troupe(plans=[Plan(steps=[step("a", "nobody")])]), limits=Limits(max_plan_revisions=2))
    outcome = (await stage.say("Do something useful"))["outcome"]
    assert (outcome["status"], outcome["stopped"]) == ("failed", "max_plan_revisions")
    assert stage.troupe.asked.count("planner") == 4  # three tries, then the rule-based one


async def test_the_plan_critic_sends_a_plan_back(theatre: Opener) -> None:
    stage = theatre(Troupe(problems=[[Problem(code="redundant_step", step="a", message="nobody reads it")]]))
    await stage.say("Do something useful")
    assert stage.troupe.asked[:5] == ["supervisor", "planner", "plan_critic", "planner", "plan_critic"]


def failing(name: str, times: int) -> Callable[[Assignment], Any]:
    left = [times]

    async def perform(request: Assignment) -> StepResult:
        if request.step.id == name and left[0] > 0:
            left[0] -= 1
            msg = "the index is gone"
            raise ToolError(msg)
        return StepResult(step=request.step.id, agent=request.specialist.name, text=f"by {request.specialist.name}")

    return perform


@pytest.mark.parametrize(
    ("failures", "agent", "attempts"), [(1, "reader", 2), (2, "writer", 3)], ids=["retry", "fallback"]
)
async def test_a_failing_step_is_tried_again_and_then_handed_over(
    theatre: Opener, failures: int, agent: str, attempts: int
) -> None:
    stage = theatre(Troupe(perform=failing("read", failures)))
    result = (await stage.say("Read it"))["results"]["read"]
    assert (result["agent"], result["attempts"], result["status"]) == (agent, attempts, "done")


async def test_a_lost_step_leads_to_another_plan_that_keeps_what_is_done(theatre: Opener) -> None:
    first = Plan(steps=[step("good"), step("bad"), step("end", "writer", "good", "bad")])
    second = Plan(steps=[step("good"), step("end", "writer", "good")])
    stage = theatre(Troupe(plans=[first, second], perform=failing("bad", 99)))
    state = await stage.say("Read it")
    assert [f.step for f in stage.troupe.planning[1].failures] == ["bad"]
    assert stage.troupe.asked.count("good") == 1
    assert state["outcome"]["status"] == "done"


async def test_a_run_with_a_lost_step_never_reports_success(theatre: Opener) -> None:
    stage = theatre(Troupe(plans=[Plan(steps=[step("bad"), step("end", "writer", "bad")])], perform=failing("bad", 99)))
    outcome = (await stage.say("Read it"))["outcome"]
    assert outcome["status"] == "failed"
    assert outcome["failure"] == {"code": "tool_failed", "message": "step 'bad': the index is gone"}
    assert "end" not in stage.troupe.asked
    assert [task.last_success for task in await stage.services.memory.list("default")] == [False]


async def test_a_delivery_gets_the_final_draft(theatre: Opener) -> None:
    stage = theatre(Troupe(plans=[Plan(steps=[step("read"), DELIVER])], scores=[0.5, 0.9]))
    state = await stage.say("Write it down")
    assert [(note.path, note.text) for note in stage.troupe.saved] == [("a.md", "read done!")]
    assert state["outcome"]["status"] == "done"


@pytest.mark.parametrize(
    ("name", "again"), [("write", ["write"]), ("read", ["read", "write"])], ids=["the last", "one that others read"]
)
async def test_a_deleted_result_is_made_again_with_what_follows(theatre: Opener, name: str, again: list[str]) -> None:
    stage = theatre()
    await stage.say("Do something useful")
    history = [s async for s in stage.graph.aget_state_history(stage.config)]
    before = next(s for s in history if s.next == ("critic",))
    results = {key: value for key, value in before.values["results"].items() if key != name}
    stage.config = await stage.graph.aupdate_state(before.config, {"results": results}, as_node="approve_steps")
    stage.troupe.asked.clear()
    await stage.go(None)
    assert stage.troupe.asked == [*again, "critic"]


async def test_a_new_plan_keeps_no_result_that_was_built_on_a_changed_step(theatre: Opener) -> None:
    def plan(task: str, *end: Step) -> Plan:
        chain = [step("a").model_copy(update={"task": task}), step("b", "reader", "a"), step("c", "reader", "b")]
        return Plan(steps=[*chain, *end])

    first, second = plan("old", step("bad", "reader", "c")), plan("new")
    stage = theatre(Troupe(plans=[first, second], perform=failing("bad", 99)))
    await stage.say("Read it")
    assert [stage.troupe.asked.count(name) for name in "abc"] == [2, 2, 2]


async def test_a_run_that_is_remembered_twice_counts_once(theatre: Opener) -> None:
    stage = theatre()
    await stage.say("Do something useful")
    history = [s async for s in stage.graph.aget_state_history(stage.config)]
    stage.config = next(s for s in history if s.next == ("remember",)).config
    await stage.go(None)
    assert [task.successes for task in await stage.services.memory.list("default")] == [1]


async def test_a_twin_that_stepped_in_for_any_role_shows_in_the_outcome(theatre: Opener) -> None:
    stage = theatre()
    planner = stage.troupe.planner

    async def degraded(request: PlanningRequest) -> Planning:
        request.emit(RoleDegraded(role="planner", reason="away"))
        return await planner(request)

    stage.services = replace(stage.services, cast=replace(stage.services.cast, planner=degraded))
    stage.reopen()
    assert (await stage.say("Do something useful"))["outcome"]["degraded"] is True


async def test_an_unknown_effect_is_never_skipped_over(theatre: Opener) -> None:
    save = step("save", "writer", tool="save", effect="write", args={"path": "a", "text": "x"}, on_failure="skip")
    stage = theatre(Troupe(plans=[Plan(steps=[step("read"), save])]))

    async def hang(note: Note) -> ToolOutput:
        raise TimeoutError

    tool = replace(stage.services.tools.tools["save"], run=hang)
    stage.services.tools.tools["save"] = tool  # type: ignore[index]
    await stage.say("Write it down")
    question = await stage.question()
    assert question is not None
    assert question["action_request"]["action"] == "settle_effect"


async def test_a_reused_plan_gets_a_file_name_of_its_own(theatre: Opener, tmp_path: Path) -> None:
    stage = theatre(Troupe(plans=[Plan(steps=[step("read"), FILE])], scores=[0.92]))
    stage.services.tools.tools["write_file"] = file_tools(tmp_path / "out")[0]  # type: ignore[index]
    for goal in ("Write a brief on wind power", "Write a brief on wind power", "Write a brief on coal"):
        assert (await stage.say(goal))["outcome"]["status"] == "done"
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["coal.md", "report.md", "wind-power.md"]


async def test_a_new_goal_finds_nothing_of_the_last_one(theatre: Opener) -> None:
    stage = theatre(Troupe(scores=[0.2, 0.9]))
    first = await stage.say("Create a blog post about AI trends")
    assert (len(first["attempts"]), first["stopped"]) == (2, "threshold_met")
    assert "limit" not in first  # nothing is written with each checkpoint that no node has set
    left = {"limit": {"code": "budget_calls", "message": "used up"}, "undone": ["old"], "kept": ["old"]}
    await stage.graph.aupdate_state(stage.config, left, as_node="remember")
    stage.troupe.decision = RouteDecision(source="reply", message="hello")
    second = await stage.say("hi there")
    assert second["outcome"]["status"] == "replied"
    assert {name: second[name] for name in ("plan", "attempts", "stopped", *left)} == {
        "plan": {}, "attempts": [], "stopped": "", "limit": {}, "undone": [], "kept": [],
    }  # fmt: skip
