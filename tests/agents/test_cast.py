from collections.abc import Callable
from typing import Any

import pytest

from agents.cast import build_cast
from agents.contracts import Cast, CompositionRequest, PlanningRequest
from agents.model_settings import ModelSettings
from agents.models import Models
from agents.team import Specialist, Team
from agents.tools.registry import Toolbox
from domain.briefings import Briefing
from domain.errors import InvalidSettings, ToolError
from domain.events import RoleDegraded
from domain.outcomes import Draft
from domain.routing import Recall

Opened = Callable[..., Any]

UNFIT: dict[str, Any] = {"content": {"plans": []}}
"""An answer that no role can use."""


async def never(request: Any) -> Any:
    msg = f"no twin is wanted for {type(request).__name__}"
    raise AssertionError(msg)


async def twin(request: Any) -> Draft:
    return Draft(text=f"From the rules: {request.goal}", by="rules", degraded=True)


def rules(**roles: Any) -> Cast:
    names = ("supervisor", "planner", "plan_critic", "specialist", "composer", "critic", "reviser")
    return Cast(**(dict.fromkeys(names, never) | roles))


def composition(stage: Any, team: Team, briefing: Briefing) -> CompositionRequest:
    return CompositionRequest(
        goal="Sales?", briefing=briefing, team=team, emit=stage.events.append, kind="search", results=[]
    )


def degraded(stage: Any) -> list[RoleDegraded]:
    return [event for event in stage.events if isinstance(event, RoleDegraded)]


def test_without_models_the_rules_play(team: Team) -> None:
    cast = rules()
    assert build_cast(team, None, cast) is cast


async def test_model_plays(stage: Opened, team: Team, briefing: Briefing) -> None:
    on = stage({"content": "Sales were 12."})
    cast = build_cast(team, on.models, rules())
    assert cast.mode == "openai:lead"
    assert (await cast.composer(composition(on, team, briefing))).text == "Sales were 12."
    assert degraded(on) == []


async def test_job_has_a_model_of_its_own(stage: Opened, team: Team, briefing: Briefing) -> None:
    on = stage({"content": "Sales were 12."}, jobs={"composer": "openai:writer"})
    await build_cast(team, on.models, rules()).composer(composition(on, team, briefing))
    assert on.sent()[0]["model"] == "writer"


async def test_fallback_model_comes_before_the_twin(stage: Opened, team: Team, briefing: Briefing) -> None:
    on = stage({"status": 500}, {"content": "Sales were 12."}, fallback="openai:spare")
    cast = build_cast(team, on.models, rules())
    assert await cast.composer(composition(on, team, briefing)) == Draft(text="Sales were 12.", by="composer")
    assert [request["model"] for request in on.sent()] == ["lead", "spare"]


async def test_twin_steps_in_last(stage: Opened, team: Team, briefing: Briefing) -> None:
    on = stage({"status": 500}, {"refusal": "No."}, fallback="openai:spare")
    cast = build_cast(team, on.models, rules(composer=twin))
    assert await cast.composer(composition(on, team, briefing)) == Draft(
        text="From the rules: Sales?", by="rules", degraded=True
    )
    assert [(event.role, event.reason.split(":")[0]) for event in degraded(on)] == [("composer", "model_unavailable")]
    assert "; then model_refused: No." in degraded(on)[0].reason


@pytest.mark.parametrize(
    "replies",
    [[{"drop": True}], [{"hang": 5}], [{"raw": "{"}, {"raw": "{"}], [{"status": 429}]],
    ids=["drop", "hang", "malformed", "limited"],
)
async def test_twin_steps_in_for(stage: Opened, team: Team, briefing: Briefing, replies: list[Any]) -> None:
    on = stage(*replies, read_timeout=0.4)
    draft = await build_cast(team, on.models, rules(composer=twin)).composer(composition(on, team, briefing))
    assert draft.degraded


async def test_misfit_thrice_brings_the_twin(stage: Opened, team: Team, briefing: Briefing) -> None:
    on = stage(UNFIT, UNFIT, UNFIT)
    request = PlanningRequest(
        goal="Sales?", briefing=briefing, team=team, emit=on.events.append, kind="search", recall=Recall(),
        tools=Toolbox({}),
    )  # fmt: skip
    answer: Any = await build_cast(team, on.models, rules(planner=twin)).planner(request)
    assert answer.degraded
    assert degraded(on)[0].reason.startswith("malformed_answer: openai:lead as planner did not fit PlanningAnswer")


async def test_other_errors_are_not_covered_up(stage: Opened, team: Team, briefing: Briefing) -> None:
    async def broken(request: Any) -> Draft:
        raise ToolError(request.goal)

    on = stage({"status": 500})
    with pytest.raises(ToolError, match="Sales"):
        await build_cast(team, on.models, rules(composer=broken)).composer(composition(on, team, briefing))


def test_unknown_model_of_a_specialist(team: Team) -> None:
    odd = team.model_copy(update={"specialists": (Specialist(name="odd", description="Odd.", model="acme:x"),)})
    with pytest.raises(InvalidSettings, match="acme:x"):
        build_cast(odd, Models(ModelSettings(default="openai:x")), rules())
