"""The one place that knows concrete classes: opens the data folder and puts everything together."""

import asyncio
import logging
import os
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from cachetools import LRUCache

from agents.cast import build_cast
from agents.context_cache import ContextCache
from agents.contracts import Cast
from agents.delegation.delegator import Delegator
from agents.delegation.history import OutcomeHistory
from agents.delegation.teamwork import delegator_of
from agents.delegation.trials import Trials
from agents.exchanges.tools import kept
from agents.models import Models
from agents.performers import performing
from agents.planning.history import TaskOutcomes
from agents.plugins_in_teams import performers_of
from agents.privacy_policy import PrivacyPolicy
from agents.resources.desk import SEEN, ResourceDesk
from agents.rules.cast import rules_cast
from agents.team import Team
from agents.team_files import load_team
from agents.tools.registry import Toolbox
from agents.tools.reliability import TOOL_SEEN, Reliability
from agents.tools.supply import Supply
from agents.tools.workbench import Workbench
from domain.plans import Privacy
from domain.secrets import Secrets
from graph.context import Context, Services
from memory.audit import Audit
from memory.autonomy import AutonomyMemory
from memory.call_log import CallLog
from memory.changes import NOTED
from memory.checkpoints import WorkspaceCheckpoints
from memory.chroma_server import ChromaServer, name_of
from memory.consents import Consents
from memory.constraints import Constraints
from memory.decision_kinds import ACTED
from memory.decisions import DECIDED
from memory.effects import FIRST_RESULT, EffectLedger
from memory.encoders import Encoder
from memory.friction import FRICTION, Friction
from memory.home import DataFolder, identity_of
from memory.index import ChromaIndex
from memory.journal import Journal
from memory.leases import Leases
from memory.lessons import Lessons
from memory.outbox import left_in
from memory.queued import QueuedRecords
from memory.records import Records
from memory.redis import RedisRecords
from memory.scopes import ScopedState
from memory.sqlite import SqliteRecords
from memory.tasks import TASK_RUN, TaskMemory
from prompts.loader import Prompts
from understudy.benches import Benches, clearances
from understudy.bus import Bus, open_bus
from understudy.checkpointing import ThreadedSqliteSaver, open_checkpointer
from understudy.configured_models import encoder_of, limits_of, models_of
from understudy.context_use import keep_context_use
from understudy.durable.belonging import Belonging
from understudy.durable.clock import SteadyClock
from understudy.durable.database import Database, open_database
from understudy.durable.desk import Desk
from understudy.durable.fence_rows import Holder
from understudy.durable.fences import Fences, open_fences
from understudy.durable.orders import Orders
from understudy.durable.workers import Workers
from understudy.identity.purses import daily_purse
from understudy.known_secrets import known_secrets
from understudy.notices.outbox import Outbox
from understudy.settings import Settings

if TYPE_CHECKING:
    from understudy.postgres_checkpointing import PostgresSaver

Checkpointer: TypeAlias = "ThreadedSqliteSaver | PostgresSaver"
_ASKERS = 256
"""Contexts whose services are kept, since every node of a run asks for them."""
_PROGRAM = "understudy"
OUTBOX = "outbox.sqlite"
"""File of the writes that wait for Redis."""


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
    consents: Consents
    checkpoints: WorkspaceCheckpoints
    trials: Trials
    outcomes: TaskOutcomes
    effects: EffectLedger
    state: ScopedState
    journal: Journal
    calls: CallLog
    """What models and declared tools were asked and answered."""
    encoder: Encoder
    database: Database
    """What must outlive a process: questions, timers, notices, fences."""
    audit: Audit
    autonomy: AutonomyMemory
    friction: Friction
    bus: Bus
    """Tells other processes, and those who watch, that there is more."""
    outbox: Outbox
    """Where notices wait until they are told."""
    desk: Desk
    """Where questions wait."""
    fences: Fences
    workers: Workers
    orders: Orders
    """What the queue of runs knows."""
    belonging: Belonging
    """Whether the records are those that the database belongs to."""

    def __init__(self, settings: Settings, *, loaded: Encoder | None = None) -> None:
        """Set up what is opened later.

        Args:
            settings: What is configured.
            loaded: The configured encoder, where the process has it already.
        """
        self.settings = settings
        self._loaded = loaded
        self.clock: Callable[[], float] = time.time
        self.secrets = known_secrets(settings)
        self._stack = AsyncExitStack()
        self._models: Models | None = None
        self.contexts = ContextCache()
        self._casts: dict[str, Playing] = {}
        self._services: LRUCache[Context, Services] = LRUCache(_ASKERS)
        self._desks: dict[str, ResourceDesk] = {}
        self._stranded: list[str] = []
        self._benches = Benches()
        self._stack.callback(self._benches.close)
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
        self.clock = await self._opened_clock(folder.path)
        self.records = await self._opened_records(folder.path)
        self._stack.push_async_callback(self.records.close)
        self._stack.push_async_callback(keep_context_use, self.records, self.contexts)
        self.encoder = self._loaded or encoder_of(self.settings)
        self.index = await self._opened_index(folder.path)
        self._stack.push_async_callback(self.index.close)
        shared = self.settings.redis_url is not None
        self.memory = TaskMemory(
            self.records, self.index, clock=self.clock, shared=shared, reuse_above=self.settings.reuse_above
        )
        self._stack.push_async_callback(self.memory.close)
        self.lessons = Lessons.of(self.records, self.memory, clock=self.clock)
        self.outcomes = TaskOutcomes(self.records)
        self.audit = Audit(self.records, self.clock, secrets=self.secrets)
        self.constraints = Constraints(self.records, clock=self.clock, audit=self.audit)
        self.consents = Consents(self.records, clock=self.clock, audit=self.audit)
        self.checkpoints = WorkspaceCheckpoints(self.records, clock=self.clock, audit=self.audit)
        self.trials = Trials(self.records)
        self.effects = EffectLedger(self.records, clock=self.clock)
        self.state = ScopedState(self.records, clock=self.clock)
        self.journal = Journal(self.records)
        self.calls = CallLog(self.records, self.clock)
        await self._open_database(folder)
        self._models = self._opened_models()
        if self._models:
            self._stack.push_async_callback(self._models.aclose)

    async def _open_database(self, folder: DataFolder) -> None:
        """Open what outlives this process, on the records, whose identity the database keeps."""
        self.database = await self._stack.enter_async_context(open_database(folder.path, self.settings.database_url))
        self.bus = await self._stack.enter_async_context(open_bus(self.settings.redis_url))
        self.belonging = Belonging(self.database, self.records)
        await self.belonging.look()
        self.autonomy = AutonomyMemory.of(self.records, clock=self.clock, audit=self.audit)
        self.friction = Friction(self.records, clock=self.clock)
        self.orders = Orders(self.database, folder.path)
        self.outbox = Outbox(
            self.database, self.settings.notify, clock=self.clock, audit=self.audit, friction=self.friction,
            secrets=self.secrets,
        )  # fmt: skip
        self._stack.push_async_callback(self.outbox.deliver_left)
        self.desk = Desk(
            self.database, self.clock, notify=self.outbox, audit=self.audit, command=_PROGRAM, friction=self.friction
        )
        holder = Holder.of(await asyncio.to_thread(identity_of, folder.path))
        self.workers = Workers(self.database, holder, self.clock)
        self.fences = await self._stack.enter_async_context(
            open_fences(self.database, holder, self.clock, admit=self.belonging.check)
        )

    async def _opened_clock(self, folder: Path) -> Callable[[], float]:
        return await asyncio.to_thread(SteadyClock, folder)

    def _opened_models(self) -> Models | None:
        return models_of(self.settings)

    async def _opened_records(self, folder: Path) -> Records:
        if self.settings.redis_url is None:
            self._stranded = await left_in(folder / OUTBOX)
            for note in self._stranded:
                logging.getLogger(__name__).warning(note)
            return await SqliteRecords.open(folder / "records.sqlite", clock=self.clock)
        redis = RedisRecords.open(self.settings.redis_url, clock=self.clock)
        merges = (TASK_RUN, FIRST_RESULT, NOTED, SEEN, TOOL_SEEN, DECIDED, FRICTION, ACTED)
        return await QueuedRecords.open(redis, folder / OUTBOX, merges=merges, clock=self.clock)

    async def _opened_index(self, folder: Path) -> ChromaIndex:
        if self.settings.chroma_url is None:
            return await ChromaIndex.open(folder / "chroma", self.encoder)
        server = ChromaServer(self.settings.chroma_url, self.settings.chroma_token)
        return await ChromaIndex.open(server, self.encoder, owner=partial(name_of, self.records))

    @asynccontextmanager
    async def checkpointer(self) -> AsyncIterator[Checkpointer]:
        """Open the graph's checkpoints: in the data folder, or in the PostgreSQL that is configured."""
        if (url := self.settings.database_url) is None:
            async with open_checkpointer(self.settings.home / "checkpoints.sqlite", guard=self.fences.check) as saver:
                yield saver
        else:
            from understudy.postgres_checkpointing import open_postgres_checkpointer

            async with open_postgres_checkpointer(url, self.fences, self.database.place) as shared:
                yield shared

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
        workbench, budgets = self._workbench(context, team.privacy), self.settings.budgets.within(team.budgets)
        return Services(
            team=team,
            cast=playing.cast,
            understudies=playing.rules,
            tools=await self.toolbox(context),
            cleared={data: await self.toolbox(context, data) for data in clearances(team.privacy)},
            consents=self.consents,
            materials=workbench.materials,
            memory=self.memory,
            lessons=self.lessons,
            constraints=self.constraints,
            checkpoints=self.checkpoints,
            delegator=playing.delegator,
            trials=self.trials,
            effects=self.effects,
            clock=self.clock,
            limits=limits_of(self.settings),
            outcomes=self.outcomes,
            planning_weights=dict(self.settings.planning_weights.items()),
            budgets=budgets,
            prices=self.settings.prices | team.prices,
            daily=await daily_purse(
                self.records,
                self.database,
                self.clock,
                workspace=context.workspace,
                budget=budgets.workspace,
                key=context.key,
            ),
            secrets=self.secrets_of(team),
            state=self.state,
            notify=self.outbox,
            resources=self._desk(team),
            audit=self.audit,
            calls=self.calls if self.settings.keep_calls else None,
            autonomy=self.autonomy,
            versions={"team": f"{team.name}@{team.version}", "encoder": self.encoder.id},
            streams=self.settings.stream,
            fence=self.fences,
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

    async def toolbox(self, context: Context, clearance: Privacy | None = None) -> Toolbox:
        """Return the tools of a run, with a clearance only over the files that it allows."""
        policy = (await self.team(context.team)).privacy
        bench, supply = self._workbench(context, policy, clearance), await self.supply(context.team)
        return kept(await bench.stocked(supply, self.reliability(context.workspace), context.workspace))

    def secrets_of(self, team: Team) -> Secrets:
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
            performers = performers_of(team.plugins)
            rules = performing(rules_cast(team), performers)
            prompts = Prompts(self.settings.prompts) if self.settings.prompts else Prompts()
            cast = await asyncio.to_thread(build_cast, team, self._models, rules, self.contexts, prompts)
            self._casts[name] = Playing(team, performing(cast, performers), rules, self._delegator(team))
        return self._casts[name]

    def _delegator(self, team: Team) -> Delegator:
        return delegator_of(team, self.records, self.encoder, policy=self.settings.selection_policy)

    def _workbench(self, context: Context, policy: PrivacyPolicy, clearance: Privacy | None = None) -> Workbench:
        data = Path(context.data) if context.data else self.settings.data
        out = Path(context.out) if context.out else self.settings.out
        return self._benches.of(data, out, policy, clearance)

    def _desk(self, team: Team) -> ResourceDesk | None:
        """Return the desk of a team's resources, whose health is remembered as long as the house is open."""
        if not team.resources:
            return None
        if team.name not in self._desks:
            self._desks[team.name] = ResourceDesk(team.resources, self.records, Leases(self.records, clock=self.clock))
        return self._desks[team.name]


def _command() -> str:
    return " ".join([_PROGRAM, *sys.argv[1:2]])
