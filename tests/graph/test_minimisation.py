"""A specialist is told what its declaration names of the briefing, and nothing else of it."""

from dataclasses import replace
from typing import Any, get_args

import pytest

from agents.contracts import Assignment
from domain.briefings import DEFAULT_PARTS, Briefing, BriefingPart, Correction, Material
from domain.outcomes import StepResult
from domain.plans import Plan
from memory.profiles import Profile
from tests.graph.conftest import Opener, Troupe, step

FULL = Briefing(
    workspace="w", user="ada", today="2026-01-01", brand_voice={"tone": "warm"}, target_profiles=[{"name": "teachers"}],
    past_successes=["a"], preferences={"length": "short"}, task_history=["b"], performance={"reader": 0.5},
    quality_thresholds={"content_quality": 0.1}, budget_constraints={"dollars": 1},
    corrections=[Correction(goal="g", text="t")],
    materials=[Material(name="m", kind="document")], conversation=["human: hi"], conversation_privacy=["secret"],
)  # fmt: skip
PARTS: tuple[BriefingPart, ...] = get_args(BriefingPart)


@pytest.mark.parametrize("part", PARTS)
def test_a_briefing_is_cut_to_one_part(part: BriefingPart) -> None:
    cut, empty = FULL.only([part]), Briefing(workspace="w", user="ada", today="2026-01-01")
    kept = {part, *(["conversation_privacy"] if part == "conversation" else [])}
    assert {name for name in Briefing.model_fields if getattr(cut, name) != getattr(empty, name)} == kept


def test_all_parts_are_the_whole_briefing_and_none_is_nothing() -> None:
    assert FULL.only(PARTS) == FULL
    assert FULL.only([]) == Briefing(workspace="w", user="ada", today="2026-01-01")


@pytest.mark.parametrize("declared", [None, (), ("conversation",), ("preferences", "task_history")])
async def test_a_specialist_gets_what_it_declares(theatre: Opener, declared: tuple[BriefingPart, ...] | None) -> None:
    told: list[Briefing] = []

    async def perform(request: Assignment) -> StepResult:
        told.append(request.briefing)
        return StepResult(step=request.step.id, agent=request.specialist.name, text="done")

    stage = theatre(Troupe(plans=[Plan(steps=[step("read")])], perform=perform))
    parts: dict[str, Any] = {} if declared is None else {"briefing": declared}
    reader, writer = stage.services.team.specialists
    team = stage.services.team.model_copy(update={"specialists": (reader.model_copy(update=parts), writer)})

    async def materials() -> list[Material]:
        return [Material(name="a.md", kind="document")]

    stage.services = replace(stage.services, team=team, materials=materials)
    profile = Profile(preferences={"length": "short"}, brand_voice={"tone": "warm"})
    await stage.services.lessons.profiles.put("default", profile)
    await stage.say("Read the report")
    state = await stage.say("Read it again")
    wanted = Briefing.model_validate(state["briefing"]).only(DEFAULT_PARTS if declared is None else declared)
    assert told[-1] == wanted
    assert bool(told[-1].conversation) is (declared == ("conversation",))
    assert bool(told[-1].materials) is (declared is None)
