from collections.abc import Callable
from typing import Any

import pytest

from agents.contracts import RoutingRequest
from agents.roles.supervisor import Supervisor
from agents.team import Team
from domain.briefings import Briefing
from domain.routing import Neighbour, Recall, RouteDecision
from prompts.loader import Prompts

Opened = Callable[..., Any]
NEAR = Neighbour(task="t1", goal="Sum the sales", sequence=["researcher"], similarity=0.7, success=True, quality=0.9)


@pytest.fixture
def routed(team: Team, briefing: Briefing) -> Callable[..., Any]:
    async def route(on: Any) -> RouteDecision:
        request = RoutingRequest(
            goal="How were sales?", briefing=briefing, team=team, emit=on.events.append,
            recall=Recall(confidence=0.6, neighbours=[NEAR]),
        )  # fmt: skip
        return await Supervisor(on.model, Prompts().load("supervisor"))(request)

    return route


async def test_goal_for_the_team(stage: Opened, routed: Callable[..., Any]) -> None:
    on = stage({"content": {"route": "plan", "kind": "analysis", "message": "On it!", "reason": "Needs the table."}})
    assert await routed(on) == RouteDecision(
        source="planner",
        kind="analysis",
        confidence=0.6,
        band="hint",
        neighbours=[NEAR],
        explanation="Needs the table.",
    )


@pytest.mark.parametrize("route", ["reply", "ask", "refuse"])
async def test_goal_that_ends_here(stage: Opened, routed: Callable[..., Any], route: str) -> None:
    on = stage({"content": {"route": route, "kind": "conversation", "message": " Which year? ", "reason": "Open."}})
    decision = await routed(on)
    assert (decision.source, decision.kind, decision.message) == (route, "conversation", "Which year?")


async def test_refusal_without_words_is_sent_back(stage: Opened, routed: Callable[..., Any]) -> None:
    on = stage({"content": {"route": "refuse"}}, {"content": {"route": "refuse", "message": "That would harm people."}})
    assert (await routed(on)).source == "refuse"
    assert "a refuse needs a message" in on.sent()[1]["messages"][-1]["content"]
