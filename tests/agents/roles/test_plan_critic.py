from collections.abc import Callable
from typing import Any

import pytest

from agents.contracts import PlanReviewRequest
from agents.roles.plan_critic import PlanCritic
from agents.team import Team
from agents.tools.registry import Toolbox
from domain.briefings import Briefing
from domain.plans import Plan, Problem, Step
from prompts.loader import Prompts

Opened = Callable[..., Any]


@pytest.fixture
def reviewed(team: Team, briefing: Briefing) -> Callable[..., Any]:
    async def review(on: Any, **more: Any) -> list[Problem]:
        given = {"plan": Plan(steps=[Step(id="find", agent="researcher", task="Find the sales.")])} | more
        request = PlanReviewRequest(
            goal="How were sales?", briefing=briefing, team=team, emit=on.events.append, tools=Toolbox({}),
            **given,
        )  # fmt: skip
        return await PlanCritic(on.model, Prompts().load("plan_critic"))(request)

    return review


async def test_good_plan(stage: Opened, reviewed: Callable[..., Any]) -> None:
    assert await reviewed(stage({"content": {"problems": []}})) == []


async def test_faults(stage: Opened, reviewed: Callable[..., Any]) -> None:
    faults: list[dict[str, Any]] = [
        {"code": "redundant_step", "step": "find", "message": "The goal needs no search."},
        {"code": "missing_consent", "step": None, "message": "Ask the customer."},
        {"code": "conflict", "step": "elsewhere", "message": "Of another plan."},
    ]
    assert await reviewed(stage({"content": {"problems": faults}})) == [Problem(**fault) for fault in faults[:2]]


async def test_other_codes_are_sent_back(stage: Opened, reviewed: Callable[..., Any]) -> None:
    on = stage({"content": {"problems": [{"code": "cycle", "message": "?"}]}}, {"content": {"problems": []}})
    assert await reviewed(on) == []
    assert "problems.0.code: literal_error" in on.sent()[1]["messages"][-1]["content"]


async def test_what_code_finds_needs_no_model(stage: Opened, reviewed: Callable[..., Any]) -> None:
    twice = [Step(id=name, agent="researcher", task="Find the sales.") for name in ("a", "b")]
    assert [problem.code for problem in await reviewed(stage(), plan=Plan(steps=twice))] == ["redundant_step"]


async def test_finished_steps_are_named_and_not_judged(stage: Opened, reviewed: Callable[..., Any]) -> None:
    on = stage({"content": {"problems": [{"code": "risk", "step": "find", "message": "too late"}]}})
    assert await reviewed(on, finished=["find"]) == []
    assert "judge what follows):\nfind" in on.sent()[0]["messages"][1]["content"]
