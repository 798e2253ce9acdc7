"""Requests and answers about rules and checkpoints."""

from typing import Any, Literal

from pydantic import Field, JsonValue, field_validator

from domain.autonomy import Tier
from domain.checkpoints import Checkpoint
from domain.constraints import Rule
from domain.standing import MAX_DAYS, Scope, StandingRule
from memory.constraints import Version
from memory.standing_rules import RuleChange, RuleStatus
from understudy.service.bodies.base import Asked, Printable, Shown

RULE_NAME = r"^[a-z][a-z0-9_-]{0,59}$"


class RuleShown(Shown):
    """A standing rule and how it stands."""

    rule: StandingRule
    words: str
    """What it lets pass."""
    status: RuleStatus
    since: float
    why: str
    by: str


class RuleHistoryShown(RuleShown):
    """A standing rule with its moves."""

    history: list[RuleChange]
    """Oldest first."""


class RuleProposed(Asked):
    """A standing rule that is written by hand."""

    name: str = Field(pattern=RULE_NAME)
    scope: Scope
    days: float = Field(default=90, gt=0, le=MAX_DAYS)
    user: Printable = Field(default="", max_length=200)
    """For whose runs; empty: for those of who proposes it."""


class Reason(Asked):
    """Why something is done."""

    why: str = Field(default="", max_length=500)


class TierWanted(Asked):
    """How much may be done for a user without asking."""

    user: Printable = Field(min_length=1, max_length=200)
    tier: Tier


class ConstraintsShown(Shown):
    """The hard rules of a workspace."""

    rules: list[Rule]
    """In force."""
    hash: str
    """Of the rules in force; the same rules have the same hash."""
    proposals: list[Version]
    """What waits for acceptance."""


class ConstraintProposed(Asked):
    """A hard rule to be proposed, as data (`domain.constraints`)."""

    rule: dict[str, JsonValue]


class CheckpointShown(Shown):
    """A checkpoint and who has set it."""

    checkpoint: Checkpoint
    origin: Literal["team", "workspace"]
    unreadable: bool
    """Whether it only stands in for one that cannot be read."""


class CheckpointWanted(Asked):
    """A checkpoint of the workspace."""

    checkpoint: Checkpoint
    every_team: bool = False
    """Whether it stands for every team, and not only for the configured one."""

    @field_validator("checkpoint")
    @classmethod
    def _can_be_named(cls, checkpoint: Checkpoint) -> Checkpoint:
        """Refuse names that no URL could be made of, or that show as something else."""
        if not checkpoint.name.isprintable() or "/" in checkpoint.name:
            msg = "the name of a checkpoint has printable characters and no slash"
            raise ValueError(msg)
        return checkpoint


class Measured(Asked):
    """Values that a checkpoint is held against, by the name of the measure."""

    data: dict[str, Any] = Field(max_length=50)
