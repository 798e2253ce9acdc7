"""The one place that knows concrete classes: opens the data folder and puts everything together."""

import asyncio
import sys
import time
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from types import TracebackType

from agents.cast import build_cast
from agents.contracts import Cast
from agents.model_settings import ModelSettings
from agents.models import Models
from agents.rules.cast import rules_cast
from agents.team import Team
from agents.team_files import load_team
from agents.tools.workbench import Workbench
from graph.context import Context, Limits, Services, ServicesFor
from memory.constraints import Constraints
from memory.effects import FIRST_RESULT, EffectLedger
from memory.encoders import Encoder, encoder
from memory.home import DataFolder
from memory.index import ChromaIndex
from memory.journal import Journal
from memory.lessons import Lessons
from memory.queued import QueuedRecords
from memory.records import Records
from memory.redis import RedisRecords
from memory.sqlite import SqliteRecords
from memory.tasks import TASK_RUN, TaskMemory
from understudy.settings import Settings, load_settings

PATIENCE = 1.5
"""Share of the time for one model call that the call and its retries may take together."""


class House:
    """Everything that is open while the product runs; an async context manager."""

    records: Records
    index: ChromaIndex
    memory: TaskMemory
    lessons: Lessons
    constraints: Constraints
    effects: EffectLedger
    journal: Journal
    encoder: Encoder

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.clock = time.time
        self._stack = AsyncExitStack()
        self._models: Models | None = None
        self._casts: dict[str, tuple[Team, Cast, Cast]] = {}
        self._workbenches: dict[tuple[Path | None, Path | None], Workbench] = {}

    async def __aenter__(self) -> "House":
        """Lock and open the data folder."""
        try:
            await self._open()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close what was opened, last first."""
        await self._stack.aclose()

    async def _open(self) -> None:
        folder = await DataFolder.open(self.settings.home, command=_command())
        self._stack.callback(folder.close)
        self.records = await self._opened_records(folder.path)
        self._stack.push_async_callback(self.records.close)
        self.encoder = encoder(self.settings.encoder)
        self.index = await ChromaIndex.open(folder.path / "chroma", self.encoder)
        self._stack.push_async_callback(self.index.close)
        self.memory = TaskMemory(self.records, self.index, clock=self.clock)
        self._stack.push_async_callback(self.memory.close)
        self.lessons = Lessons.of(self.records, self.memory, clock=self.clock)
        self.constraints = Constraints(self.records, clock=self.clock)
        self.effects = EffectLedger(self.records, clock=self.clock)
        self.journal = Journal(self.records)
        self._models = _models(self.settings)
        if self._models:
            self._stack.push_async_callback(self._models.aclose)

    async def _opened_records(self, folder: Path) -> Records:
        if self.settings.redis_url is None:
            return await SqliteRecords.open(folder / "records.sqlite", clock=self.clock)
        redis = RedisRecords.open(self.settings.redis_url, clock=self.clock)
        merges = (TASK_RUN, FIRST_RESULT)
        return await QueuedRecords.open(redis, folder / "outbox.sqlite", merges=merges, clock=self.clock)

    async def degraded(self) -> list[str]:
        """Return what of the storage does not work as it should, in words."""
        return await self.records.degraded() if isinstance(self.records, QueuedRecords) else []

    async def services_for(self, context: Context) -> Services:
        """Return what a run works with, for who asks; cheap after the first time."""
        team, cast, understudies = await self._cast(context.team)
        workbench = self._workbench(context)
        return Services(
            team=team,
            cast=cast,
            understudies=understudies,
            tools=workbench.toolbox(),
            materials=workbench.materials,
            memory=self.memory,
            lessons=self.lessons,
            constraints=self.constraints,
            effects=self.effects,
            clock=self.clock,
            limits=self._limits(),
            versions={"team": f"{team.name}@{team.version}", "encoder": self.encoder.id},
        )

    async def team(self, name: str) -> Team:
        """Return a team by name or file path; read once."""
        return (await self._cast(name))[0]

    async def _cast(self, name: str) -> tuple[Team, Cast, Cast]:
        """Return a team with who plays in it: the leading cast and the rule-based one."""
        if name not in self._casts:
            team = await asyncio.to_thread(load_team, name)
            rules = rules_cast(team)
            self._casts[name] = team, await asyncio.to_thread(build_cast, team, self._models, rules), rules
        return self._casts[name]

    def _workbench(self, context: Context) -> Workbench:
        data = Path(context.data) if context.data else self.settings.data
        out = Path(context.out) if context.out else self.settings.out
        if (data, out) not in self._workbenches:
            self._workbenches[data, out] = workbench = Workbench(data, out)
            self._stack.callback(workbench.close)
        return self._workbenches[data, out]

    def _limits(self) -> Limits:
        s = self.settings
        return Limits(
            max_parallel_steps=s.max_parallel_steps,
            max_plan_revisions=s.max_plan_revisions,
            max_replans=s.max_replans,
            max_attempts=s.max_attempts,
        )


def _command() -> str:
    return " ".join(["understudy", *sys.argv[1:2]])


def _models(settings: Settings) -> Models | None:
    """Return the models, or None when no model is configured."""
    if settings.leading_model is None:
        return None
    return Models(
        ModelSettings(
            default=settings.leading_model,
            jobs=settings.models,  # type: ignore[arg-type]  # names are checked by Models
            fallback=settings.fallback_model,
            api_key=settings.openai_api_key,
            base_url=settings.openai_base_url,
            read_timeout=settings.model_timeout,
            total_timeout=settings.model_timeout * PATIENCE,
            max_retries=settings.model_retries,
        )
    )


def installed_services() -> ServicesFor:
    """Return the services of this installation, opened at the first run and kept; for the LangGraph server."""
    opened: dict[str, House] = {}
    lock = asyncio.Lock()

    async def services_for(context: Context) -> Services:
        async with lock:
            if "house" not in opened:
                settings = await asyncio.to_thread(load_settings)
                opened["house"] = await House(settings).__aenter__()
        house = opened["house"]
        team = house.settings.team if context == Context() else context.team
        return await house.services_for(replace(context, team=team))

    return services_for
