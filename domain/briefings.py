"""The one context that every agent of a run receives (workspace, person, voice, history, limits)."""

from collections.abc import Collection
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from domain.outcomes import StepResult
from domain.plans import Privacy

DEFAULT_QUALITY_THRESHOLDS = {"content_quality": 0.7, "strategy_viability": 0.8, "research_depth": 0.75}


BriefingPart = Literal[
    "brand_voice", "target_profiles", "past_successes", "preferences", "task_history", "performance",
    "quality_thresholds", "budget_constraints", "corrections", "materials", "conversation",
]  # fmt: skip
"""What of a briefing a specialist may ask for; the date and the names of workspace and run are told to everybody."""
DEFAULT_PARTS: tuple[BriefingPart, ...] = (
    "brand_voice", "target_profiles", "preferences", "corrections", "materials",
)  # fmt: skip
"""For a specialist that names none: what its own work is about, and nothing of other people's goals, of the
conversation, or of how others did."""


class Material(BaseModel):
    """A document or table that the run may read."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    kind: str
    """`document` or `table`."""
    summary: str = ""
    """Title of a document; columns and row count of a table; why it cannot be read."""
    readable: bool = True
    privacy: Privacy = "internal"
    consent: tuple[str, ...] = ()
    """Scopes that a person must have agreed to before it is read."""


class Correction(BaseModel):
    """What a person said of an earlier result: guidance on content and form, and no permission to anything."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    goal: str
    """Of the earlier run."""
    text: str
    """The result as it should have been, or what was wrong with it."""
    privacy: Privacy = "internal"


class Earlier(BaseModel):
    """What an earlier goal of the conversation came to, for follow-ups that ask about it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    goal: str
    answer: str
    results: list[StepResult] = Field(default_factory=list)
    """Of its steps; of a follow-up none."""
    privacy: Privacy = "internal"


SUMMARY = "summary"
"""Who speaks in the turn that stands for the older ones; a model, or rules, wrote it."""


class Briefing(BaseModel):
    """Everything an agent may know about the circumstances of a goal."""

    model_config = ConfigDict(extra="forbid")

    workspace: str
    user: str = "local"
    correlation_id: str = ""
    today: str = ""
    """ISO date."""
    brand_voice: dict[str, str] = Field(default_factory=dict)
    target_profiles: list[dict[str, Any]] = Field(default_factory=list)
    past_successes: list[str] = Field(default_factory=list)
    preferences: dict[str, str] = Field(default_factory=dict)
    task_history: list[str] = Field(default_factory=list)
    performance: dict[str, float] = Field(default_factory=dict)
    """Success rate per agent, 0-1."""
    quality_thresholds: dict[str, float] = Field(default_factory=lambda: dict(DEFAULT_QUALITY_THRESHOLDS))
    budget_constraints: dict[str, float] = Field(default_factory=dict)
    corrections: list[Correction] = Field(default_factory=list)
    """Of results for similar goals, the latest first."""
    materials: list[Material] = Field(default_factory=list)
    conversation: list[str] = Field(default_factory=list)
    """Earlier turns of the session, oldest first, `speaker: text`."""
    conversation_privacy: list[Privacy] = Field(default_factory=list)
    """How private each of these turns is; `internal` where it is not said."""

    earlier: list[Earlier] = Field(default_factory=list)
    """What earlier goals came to, oldest first; only where the goal asks about it."""

    @property
    def at_hand(self) -> list[Material]:
        """The materials that can be read."""
        return [material for material in self.materials if material.readable]

    def only(self, parts: Collection[BriefingPart]) -> "Briefing":
        """Return the briefing with nothing but these of its parts."""
        left_out = [part for part in get_args(BriefingPart) if part not in parts]
        empty = {part: type(self).model_fields[part].get_default(call_default_factory=True) for part in left_out}
        if "conversation" in left_out:
            empty |= {"conversation_privacy": [], "earlier": []}
        return self.model_copy(update=empty)
