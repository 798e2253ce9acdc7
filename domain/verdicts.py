"""What a checkpoint says about measured data, and the rule that decided. Pure."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from domain.checkpoints import Checkpoint
from domain.measures import COSTLY, MeasureName, Op, compared, holds, shown, unfit

CheckpointStatus = Literal[
    "auto_approved", "pending_approval", "approved", "edited", "rejected", "expired", "escalated", "notified", "blocked"
]
"""How a checkpoint stands; `evaluate` gives the first two, the last two, and `escalated`, the others follow from what a
person or the clock says."""


STRICTEST: tuple[CheckpointStatus, ...] = (
    "blocked", "rejected", "expired", "escalated", "pending_approval", "edited", "approved", "notified",
    "auto_approved",
)  # fmt: skip
"""The statuses, the strictest first."""


class CheckpointVerdict(BaseModel):
    """What a checkpoint says about given data, and the rule that decided."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    checkpoint: str
    status: CheckpointStatus
    reason: str
    rule: str
    """`enabled`, `when`, `action`, `auto_approve_for_users`, `auto_approve_if`, or the bound that was not kept."""
    evaluated: bool = True
    """False where its condition could not be told: then a person is asked, whatever else there is."""

    @property
    def asks(self) -> bool:
        """Whether a person is asked."""
        return self.status in ("pending_approval", "escalated")

    @property
    def stands(self) -> bool:
        """Whether the checkpoint was met at all: one whose tests do not hold has no say."""
        return self.rule != "when" or not self.evaluated


def evaluate(checkpoint: Checkpoint, data: Mapping[str, Any], *, user: str) -> CheckpointVerdict:
    """Return what the checkpoint says.

    Args:
        checkpoint: The checkpoint, already matched to where the run stands.
        data: Measured values by `domain.measures.MeasureName`; a missing one, or one of a wrong type, means "ask".
        user: The person for whom the run works.
    """
    if not checkpoint.enabled:
        return _verdict(checkpoint, "auto_approved", "enabled", "the checkpoint is switched off")
    told = [(test, holds(test, data)) for test in checkpoint.when]
    if missed := [test for test, held in told if held is False]:
        reason = f"{missed[0].measure} is {shown(data[missed[0].measure])}, so it does not stand here ({missed[0]})"
        return _verdict(checkpoint, "auto_approved", "when", reason)
    if unknown := [test for test, held in told if held is None]:
        status: CheckpointStatus = "escalated" if checkpoint.action == "ESCALATE" else "pending_approval"
        reason = f"whether {unknown[0]} could not be found out"
        return _verdict(checkpoint, status, "when", reason).model_copy(update={"evaluated": False})
    met = " and ".join(f"{test} (it is {shown(data[test.measure])})" for test in checkpoint.when)
    return _acted(checkpoint, data, user, met)


def hinges_on(checkpoint: Checkpoint, measure: MeasureName, data: Mapping[str, Any], *, user: str) -> bool:
    """Return whether what a checkpoint says may still change with a measure that the data lacks.

    Args:
        checkpoint: The checkpoint.
        measure: What has not been measured yet.
        data: What has been.
        user: The person for whom the run works.
    """
    verdict = evaluate(checkpoint, data, user=user)
    if verdict.rule == "when":
        return not verdict.evaluated and any(test.measure == measure for test in checkpoint.when)
    bounds = list(checkpoint.auto_approve_if.bounds())
    others = all(_kept(m, data.get(m), op, value) for _, m, op, value in bounds if m != measure)
    return verdict.asks and others and any(m == measure for _, m, *_ in bounds)


def _kept(measure: MeasureName, measured: Any, op: Op, value: Any) -> bool:
    return not unfit(measure, measured) and compared(measure, measured, op, value)


def _acted(checkpoint: Checkpoint, data: Mapping[str, Any], user: str, met: str) -> CheckpointVerdict:
    """Return what a checkpoint whose tests hold does."""
    match checkpoint.action:
        case "BLOCK":
            return _verdict(checkpoint, "blocked", "action", met or "the checkpoint lets nothing pass")
        case "NOTIFY":
            return _verdict(checkpoint, "notified", "action", met or "the checkpoint only notifies")
    if user in checkpoint.auto_approve_for_users:
        return _verdict(checkpoint, "auto_approved", "auto_approve_for_users", f"{user} may pass without being asked")
    asks: CheckpointStatus = "escalated" if checkpoint.action == "ESCALATE" else "pending_approval"
    bounds = list(checkpoint.auto_approve_if.bounds())
    for rule, measure, op, value in sorted(bounds, key=lambda bound: (bound[1] not in data, bound[1] in COSTLY)):
        measured = data.get(measure)
        if not _kept(measure, measured, op, value):
            reason = f"{measure} is {_known(measure, measured)}, not {rule.rpartition('_')[2]} {_bound(value)}"
            return _verdict(checkpoint, asks, rule, reason)
    if not bounds:
        return _verdict(checkpoint, asks, "action", met or "the checkpoint always asks")
    kept = ", ".join(f"{m} {shown(data[m])} {'>' if op == 'gt' else '<'} {_bound(v)}" for _, m, op, v in bounds)
    return _verdict(checkpoint, "auto_approved", "auto_approve_if", kept)


def _verdict(checkpoint: Checkpoint, status: CheckpointStatus, rule: str, reason: str) -> CheckpointVerdict:
    return CheckpointVerdict(checkpoint=checkpoint.name, status=status, rule=rule, reason=reason)


def _known(measure: MeasureName, measured: Any) -> str:
    return "unknown" if unfit(measure, measured) else shown(measured)


def _bound(value: Any) -> str:
    return f"{value:g}" if isinstance(value, int | float) else str(value)
