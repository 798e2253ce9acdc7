"""What is worth trying after a failure, by its code: the one table that says which errors pass by themselves."""

from collections.abc import Mapping
from typing import Literal

from domain import errors

Reaction = Literal["retry", "other", "stop"]
"""`retry`: the same once more, after a pause, may work; `other`: only another way can; `stop`: nothing may be tried."""

REACTIONS: Mapping[str, Reaction] = {
    "step_timeout": "retry",
    errors.ToolError.code: "retry",
    errors.ToolTimeout.code: "retry",
    errors.ToolCrashed.code: "retry",
    errors.MalformedOutput.code: "retry",
    errors.TransformFailed.code: "retry",
    errors.ModelError.code: "retry",
    errors.ModelUnavailable.code: "retry",
    errors.MalformedAnswer.code: "retry",
    errors.StorageAway.code: "retry",
    errors.StorageBusy.code: "retry",
    errors.ResourceBusy.code: "other",
    errors.ResourceUnavailable.code: "other",
    errors.ModelRefused.code: "other",
    errors.ToolRefused.code: "other",
    errors.InvalidArguments.code: "other",
    errors.PathNotAllowed.code: "other",
    errors.QueryNotAllowed.code: "other",
    errors.ConstraintViolated.code: "other",
    errors.ConsentRefused.code: "other",
    errors.PrivateData.code: "other",
    errors.ActionRefused.code: "other",
    errors.OutputTooLarge.code: "other",
    errors.AddressNotAllowed.code: "other",
    errors.ToolAway.code: "other",
    errors.ToolChanged.code: "other",
    errors.StorageCorrupt.code: "other",
    errors.StorageFull.code: "other",
    "found_nothing": "other",
    "bad_items": "other",
    "too_many_items": "other",
    "no_progress": "other",
    "not_reached": "other",
    "input_failed": "other",
    "rejected": "stop",
    errors.ConsentNeeded.code: "stop",
    errors.ApprovalNeeded.code: "stop",
    errors.EffectUnknown.code: "stop",
    errors.EffectUndone.code: "stop",
    errors.LimitReached.code: "stop",
}


def reaction_to(code: str) -> Reaction:
    """Return what is worth trying after a failure with this code; an unknown one may pass by itself."""
    return REACTIONS.get(code, "retry")
