"""The one context that every agent of a run receives (workspace, person, voice, history, limits)."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

DEFAULT_QUALITY_THRESHOLDS = {"content_quality": 0.7, "strategy_viability": 0.8, "research_depth": 0.75}


class Material(BaseModel):
    """A document or table that the run may read."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    kind: str
    """`document` or `table`."""
    summary: str = ""
    """Title of a document; columns and row count of a table."""


class Correction(BaseModel):
    """What a person said of an earlier result: guidance on content and form, and no permission to anything."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    goal: str
    """Of the earlier run."""
    text: str
    """The result as it should have been, or what was wrong with it."""


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
