"""Open questions as they wait outside of the graph: who may answer, what was answered, what is due next."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from domain.approvals import ActionRequest, Decision

CLOCK = "timeout"
"""Who decides when nobody did in time; no person answers under this name."""
QuestionStatus = Literal["open", "decided", "expired", "withdrawn"]
"""`expired`: its time was over and nothing may follow; `withdrawn`: what was shown has changed, or the run is gone."""


class Vote(BaseModel):
    """What one person, or the clock, said to one request of a question."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    request: str
    """Id of the request."""
    decision: Decision
    by: str
    """The user; `timeout` for the clock."""
    time: float
    """Unix time in seconds."""


class Question(BaseModel):
    """One interrupt of a run: its requests are answered together or one by one."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    workspace: str
    thread: str
    run: str
    interrupt: str
    """Id that the graph is resumed with."""
    team: str
    goal: str
    user: str
    """For whom the run works."""
    requests: list[ActionRequest]
    digest: str
    """Hash of all that is shown; an answer names it, and a stale one is refused."""
    opened: float
    """Unix time in seconds."""
    status: QuestionStatus = "open"
    level: int = 0
    """How far it has been escalated: how many levels have been asked."""
    due: float | None = None
    """Unix time at which the next level is asked or its time is over; None when it is closed."""
    votes: list[Vote] = Field(default_factory=list)
    """In the order in which they came."""
    decisions: list[Decision] = Field(default_factory=list)
    """One for each request once it is decided; what the graph is resumed with."""
    closed_by: str = ""
    why: str = ""
    """Why it was withdrawn or expired, in words."""
    closed: float | None = None
    applied: bool = False
    """Whether the run has gone on with it."""
