from collections.abc import Callable
from typing import Any

import pytest

from agents.contracts import Planning, PlanningRequest
from agents.roles.planner import NO_DELIVERY, Planner
from agents.team import PlanningPolicy, Team
from agents.tools.registry import Tool, Toolbox
from domain.briefings import Briefing
from domain.outcomes import Failure, StepResult
from domain.plans import Plan, Problem, Step
from domain.routing import Neighbour, Recall
from prompts.loader import Prompts

Opened = Callable[..., Any]

FIND = {"id": "find", "agent": "researcher", "task": "Find the sales."}
DELIVER = {
    "id": "deliver", "agent": "writer", "task": "Write it.", "tool": "write_file",
    "args": {"path": "sales.md", "text": {"ref": {"step": "result"}}},
}  # fmt: skip
PLANNED = {
    "alternatives": [
        {"steps": [FIND, DELIVER], "strategy": "simple", "rationale": "Short.", "confidence": 0.8, "quality": 0.9},
        {"steps": [FIND]},
    ]
}


@pytest.fixture
def planned(team: Team, briefing: Briefing, read_tool: Tool, write_tool: Tool) -> Callable[..., Any]:
    async def plan(on: Any, **more: Any) -> Planning:
        request = PlanningRequest(
            goal="How were sales?", briefing=briefing, emit=on.events.append, kind="analysis",
            tools=Toolbox.of([read_tool, write_tool]), **({"recall": Recall(), "team": team} | more),
        )  # fmt: skip
        return await Planner(on.model, Prompts().load("planner"))(request)

    return plan


def told(on: Any) -> str:
    """Return the user message of the last request."""
    text: str = on.sent()[-1]["messages"][1]["content"]
    return text


async def test_alternatives(stage: Opened, planned: Callable[..., Any]) -> None:
    planning = await planned(stage({"content": PLANNED}))
    find, deliver = Step.model_validate(FIND), Step.model_validate(DELIVER | {"effect": "write"})
    assert planning == Planning(
        alternatives=[
            Plan(steps=[find, deliver], rationale="Short.", confidence=0.8, estimates={"quality": 0.9}),
            Plan(steps=[find]),
        ]
    )


@pytest.mark.parametrize(
    ("fault", "place"),
    [
        ({"id": "Find it"}, "alternatives.0.steps.0.id: string_pattern_mismatch"),
        (
            {"args": {"text": {"ref": {"from": "find"}}}},
            "alternatives.0.steps.0.args: value_error: Value error, a reference is",
        ),
        ({"condition": {"step": "a", "op": "like"}}, "alternatives.0.steps.0.condition.op: literal_error"),
    ],
    ids=["id", "reference", "condition"],
)
async def test_unusable_step_is_sent_back(
    stage: Opened, planned: Callable[..., Any], fault: dict[str, Any], place: str
) -> None:
    on = stage({"content": {"alternatives": [{"steps": [FIND | fault]}]}}, {"content": PLANNED})
    await planned(on)
    assert place in on.sent()[1]["messages"][-1]["content"]


@pytest.mark.parametrize(("delivers", "asked"), [(True, True), (False, False)])
async def test_delivery(stage: Opened, planned: Callable[..., Any], delivers: bool, asked: bool) -> None:
    on = stage({"content": PLANNED})
    await planned(on, delivers=delivers)
    system = on.sent()[0]["messages"][0]["content"]
    assert ('"tool": "write_file"' in system, NO_DELIVERY not in system) == (asked, asked)


@pytest.mark.parametrize(("confidence", "shown"), [(0.6, True), (0.3, False)], ids=["hint", "plan"])
async def test_memories_are_shown_in_the_hint_band(
    stage: Opened, planned: Callable[..., Any], confidence: float, shown: bool
) -> None:
    near = Neighbour(task="t1", goal="Sum the sales", sequence=["researcher"], similarity=0.7, success=True)
    on = stage({"content": PLANNED})
    await planned(on, recall=Recall(confidence=confidence, neighbours=[near]))
    assert ("Sum the sales -> researcher" in told(on)) is shown


async def test_a_plan_that_memory_is_sure_of_and_that_cannot_run_is_a_hint_with_its_problems(
    stage: Opened, planned: Callable[..., Any]
) -> None:
    near = Neighbour(task="t1", goal="Sum the sales", sequence=["researcher"], similarity=0.9, success=True)
    on = stage({"content": PLANNED})
    problem = Problem(code="constraint_violated", step="find", message="no_mail forbids it")
    await planned(on, recall=Recall(confidence=0.9, neighbours=[near]), unfit=[problem])
    assert "Sum the sales -> researcher" in told(on)
    assert "\n- constraint_violated in 'find': no_mail forbids it\n</data>" in told(on)


async def test_rejected_plan_comes_with_problems_and_failures(stage: Opened, planned: Callable[..., Any]) -> None:
    on = stage({"content": PLANNED})
    failed = StepResult(
        step="find", agent="researcher", status="failed", failure=Failure(code="tool_timeout", message="too slow")
    )
    problem = Problem(code="unknown_agent", step="find", message="'finder' is not one of researcher, writer")
    await planned(on, rejected=Plan(steps=[Step.model_validate(FIND)]), problems=[problem], failures=[failed])
    assert '{"id":"find","agent":"researcher","task":"Find the sales."}' in told(on)
    assert "- unknown_agent in 'find': 'finder' is not one of researcher, writer" in told(on)
    assert "failed (tool_timeout: too slow)" in told(on)


async def test_a_long_rejected_plan_is_shown_in_part(stage: Opened, planned: Callable[..., Any]) -> None:
    on = stage({"content": PLANNED})
    rejected = Plan(steps=[Step(id=f"s{i}", agent="researcher", task="x") for i in range(500)])
    await planned(on, rejected=rejected)
    assert "(and 450 more steps)" in told(on) and '"s50"' not in told(on)


async def test_the_next_stretch_is_planned_behind_what_is_finished(stage: Opened, planned: Callable[..., Any]) -> None:
    finished, more = Step.model_validate(FIND), {"id": "tell", "agent": "writer", "task": "Tell.", "needs": ["find"]}
    on = stage({"content": {"alternatives": [{"steps": [more], "continues": True}, {"steps": []}]}})
    found = StepResult(step="find", agent="researcher", text="Sales were 12.")
    planning = await planned(on, finished=[finished], results=[found], stretches_left=2, rules=["no spam"])
    assert [(plan.steps, plan.continues) for plan in planning.alternatives] == [
        ([Step.model_validate(more)], True), ([finished], False),
    ]  # fmt: skip
    for shown in ('{"id":"find"', "Sales were 12.", "may follow this one: 2", "- no spam"):
        assert shown in told(on)


async def test_a_first_plan_needs_a_step(stage: Opened, planned: Callable[..., Any]) -> None:
    on = stage({"content": {"alternatives": [{"steps": []}]}}, {"content": PLANNED})
    await planned(on)
    assert "a plan has at least one step" in on.sent()[1]["messages"][-1]["content"]


async def test_team_and_budget_are_told(stage: Opened, planned: Callable[..., Any], team: Team) -> None:
    on = stage({"content": PLANNED})
    policy = PlanningPolicy(max_alternatives=2, strategy="adaptive")
    await planned(on, team=team.model_copy(update={"planning": policy}), budget={"seconds": 60.0})
    system = on.sent()[0]["messages"][0]["content"]
    assert "one to 2 plans" in system and "Wanted here: adaptive." in system
    assert "seconds: 60" in told(on)
