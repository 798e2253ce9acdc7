"""The product as the benchmarks see it: what `evals/benchmarks` cannot import, handed to it."""

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

from pydantic import SecretStr

from agents.contracts import Planning, PlanningRequest, Role
from agents.roles.planner import Planner
from domain.errors import LimitReached
from domain.plans import Plan
from evals.benchmarks import latency
from evals.report import Report
from memory.tasks import TaskRecord
from prompts.loader import Prompts
from understudy.configured_models import models_of
from understudy.orchestrator import Orchestrator
from understudy.settings import Settings, load_settings

WORKSPACE = "bench"


class MeasuredOrchestrator:
    """Implements `evals.benchmarks.overhead.Subject`."""

    def __init__(self, orchestrator: Orchestrator, team: str) -> None:
        self.orchestrator, self._team = orchestrator, team

    async def prepare(self, goal: str, plan: Plan) -> None:
        """Remember the plan as one that worked often."""
        await self.orchestrator.memory.remember(
            TaskRecord(
                workspace=WORKSPACE,
                team=self._team,
                goal=goal,
                sequence=plan.sequence,
                plan=plan,
                successes=20,
                last_success=True,
                quality=0.95,
            )
        )

    async def run(self, goal: str, thread: str) -> None:
        """Do one task to its end, by the way that memory knows."""
        result = await self.orchestrator.run(goal, thread=thread)
        if result.outcome is None or result.outcome.status != "done" or result.outcome.degraded:
            msg = f"the measured run did not end as it should: {result.outcome}"
            raise LimitReached(msg)


@contextlib.asynccontextmanager
async def on_scripted_model(base_url: str, home: Path, team: Path) -> AsyncIterator[MeasuredOrchestrator]:
    """Open an orchestrator whose model is the server at `base_url`, on a data folder of its own."""
    settings = load_settings(
        home=home,
        workspace=WORKSPACE,
        team=str(team),
        model="openai:scripted",
        openai_api_key=SecretStr("scripted"),
        openai_base_url=base_url,
    )
    async with Orchestrator(settings) as orchestrator:
        yield MeasuredOrchestrator(orchestrator, "bench")


@contextlib.asynccontextmanager
async def planning_model(settings: Settings) -> AsyncIterator[Role[PlanningRequest, Planning] | None]:
    """Open the model that plans, alone and without a twin to step in; None where no model is configured."""
    models = models_of(settings)
    if models is None:
        yield None
        return
    try:
        prompts = Prompts(settings.prompts) if settings.prompts else Prompts()
        prompt = await asyncio.to_thread(prompts.load, "planner")
        yield Planner(models.for_job("planner"), prompt)
    finally:
        await models.aclose()


async def latency_of_routes(data: Path | None) -> Report:
    """Time routes from memory and previews of plans, without any model time."""
    topics = ("wind", "coal", "exports", "wages", "rainfall", "housing", "ferries", "libraries", "wheat", "tourism")
    known = [f"Describe how {topic} changed in region {n} and why" for topic in topics for n in range(10)]
    new = [f"How many {topic} were there in year {1990 + n}?" for topic in topics for n in range(4)]
    with tempfile.TemporaryDirectory() as home:
        async with Orchestrator(without_model(Path(home), data)) as orchestrator:
            subject = MeasuredOrchestrator(orchestrator, "documents")
            for goal in known:
                await subject.prepare(goal, latency.KNOWN_PLAN)
            return await latency.run(route=orchestrator.route, preview=orchestrator.route, known=known, new=new)


def without_model(home: Path, data: Path | None) -> Settings:
    """Return settings for measuring without any model time, on a data folder of its own."""
    settings = load_settings(home=home, workspace=WORKSPACE, data=data)
    return settings.model_copy(update={"model": None, "openai_api_key": None})
