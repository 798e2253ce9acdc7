"""How runs went: by sequence, agent and kind, and where their time goes."""

from typing import Annotated

from fastapi import APIRouter, Query

from graph.bottlenecks import Bottlenecks
from understudy.service.bodies.performance import AnalysisShown, ErrorsShown, StandingShown, SuccessShown
from understudy.service.caller import Reader

router = APIRouter(tags=["performance"])


@router.get("/performance")
async def show_performance(caller: Reader) -> AnalysisShown:
    """Return how the latest runs went, by sequence, agent and kind."""
    found = await caller.orchestrator.performance()
    return AnalysisShown(
        overall=SuccessShown.of(found.overall),
        sequences=[SuccessShown.of(each) for each in found.sequences],
        agents=[SuccessShown.of(each) for each in found.agents],
        kinds=[SuccessShown.of(each) for each in found.kinds],
        trend=found.trend,
        errors=[ErrorsShown(code=code, runs=runs) for code, runs in found.errors],
        override_rate=found.override_rate,
    )


@router.get("/standings")
async def list_standings(caller: Reader) -> list[StandingShown]:
    """Return how each agent of the team did at each kind of step."""
    return [StandingShown.of(each) for each in await caller.orchestrator.standings()]


@router.get("/bottlenecks")
async def find_bottlenecks(caller: Reader, runs: Annotated[int, Query(ge=1, le=500)] = 200) -> Bottlenecks:
    """Return where the time of the latest runs went, and of the slowest of them."""
    return await caller.orchestrator.bottlenecks(runs=runs)
