"""Routing: what memory recalls for a goal and what the supervisor makes of it."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from domain.plans import Plan, Privacy, QueryKind

Band = Literal["reuse", "hint", "plan"]
REUSE_ABOVE = 0.8
HINT_ABOVE = 0.5


def band_of(confidence: float, reuse_above: float = REUSE_ABOVE) -> Band:
    """Return the band of a calibrated confidence: reuse above the threshold, from 0.5 on a hint, below: plan."""
    if confidence > reuse_above:
        return "reuse"
    return "hint" if confidence >= HINT_ABOVE else "plan"


class Neighbour(BaseModel):
    """A remembered task near the goal."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    task: str
    """Id of the remembered task."""
    goal: str
    sequence: list[str]
    similarity: float
    """Cosine of the embeddings, -1 to 1."""
    success: bool
    quality: float | None = None
    age_days: float = 0.0
    privacy: Privacy = "internal"
    """The most private data that its runs worked on."""


class Recall(BaseModel):
    """What task memory knows about a goal."""

    model_config = ConfigDict(extra="forbid")

    confidence: float = Field(default=0.0, ge=0, le=1)
    """Calibrated probability that reusing `sequence` succeeds."""
    reuse_above: float = Field(default=REUSE_ABOVE, ge=HINT_ABOVE, le=1)
    """Confidence above which it is reused."""
    neighbours: list[Neighbour] = Field(default_factory=list)
    sequence: list[str] = Field(default_factory=list)
    plan: Plan | None = None
    """The remembered plan behind `sequence`, or one put together from several, already worded for the new goal."""
    plan_probability: float | None = Field(default=None, ge=0, le=1)
    """Calibrated probability that `plan` is exactly right; None where the memory has not learnt to tell plans apart."""
    explanation: str = ""

    @property
    def band(self) -> Band:
        """Reuse, hint or plan."""
        return band_of(self.confidence, self.reuse_above)


RouteSource = Literal["memory", "recipe", "planner", "reply", "ask", "refuse"]


class RouteDecision(BaseModel):
    """Which way a goal goes, and why."""

    model_config = ConfigDict(extra="forbid")

    source: RouteSource
    kind: QueryKind = "search"
    sequence: list[str] = Field(default_factory=list)
    confidence: float = Field(default=0.0, ge=0, le=1)
    band: Band = "plan"
    neighbours: list[Neighbour] = Field(default_factory=list)
    explanation: str = ""
    message: str = ""
    """The reply, the question back, or the reason for refusing; empty for a plan."""
    degraded: bool = False
