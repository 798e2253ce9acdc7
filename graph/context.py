"""What a run is given from outside: who asks, and everything it works with."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from agents.contracts import Cast
from agents.team import Team
from agents.tools.registry import Toolbox
from domain.briefings import Material
from domain.events import Event, ModelCalled, RoleDegraded
from domain.outcomes import Usage
from memory.constraints import Constraints
from memory.effects import EffectLedger
from memory.lessons import Lessons
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


@dataclass(frozen=True)
class Limits:
    """The named bounds of a run."""

    max_parallel_steps: int = 3
    max_plan_revisions: int = 2
    """Times a plan may be sent back to the planner."""
    max_replans: int = 1
    """Times a failed plan may be replaced."""
    max_attempts: int = 2
    """Tries a specialist has at a step before its fallback takes over."""


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
    effects: EffectLedger
    clock: Callable[[], float]
    """Unix time in seconds."""
    limits: Limits = Limits()
    versions: dict[str, str] = field(default_factory=dict)

    @property
    def delivers(self) -> bool:
        """Whether there is a folder to deliver to."""
        return "write_file" in self.tools.tools


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
    usage: Usage = Usage()
    """What the models called by this node have consumed."""
    degraded: bool = False
    """Whether a rule-based twin stepped in for a role of this node."""

    def emit(self, event: Event) -> None:
        """Publish an event and count what models consumed."""
        if isinstance(event, ModelCalled):
            self.usage += usage_in(event)
        self.degraded = self.degraded or isinstance(event, RoleDegraded)
        self.publish(event)


def usage_in(event: ModelCalled) -> Usage:
    """Return the usage that a model call reports."""
    return Usage(calls=1, input_tokens=event.input_tokens, output_tokens=event.output_tokens)
