"""Requests and answers about where a goal would go, and about texts that are refined."""

from typing import Annotated

from pydantic import Field, model_validator

from domain.goals import MAX_GOAL_CHARS, MAX_TEXT_CHARS
from understudy.service.bodies.base import Asked, Shown

Aspect = Annotated[str, Field(min_length=1, max_length=60)]


class GoalAsked(Asked):
    """A goal."""

    goal: str = Field(min_length=1, max_length=MAX_GOAL_CHARS)


class SelectionAsked(Asked):
    """A task that somebody of the team is wanted for."""

    task_type: str = Field(min_length=1, max_length=200)
    """A kind of step, a kind of query, or a capability."""
    fallback: str = Field(min_length=1, max_length=40)
    """Who does it where nothing was seen yet."""
    goal: str | None = Field(default=None, max_length=MAX_GOAL_CHARS)
    """The task's text."""


class SelectionShown(Shown):
    """Who should do a task, and why."""

    agent: str
    confidence: float
    """Expected outcome, 0-1."""
    fallbacks: list[str]
    estimated_seconds: float
    estimated_cost: float
    policy: str
    reason: str
    chances: dict[str, float]
    expected: dict[str, float]


class RefinementAsked(Asked):
    """A text to be refined, or a goal that one is to be written for."""

    text: str = Field(default="", max_length=MAX_TEXT_CHARS)
    goal: str = Field(default="", max_length=MAX_GOAL_CHARS)
    content_type: str = Field(default="", max_length=100)
    """What kind of text it is, in words."""
    criteria: list[Aspect] | None = Field(default=None, min_length=1, max_length=10)
    """Aspects that it is judged by; absent: those of the team."""
    max_iterations: int | None = Field(default=None, ge=0, le=10)
    """Revisions at most; absent: as the team says."""
    min_quality_score: float | None = Field(default=None, ge=0, le=1)
    """Score that is good enough; absent: as the team says."""

    @model_validator(mode="after")
    def _says_something(self) -> "RefinementAsked":
        if not self.text.strip() and not self.goal.strip():
            msg = "give a text, a goal, or both"
            raise ValueError(msg)
        return self
