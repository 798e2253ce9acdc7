"""What a run is given from outside: who asks, and everything it works with."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from agents.budget import Account, Purse
from agents.contracts import Cast
from agents.delegation.delegator import Delegator
from agents.delegation.trials import Trials
from agents.exchanges.keeping import Keep
from agents.exchanges.logged import LogKeeper
from agents.planning.history import TaskOutcomes
from agents.resources.desk import ResourceDesk
from agents.streaming import Listener
from agents.team import Team
from agents.tools.registry import Toolbox
from domain.briefings import Material
from domain.budgets import Amount, Budget, Budgets, Prices
from domain.events import Event, ModelCalled, RoleDegraded, TextStreamed
from domain.notices import Notify
from domain.outcomes import Usage
from domain.plans import Privacy
from domain.secrets import Secrets
from memory.audit import Audit
from memory.autonomy import AutonomyMemory
from memory.call_log import CallLog
from memory.checkpoints import WorkspaceCheckpoints
from memory.consents import Consents
from memory.constraints import Constraints
from memory.effects import EffectLedger
from memory.lessons import Lessons
from memory.scopes import ScopedState
from memory.tasks import TaskMemory


@dataclass(frozen=True)
class Context:
    """Who asks, and where; chat clients send none of it, so each field has a default."""

    workspace: str = "default"
    user: str = "local"
    team: str = "documents"
    data: str | None = None
    """Folder of documents and tables; None takes the configured one."""
    out: str | None = None
    """Folder that deliveries are written to; None takes the configured one."""
    key: str = ""
    """Id of the API key with which it was asked, whose budget of the day it is charged to."""


@dataclass(frozen=True)
class Limits:
    """The named bounds of a run."""

    max_parallel_steps: int = 3
    max_plan_revisions: int = 2
    """Times a plan may be sent back to the planner."""
    max_replans: int = 1
    """Times a failed plan may be replaced."""
    max_stretches: int = 3
    """Stretches that an adaptive plan may have, the last one included."""
    conversation_tokens: int = 4000
    """Tokens of the conversation so far that roles are told, half of them for results that a follow-up asks about."""
    max_attempts: int = 2
    """Tries that each way to do a step has, where trying again can help."""
    retry_pause: float = 0.5
    """Seconds before the second try; twice as long before each further one."""


class Fence(Protocol):
    """Says whether this process still is the one that advances a thread."""

    async def check(self, thread: str) -> None:
        """Return where it is, or raise `RunFenced`; costs nothing as long as nobody can have taken the thread over."""

    async def confirm(self, thread: str) -> None:
        """Return where it is and will be for the next seconds, or raise `RunFenced`."""


@dataclass(frozen=True)
class Services:
    """Everything a run works with."""

    team: Team
    cast: Cast
    understudies: Cast
    """The rule-based cast, for what the leading one cannot do."""
    tools: Toolbox
    materials: Callable[[], Awaitable[list[Material]]]
    memory: TaskMemory
    lessons: Lessons
    """What is remembered beside the tasks."""
    constraints: Constraints
    delegator: Delegator
    """Chooses among the team's specialists."""
    trials: Trials
    effects: EffectLedger
    clock: Callable[[], float]
    """Unix time in seconds."""
    limits: Limits = Limits()
    budgets: Budgets = Budgets()
    """Of the run and of each step; that of the workspace is in `daily`."""
    prices: Prices = field(default_factory=dict)
    daily: Purse | None = None
    """The workspace's budget of today; None where it has none."""
    secrets: Secrets = field(default_factory=Secrets)
    """What must not be shown."""
    outcomes: TaskOutcomes | None = None
    """What was measured of single tasks of the agents; None where nobody keeps it."""
    planning_weights: Mapping[str, float] = field(default_factory=dict)
    """What counts how much in the choice of a plan, over what the team says (`agents.team.Weights`)."""
    state: ScopedState | None = None
    """Working state, where specialists keep notes; None where there is none."""
    notify: Notify | None = None
    """Tells people; None where nobody is told."""
    autonomy: AutonomyMemory | None = None
    """What users let the system do by itself; None leaves it to the team's default tier."""
    resources: ResourceDesk | None = None
    """What steps are bound to; None where the team declares none."""
    audit: Audit | None = None
    """Where every decision and effect is noted; None where nobody keeps it."""
    calls: CallLog | None = None
    """Where what models and declared tools were asked and answered is kept; None where nobody keeps it."""
    checkpoints: WorkspaceCheckpoints | None = None
    """Those of the workspace, beside the team's; None where a workspace has none."""
    cleared: Mapping[Privacy, Toolbox] = field(default_factory=dict)
    """The same tools over the materials that steps of a class may be given; none where all may be given all."""
    consents: Consents | None = None
    """What people have agreed to; None: nothing."""
    versions: dict[str, str] = field(default_factory=dict)
    streams: bool = False
    """Whether what models write is told while it comes."""
    fence: Fence | None = None
    """Keeps a process that was paused from acting for a run that another one advances by now; None where none can."""

    @property
    def delivers(self) -> bool:
        """Whether there is a folder to deliver to, and somebody who does."""
        return "write_file" in self.tools.tools and any("write_file" in who.tools for who in self.team.specialists)


ServicesFor = Callable[[Context], Awaitable[Services]]
"""Opens, or finds, the services for a context."""


@dataclass
class Run:
    """One node's view of the run: its services, who asks, and where its events go."""

    services: Services
    context: Context
    thread: str
    run: str
    publish: Callable[[Event], None]
    whisper: Callable[[TextStreamed], None] = lambda _: None
    """Tells what a model writes to who watches now."""
    account: Account = field(default_factory=lambda: Account("run", Budget()))
    """What the run has consumed, held against its budget."""
    draining: Callable[[], str | None] = lambda: None
    """Returns why the run is to stop at the next safe point, or None while it may go on."""
    usage: Usage = Usage()
    """What the models called by this node have consumed."""
    degraded: bool = False
    """Whether a rule-based twin stepped in for a role of this node."""

    @property
    def conversation(self) -> str:
        """The thread as its user calls it, without the workspace."""
        return self.thread.removeprefix(f"{self.context.workspace}:")

    @property
    def purses(self) -> list[Purse]:
        """What the run's model calls are charged to."""
        return [self.account, *([self.services.daily] if self.services.daily else [])]

    @property
    def keep(self) -> Keep | None:
        """Who keeps what models and declared tools are asked and answer here."""
        services = self.services
        if services.calls is None:
            return None
        return LogKeeper(services.calls, self.context.workspace, self.conversation, self.run, services.secrets)

    @property
    def listener(self) -> Listener | None:
        """Who is told what models write here while it comes."""
        return Listener(self.whisper, self.services.secrets) if self.services.streams else None

    async def guard(self) -> None:
        """Return where this process may go on with the run, or raise `RunFenced`."""
        if self.services.fence is not None:
            await self.services.fence.check(self.thread)

    async def guard_effect(self) -> None:
        """Return where this process may change the world for the run now, or raise `RunFenced`."""
        if self.services.fence is not None:
            await self.services.fence.confirm(self.thread)

    def emit(self, event: Event) -> None:
        """Publish an event and count what models consumed."""
        if isinstance(event, ModelCalled):
            self.usage += usage_in(event)
        self.degraded = self.degraded or isinstance(event, RoleDegraded)
        self.publish(event)


def usage_in(event: ModelCalled) -> Usage:
    """Return the usage that a model call reports."""
    tokens = {"input_tokens": event.input_tokens, "output_tokens": event.output_tokens}
    return Usage(calls=1, dollars=event.dollars, **tokens)


def amount_of(usage: Usage) -> Amount:
    """Return a usage as an amount that is charged."""
    return Amount(calls=usage.calls, tokens=usage.tokens, dollars=usage.dollars)
