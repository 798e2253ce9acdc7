"""What a team is: its specialists, checkpoints, quality bar and plan templates."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from agents.delegation.policy_names import PolicyName
from agents.privacy_policy import PrivacyPolicy
from agents.tools.declaration import ToolDeclaration
from domain.autonomy import Autonomy
from domain.briefings import DEFAULT_PARTS, BriefingPart
from domain.budgets import Budget, Budgets, Price
from domain.checkpoints import Checkpoint
from domain.errors import UnknownAgent
from domain.plans import QueryKind, Step, Strategy
from domain.resources import Resource

ToolName = str
TransformerName = Literal["evidence_digest", "table_to_text", "trim"]

DEFAULT_ASPECTS = ("relevance", "clarity", "completeness", "accuracy", "structure")


class Expected(BaseModel):
    """What one step of a specialist is expected to come to before anything was measured."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    quality: float = Field(default=0.5, ge=0, le=1)
    dollars: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    seconds: float = Field(default=0.0, ge=0, allow_inf_nan=False)


class Specialist(BaseModel):
    """An agent that does one kind of work."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")
    description: str = Field(min_length=1)
    """One sentence; planner and supervisor read it."""
    prompt: str = ""
    """Standing instructions beyond the description."""
    tools: tuple[ToolName, ...] = ()
    model: str | None = None
    """`provider:name`; None takes the specialists' model of the settings."""
    capabilities: tuple[str, ...] = ()
    fallback: str | None = None
    """Specialist that takes over when this one fails."""
    alternatives: tuple[str, ...] = ()
    """Specialists that do this one's steps as well; who does a step is chosen by what came of the earlier ones."""
    expected: Expected = Expected()
    briefing: tuple[BriefingPart, ...] = DEFAULT_PARTS
    """What it is told of the circumstances; nothing else of the briefing reaches it, or its model."""


class Quality(BaseModel):
    """When work is good enough."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    min_quality_score: float = Field(default=0.8, ge=0, le=1)
    max_iterations: int = Field(default=3, ge=0, le=10)
    improvement_threshold: float = Field(default=0.1, ge=0, le=1)
    """A revision that gains less ends the loop."""
    critique_aspects: tuple[str, ...] = DEFAULT_ASPECTS
    store_failures: bool = True


class SelectionRules(BaseModel):
    """How a specialist is chosen among alternatives."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    policy: PolicyName = "shared-linear"
    price: float = Field(default=0.1, ge=0, allow_inf_nan=False)
    """What the dearest alternative's cost takes from an outcome, which lies in 0..1."""
    latency_price: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    """The same for the slowest one's time."""
    budget: float | None = Field(default=None, ge=0)
    """Highest expected dollars of a step; dearer alternatives are chosen only when none is within it."""
    routes: dict[str, str] = Field(default_factory=dict)
    """Specialists that kinds of steps go to whatever was measured."""


class Handover(BaseModel):
    """What stands between two specialists when one hands its result to the other; `*` is anyone."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    source: str = Field(alias="from")
    target: str = Field(alias="to")
    use: tuple[TransformerName, ...]
    """Applied in turn; none at all hands the result over as it is."""
    tokens: int = Field(default=4000, ge=1)
    """About how many `trim` leaves."""


class Weights(BaseModel):
    """What counts how much when one of several plans is chosen; only their proportions matter."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    quality: float = Field(default=1.0, ge=0, le=100)
    latency: float = Field(default=0.1, ge=0, le=100)
    cost: float = Field(default=0.1, ge=0, le=100)
    privacy: float = Field(default=0.2, ge=0, le=100)


class PlanningPolicy(BaseModel):
    """How the team's work is planned."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    max_alternatives: int = Field(default=3, ge=1, le=10)
    """Plans that are weighed against each other."""
    strategy: Strategy | None = None
    """The strategy that is preferred wherever a plan of its kind can run; None leaves it to the planner."""
    weights: Weights = Weights()
    budget: Budget = Budget()
    """What a plan may be expected to take at most; never traded for anything."""


class Template(BaseModel):
    """A plan for a common pattern; `{goal}` in a step's task or arguments stands for the goal."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    kinds: tuple[QueryKind, ...]
    words: tuple[str, ...] = ()
    """Stems that make this template fit better than others of its kind."""
    steps: tuple[Step, ...] = Field(min_length=1)


class Team(BaseModel):
    """A team as its file declares it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-z][a-z0-9_-]{0,39}$")
    version: int = Field(default=1, ge=1)
    description: str = Field(min_length=1)
    specialists: tuple[Specialist, ...] = Field(min_length=1)
    tools: tuple[ToolDeclaration, ...] = ()
    """Tools beyond the built-in ones."""
    plugins: tuple[str, ...] = ()
    """Specialists and resources of installed plug-ins that belong to the team."""
    checkpoints: tuple[Checkpoint, ...] = ()
    autonomy: Autonomy = Autonomy()
    privacy: PrivacyPolicy = PrivacyPolicy()
    quality: Quality = Quality()
    selection: SelectionRules = SelectionRules()
    transformers: tuple[Handover, ...] = ()
    planning: PlanningPolicy = PlanningPolicy()
    templates: tuple[Template, ...] = ()
    resources: tuple[Resource, ...] = ()
    """What steps are bound to; without any, every step runs on the model that is set and the tools that are there."""
    budgets: Budgets = Budgets()
    """What its work may consume, within what the settings allow."""
    prices: dict[str, Price] = Field(default_factory=dict)
    """Dollars per million tokens by model, over those of the settings."""
    brand_voice: dict[str, str] = Field(default_factory=dict)
    constraints: tuple[str, ...] = ()
    """Hard rules in words; every role reads them."""

    def specialist(self, name: str) -> Specialist:
        """Return a specialist by name, or raise `UnknownAgent`."""
        for specialist in self.specialists:
            if specialist.name == name:
                return specialist
        msg = f"team {self.name!r} has no specialist {name!r}; it has {', '.join(s.name for s in self.specialists)}"
        raise UnknownAgent(msg)
