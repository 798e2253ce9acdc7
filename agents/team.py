"""What a team is: its specialists, checkpoints, quality bar and plan templates."""

from collections.abc import Iterable
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from domain.checkpoints import Checkpoint
from domain.errors import UnknownAgent
from domain.plans import QueryKind, Step

ToolName = str

DEFAULT_ASPECTS = ("relevance", "clarity", "completeness", "accuracy", "structure")


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


class Quality(BaseModel):
    """When work is good enough."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    min_quality_score: float = Field(default=0.8, ge=0, le=1)
    max_iterations: int = Field(default=3, ge=0, le=10)
    improvement_threshold: float = Field(default=0.1, ge=0, le=1)
    """A revision that gains less ends the loop."""
    critique_aspects: tuple[str, ...] = DEFAULT_ASPECTS
    store_failures: bool = True


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
    checkpoints: tuple[Checkpoint, ...] = ()
    quality: Quality = Quality()
    templates: tuple[Template, ...] = ()
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

    def checkpoints_at(
        self, condition: Literal["AFTER_STAGE", "BEFORE_EXECUTION", "ON_EFFECT"], stage: str | None
    ) -> Iterable[Checkpoint]:
        """Return the checkpoints that stand at this place."""
        return (c for c in self.checkpoints if c.condition == condition and c.stage == stage)
