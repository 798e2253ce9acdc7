from typing import Any

import pytest

from domain.checkpoints import AutoApproval, Checkpoint, evaluate

REVIEW = Checkpoint(
    name="strategy_review",
    condition="AFTER_STAGE",
    stage="strategy",
    auto_approve_if=AutoApproval(quality_above=0.85, success_rate_above=0.8),
)


@pytest.mark.parametrize(
    ("checkpoint", "data", "status", "rule"),
    [
        (REVIEW, {"quality": 0.9, "success_rate": 0.85}, "auto_approved", "auto_approve_if"),
        (REVIEW, {"quality": 0.85, "success_rate": 0.9}, "pending_approval", "quality_above"),
        (REVIEW, {"quality": 0.9}, "pending_approval", "success_rate_above"),
        (REVIEW, {"quality": "high", "success_rate": 1}, "pending_approval", "quality_above"),
        (REVIEW.model_copy(update={"enabled": False}), {}, "auto_approved", "enabled"),
        (REVIEW.model_copy(update={"action": "NOTIFY"}), {}, "notified", "action"),
        (REVIEW.model_copy(update={"auto_approve_for_users": ("ada",)}), {}, "auto_approved", "auto_approve_for_users"),
        (REVIEW.model_copy(update={"auto_approve_if": AutoApproval()}), {"quality": 1}, "pending_approval", "action"),
    ],
    ids=["all above", "equal is not above", "unknown asks", "not a number asks", "off", "notify", "user", "no rule"],
)
def test_a_checkpoint_decides(checkpoint: Checkpoint, data: dict[str, Any], status: str, rule: str) -> None:
    verdict = evaluate(checkpoint, data, user="ada")
    assert (verdict.status, verdict.rule) == (status, rule)


def test_the_reason_names_the_figure_that_was_too_low() -> None:
    verdict = evaluate(REVIEW, {"quality": 0.7, "success_rate": 0.9}, user="bob")
    assert verdict.reason == "quality is 0.70, not above 0.85"
