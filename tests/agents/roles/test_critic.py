from collections.abc import Callable
from typing import Any

import pytest

from agents.contracts import CritiqueRequest
from agents.roles.critic import Critic
from agents.team import Quality, Team
from domain.briefings import Briefing
from domain.outcomes import Critique, Draft
from prompts.loader import Prompts

Opened = Callable[..., Any]


@pytest.fixture
def criticised(team: Team, briefing: Briefing) -> Callable[..., Any]:
    async def criticise(on: Any) -> Critique:
        request = CritiqueRequest(
            goal="How were sales?", briefing=briefing, team=team, emit=on.events.append, results=[],
            draft=Draft(text="Good.", by="composer"), quality=Quality(critique_aspects=("clarity", "accuracy")),
        )  # fmt: skip
        return await Critic(on.model, Prompts().load("critic"))(request)

    return criticise


async def test_score_is_the_mean_of_the_wanted_aspects(stage: Opened, criticised: Callable[..., Any]) -> None:
    aspects = {"clarity": 0.9, "accuracy": 0.5, "charm": 0.1}
    on = stage({"content": {"score": 1.0, "aspects": aspects, "issues": ["Name the year."]}})
    assert await criticised(on) == Critique(
        score=0.7, aspects={"clarity": 0.9, "accuracy": 0.5}, issues=["Name the year."]
    )


@pytest.mark.parametrize(
    ("aspects", "says"),
    [({"clarity": 0.9}, "a score is missing for accuracy"), ({"clarity": 9, "accuracy": 1}, "aspects.clarity: less_")],
    ids=["missing", "out-of-range"],
)
async def test_unusable_scores_are_sent_back(
    stage: Opened, criticised: Callable[..., Any], aspects: dict[str, float], says: str
) -> None:
    on = stage({"content": {"aspects": aspects}}, {"content": {"aspects": {"clarity": 1, "accuracy": 1}}})
    assert (await criticised(on)).score == 1
    assert says in on.sent()[1]["messages"][-1]["content"]
