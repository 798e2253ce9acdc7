"""The one place that knows concrete classes: opens the data folder and puts everything together."""

import asyncio
import logging
import os
import sys
import time
from contextlib import AsyncExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

from cachetools import LRUCache

from agents.cast import build_cast
from agents.context_cache import ContextCache
from agents.contracts import Cast
from agents.delegation.delegator import Delegator
from agents.delegation.history import OutcomeHistory
from agents.delegation.teamwork import delegator_of
from agents.delegation.trials import Trials
from agents.model_settings import ModelSettings
from agents.models import Models
from agents.planning.history import TaskOutcomes
from agents.resources.desk import SEEN, ResourceDesk
from agents.rules.cast import rules_cast
from agents.team import Team
from agents.team_files import load_team
from agents.tools.registry import Toolbox
from agents.tools.reliability import TOOL_SEEN, Reliability
from agents.tools.supply import Supply
from agents.tools.workbench import Workbench
from domain.budgets import Budget
from domain.secrets import Secrets
from graph.context import Context, Limits, Services, ServicesFor
from memory.changes import NOTED
from memory.chroma_server import ChromaServer, name_of
from memory.constraints import Constraints
from memory.effects import FIRST_RESULT, EffectLedger
from memory.encoders import Access, Encoder, encoder
from memory.home import DataFolder
from memory.index import ChromaIndex
from memory.journal import Journal
from memory.leases import Leases
from memory.lessons import Lessons
from memory.outbox import left_in
from memory.queued import QueuedRecords
from memory.records import Records
from memory.redis import RedisRecords
from memory.scopes import ScopedState
from memory.spending import DailyPurse
from memory.sqlite import SqliteRecords
from memory.tasks import TASK_RUN, TaskMemory
from understudy.context_use import keep_context_use
from understudy.known_secrets import known_secrets
from understudy.settings import Settings, load_settings

_ASKERS = 256
"""Contexts whose services are kept, since every node of a run asks for them."""
OUTBOX = "outbox.sqlite"
"""File of the writes that wait for Redis."""
PATIENCE = 1.5
"""Share of the time for one model call that the call and its retries may take together."""


class Playing(NamedTuple):
    """A team with who plays in it."""

    team: Team
    cast: Cast
    rules: Cast
    """The rule-based cast."""
    delegator: Delegator


class House:
    """Everything that is open while the product runs; an async context manager."""

    records: Records
    index: ChromaIndex
    memory: TaskMemory
    lessons: Lessons
    constraints: Constraints
    trials: Trials
    outcomes: TaskOutcomes
    effects: EffectLedger
    state: ScopedState
    journal: Journal
    encoder: Encoder

    def __init__(self, settings: Settings, *, loaded: Encoder | None = None) -> None:
        """Set up what is opened later.

        Args:
            settings: What is configured.
            loaded: The configured encoder, where the process has it already.
        """
        self.settings = settings
        self._loaded = loaded
        self.clock = time.time
        self.secrets = known_secrets(settings)
        self._stack = AsyncExitStack()
        self._models: Models | None = None
        self.contexts = ContextCache()
        self._casts: dict[str, Playing] = {}
        self._services: LRUCache[Context, Services] = LRUCache(_ASKERS)
        self._desks: dict[str, ResourceDesk] = {}
        self._stranded: list[str] = []
        self._workbenches: dict[tuple[Path | None, Path | None], Workbench] = {}
        self._supplies: dict[str, Supply] = {}

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
        self._stack.push_async_callback(keep_context_use, self.records, self.contexts)
        self.encoder = self._loaded or _encoder(self.settings)
        self.index = await self._opened_index(folder.path)
        self._stack.push_async_callback(self.index.close)
        shared = self.settings.redis_url is not None
        self.memory = TaskMemory(self.records, self.index, clock=self.clock, shared=shared)
        self._stack.push_async_callback(self.memory.close)
        self.lessons = Lessons.of(self.records, self.memory, clock=self.clock)
        self.outcomes = TaskOutcomes(self.records)
        self.constraints = Constraints(self.records, clock=self.clock)
        self.trials = Trials(self.records)
        self.effects = EffectLedger(self.records, clock=self.clock)
        self.state = ScopedState(self.records, clock=self.clock)
        self.journal = Journal(self.records)
        self._models = models_of(self.settings)
        if self._models:
            self._stack.push_async_callback(self._models.aclose)

    async def _opened_records(self, folder: Path) -> Records:
        if self.settings.redis_url is None:
            self._stranded = await left_in(folder / OUTBOX)
            for note in self._stranded:
                logging.getLogger(__name__).warning(note)
            return await SqliteRecords.open(folder / "records.sqlite", clock=self.clock)
        redis = RedisRecords.open(self.settings.redis_url, clock=self.clock)
        merges = (TASK_RUN, FIRST_RESULT, NOTED, SEEN, TOOL_SEEN)
        return await QueuedRecords.open(redis, folder / OUTBOX, merges=merges, clock=self.clock)

    async def _opened_index(self, folder: Path) -> ChromaIndex:
        if self.settings.chroma_url is None:
            return await ChromaIndex.open(folder / "chroma", self.encoder)
        server = ChromaServer(self.settings.chroma_url, self.settings.chroma_token)
        return await ChromaIndex.open(server, self.encoder, owner=partial(name_of, self.records))

    async def degraded(self) -> list[str]:
        """Return what of the storage does not work as it should, in words."""
        records = await self.records.degraded() if isinstance(self.records, QueuedRecords) else []
        return self._stranded + records + await self.index.degraded()

    async def purged(self) -> list[str]:
        """Have deleted text leave the files of servers, and return in words where that could not be done now."""
        told = [await self.records.purge()] if isinstance(self.records, QueuedRecords) else []
        return [note for note in told if note] + await self.index.degraded()

    async def forget_selection(self, workspace: str, team: str, goal: str) -> None:
        """Delete what the choice among a team's agents knows of a goal's text."""
        open_ones = [playing.delegator for playing in self._casts.values() if playing.team.name == team]
        for delegator in open_ones:
            await delegator.forget(workspace, goal)
        if not open_ones:
            await OutcomeHistory(self.records, workspace, team).forget(goal)

    async def services_for(self, context: Context) -> Services:
        """Return what a run works with, for who asks; cheap after the first time."""
        if (known := self._services.get(context)) is None:
            known = self._services[context] = await self._services_of(context)
        return known

    async def _services_of(self, context: Context) -> Services:
        playing = await self.playing(context.team)
        team = playing.team
        workbench, budgets = self._workbench(context), self.settings.budgets.within(team.budgets)
        return Services(
            team=team,
            cast=playing.cast,
            understudies=playing.rules,
            tools=await self.toolbox(context),
            materials=workbench.materials,
            memory=self.memory,
            lessons=self.lessons,
            constraints=self.constraints,
            delegator=playing.delegator,
            trials=self.trials,
            effects=self.effects,
            clock=self.clock,
            limits=self._limits(),
            outcomes=self.outcomes,
            planning_weights=dict(self.settings.planning_weights.items()),
            budgets=budgets,
            prices=self.settings.prices | team.prices,
            daily=self._daily(context.workspace, budgets.workspace),
            secrets=self._secrets_of(team),
            state=self.state,
            resources=self._desk(team),
            versions={"team": f"{team.name}@{team.version}", "encoder": self.encoder.id},
        )

    async def supply(self, name: str) -> Supply:
        """Return the declared tools of a team; servers are ended with the house."""
        team = await self.team(name)
        if name not in self._supplies:
            self._supplies[name] = supply = Supply(team.tools, self.records, environment=os.environ)
            self._stack.push_async_callback(supply.close)
        return self._supplies[name]

    def reliability(self, workspace: str) -> Reliability:
        """Return what measures the tools of a workspace."""
        return Reliability(self.records, workspace, self.clock)

    async def toolbox(self, context: Context) -> Toolbox:
        """Return the tools of a run."""
        bench, supply = self._workbench(context), await self.supply(context.team)
        return await bench.stocked(supply, self.reliability(context.workspace), context.workspace)

    def _secrets_of(self, team: Team) -> Secrets:
        """Return the secrets of the installation and those that the team's tools are given."""
        named = [os.environ.get(variable, "") for tool in team.tools for variable in tool.secrets.values()]
        return known_secrets(self.settings, named) if named else self.secrets

    async def team(self, name: str) -> Team:
        """Return a team by name or file path; read once."""
        return (await self.playing(name)).team

    async def playing(self, name: str) -> Playing:
        """Return a team with who plays in it, by the team's name or file path."""
        if name not in self._casts:
            team = await asyncio.to_thread(load_team, name)
            rules = rules_cast(team)
            cast = await asyncio.to_thread(build_cast, team, self._models, rules, self.contexts)
            self._casts[name] = Playing(team, cast, rules, delegator_of(team, self.records, self.encoder))
        return self._casts[name]

    def _workbench(self, context: Context) -> Workbench:
        data = Path(context.data) if context.data else self.settings.data
        out = Path(context.out) if context.out else self.settings.out
        if (data, out) not in self._workbenches:
            self._workbenches[data, out] = workbench = Workbench(data, out)
            self._stack.callback(workbench.close)
        return self._workbenches[data, out]

    def _desk(self, team: Team) -> ResourceDesk | None:
        """Return the desk of a team's resources, whose health is remembered as long as the house is open."""
        if not team.resources:
            return None
        if team.name not in self._desks:
            self._desks[team.name] = ResourceDesk(team.resources, self.records, Leases(self.records, clock=self.clock))
        return self._desks[team.name]

    def _daily(self, workspace: str, budget: Budget) -> DailyPurse | None:
        """Return the workspace's purse of today, or None where nothing is bounded and so nothing is counted."""
        return DailyPurse(self.records, workspace, budget, self.clock) if budget.bounds else None

    def _limits(self) -> Limits:
        s = self.settings
        return Limits(
            max_parallel_steps=s.max_parallel_steps,
            max_plan_revisions=s.max_plan_revisions,
            max_replans=s.max_replans,
            max_stretches=s.max_stretches,
            max_attempts=s.max_attempts,
            retry_pause=s.retry_pause,
        )


def _command() -> str:
    return " ".join(["understudy", *sys.argv[1:2]])


def _encoder(settings: Settings) -> Encoder:
    access = Access(settings.openai_api_key, settings.openai_base_url, max_retries=settings.model_retries)
    return encoder(settings.encoder, access)


def models_of(settings: Settings) -> Models | None:
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
