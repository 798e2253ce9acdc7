"""Checkpoints in words: where one stands, and what lets a run pass it."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from domain.checkpoints import Checkpoint


def stands(checkpoint: "Checkpoint") -> str:
    """Return where a checkpoint stands, and under which tests."""
    where = checkpoint.condition + (f" {checkpoint.stage}" if checkpoint.stage else "")
    return " when ".join([where, *([" and ".join(map(str, checkpoint.when))] if checkpoint.when else [])])


def passes(checkpoint: "Checkpoint") -> str:
    """Return what lets a run pass a checkpoint without a person."""
    if not checkpoint.enabled:
        return "always (switched off)"
    if checkpoint.action in ("NOTIFY", "BLOCK"):
        return "always, people are told" if checkpoint.action == "NOTIFY" else "never"
    bounds = [
        f"{measure} {'>' if op == 'gt' else '<'} {bound}"
        for _, measure, op, bound in checkpoint.auto_approve_if.bounds()
    ]
    either = [" and ".join(bounds)] if bounds else []
    if checkpoint.auto_approve_for_users:
        either.append("for " + ", ".join(checkpoint.auto_approve_for_users))
    return " or ".join(either) or "never"
