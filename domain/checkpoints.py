"""Checkpoints: where a run pauses for a person, and the rules that let it pass without one."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

CheckpointCondition = Literal["AFTER_STAGE", "BEFORE_EXECUTION", "ON_EFFECT"]
CheckpointAction = Literal["REQUEST_APPROVAL", "NOTIFY"]
CheckpointStatus = Literal["auto_approved", "pending_approval", "notified"]

DEFAULT_TIMEOUT_SECONDS = 3600.0


class AutoApproval(BaseModel):
    """Bounds that must all be exceeded for a checkpoint to pass by itself; an unknown value means: ask."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    quality_above: float | None = Field(default=None, ge=0, le=1)
    confidence_above: float | None = Field(default=None, ge=0, le=1)
    success_rate_above: float | None = Field(default=None, ge=0, le=1)


class Checkpoint(BaseModel):
    """A named place where a person decides.

    `AFTER_STAGE` holds the output of `stage` (a specialist, or `result` for the final draft) before anything uses it,
    `BEFORE_EXECUTION` holds the plan (no stage) or the specialist's step, `ON_EFFECT` holds every step that writes.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    description: str = ""
    condition: CheckpointCondition
    stage: str | None = None
    action: CheckpointAction = "REQUEST_APPROVAL"
    auto_approve_if: AutoApproval = AutoApproval()
    auto_approve_for_users: tuple[str, ...] = ()
    timeout_seconds: float = Field(default=DEFAULT_TIMEOUT_SECONDS, gt=0)
    enabled: bool = True


class CheckpointVerdict(BaseModel):
    """What a checkpoint says about given data, and the rule that decided."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    checkpoint: str
    status: CheckpointStatus
    reason: str
    rule: str


def evaluate(checkpoint: Checkpoint, data: Mapping[str, Any], *, user: str) -> CheckpointVerdict:
    """Return whether the checkpoint asks a person.

    Args:
        checkpoint: The checkpoint, already matched to where the run stands.
        data: Measured values: `quality`, `confidence`, `success_rate`, each 0-1; a missing one means "ask".
        user: The person for whom the run works.
    """
    status, rule, reason = _decide(checkpoint, data, user)
    return CheckpointVerdict(checkpoint=checkpoint.name, status=status, rule=rule, reason=reason)


def _decide(checkpoint: Checkpoint, data: Mapping[str, Any], user: str) -> tuple[CheckpointStatus, str, str]:
    if not checkpoint.enabled:
        return "auto_approved", "enabled", "the checkpoint is switched off"
    if checkpoint.action == "NOTIFY":
        return "notified", "action", "the checkpoint only notifies"
    if user in checkpoint.auto_approve_for_users:
        return "auto_approved", "auto_approve_for_users", f"{user} may pass without being asked"
    bounds = {k.removesuffix("_above"): v for k, v in checkpoint.auto_approve_if.model_dump(exclude_none=True).items()}
    if not bounds:
        return "pending_approval", "action", "the checkpoint always asks"
    for value, bound in bounds.items():
        measured = data.get(value)
        if not isinstance(measured, int | float) or not measured > bound:
            return "pending_approval", f"{value}_above", f"{value} is {_shown(measured)}, not above {bound:g}"
    return "auto_approved", "auto_approve_if", ", ".join(f"{v} {_shown(data[v])} > {b:g}" for v, b in bounds.items())


def _shown(value: Any) -> str:
    return f"{value:.2f}" if isinstance(value, int | float) else "unknown"
