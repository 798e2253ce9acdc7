"""Answers about how runs went, and what people thought of them."""

from pydantic import Field

from memory.feedback import MAX_CORRECTION
from understudy.service.bodies.base import Asked, Shown


class IntervalShown(Shown):
    """A 95 % confidence interval of a share, 0-1."""

    low: float
    high: float


class SuccessShown(Shown):
    """How the runs of one sequence, agent or kind ended."""

    name: str
    runs: int
    successes: int
    rate: float
    interval: IntervalShown
    quality: float | None
    seconds: float


class ErrorsShown(Shown):
    """How many runs ended with an error."""

    code: str
    runs: int


class AnalysisShown(Shown):
    """How the latest runs of a workspace went."""

    overall: SuccessShown
    sequences: list[SuccessShown]
    agents: list[SuccessShown]
    kinds: list[SuccessShown]
    trend: float | None
    """Success rate of the later half less that of the earlier half; null with too few runs."""
    errors: list[ErrorsShown]
    override_rate: float | None
    """Share of answers that changed or refused what was proposed; null without answers."""


class StandingShown(Shown):
    """How one agent did at one kind of step."""

    kind: str
    agent: str
    tasks: int
    successes: int
    quality: float
    seconds: float
    cost: float


class FeedbackAsked(Asked):
    """A judgement of a run."""

    run: str = Field(min_length=1, max_length=200)
    """Its id, or the name of its thread, which means the latest run there."""
    rating: int | None = Field(default=None, ge=1, le=5)
    correction: str = Field(default="", max_length=MAX_CORRECTION)
    """The text as it should have been, or what was wrong with it."""


class FeedbackShown(Shown):
    """What a judgement led to."""

    run: str
    accepted: bool
    reward: float
    samples: int
    """Judgements of the workspace so far."""
    successes: int
    failures: int
    """Of the task, after the judgement."""
