from typing import Any

import pytest
from pydantic import ValidationError

from domain.checkpoints import AutoApproval, Checkpoint
from domain.measures import Test
from domain.verdicts import evaluate, hinges_on

REVIEW = Checkpoint(
    name="strategy_review",
    condition="AFTER_STAGE",
    stage="strategy",
    auto_approve_if=AutoApproval(quality_above=0.85, success_rate_above=0.8),
)
MANY = (Test(measure="recipients", op="gt", value=10),)


@pytest.mark.parametrize(
    ("checkpoint", "data", "status", "rule"),
    [
        (REVIEW, {"quality": 0.9, "success_rate": 0.85}, "auto_approved", "auto_approve_if"),
        (REVIEW, {"quality": 0.85, "success_rate": 0.9}, "pending_approval", "quality_above"),
        (REVIEW, {"quality": 0.9}, "pending_approval", "success_rate_above"),
        (REVIEW, {"quality": "high", "success_rate": 1}, "pending_approval", "quality_above"),
        (REVIEW, {"quality": float("nan"), "success_rate": 1}, "pending_approval", "quality_above"),
        (REVIEW, {"quality": True, "success_rate": 1}, "pending_approval", "quality_above"),
        (REVIEW.model_copy(update={"enabled": False}), {}, "auto_approved", "enabled"),
        (REVIEW.model_copy(update={"action": "NOTIFY"}), {}, "notified", "action"),
        (REVIEW.model_copy(update={"action": "BLOCK"}), {}, "blocked", "action"),
        (REVIEW.model_copy(update={"action": "ESCALATE"}), {"quality": 0.1}, "escalated", "quality_above"),
        (REVIEW.model_copy(update={"auto_approve_for_users": ("ada",)}), {}, "auto_approved", "auto_approve_for_users"),
        (REVIEW.model_copy(update={"auto_approve_if": AutoApproval()}), {"quality": 1}, "pending_approval", "action"),
    ],
    ids=["all above", "equal is not above", "unknown asks", "no number asks", "nan asks", "a flag is no number", "off",
         "notify", "block", "escalate", "user", "no rule"],
)  # fmt: skip
def test_a_checkpoint_decides(checkpoint: Checkpoint, data: dict[str, Any], status: str, rule: str) -> None:
    verdict = evaluate(checkpoint, data, user="ada")
    assert (verdict.status, verdict.rule) == (status, rule)


@pytest.mark.parametrize(
    ("rule", "measure", "passes", "asks"),
    [
        ({"cost_below": 2.0}, "cost", 1.9, 2.0),
        ({"amount_below": 100}, "amount", 0, 100),
        ({"recipients_below": 3}, "recipients", 2, 3),
        ({"novelty_below": 0.5}, "novelty", 0.2, 0.5),
        ({"risk_below": 0.4}, "risk", 0.39, 0.9),
        ({"privacy_below": "personal"}, "privacy", "internal", "personal"),
        ({"confidence_above": 0.8}, "confidence", 0.81, 0.8),
    ],
)
def test_every_rule_lets_pass_on_one_side_only(rule: dict[str, Any], measure: str, passes: Any, asks: Any) -> None:
    checkpoint = Checkpoint(name="c", condition="BEFORE_EXECUTION", stage="x", auto_approve_if=AutoApproval(**rule))
    assert evaluate(checkpoint, {measure: passes}, user="u").status == "auto_approved"
    assert evaluate(checkpoint, {measure: asks}, user="u").rule == next(iter(rule))
    assert evaluate(checkpoint, {}, user="u").status == "pending_approval"


@pytest.mark.parametrize(
    ("action", "data", "status", "evaluated"),
    [
        ("REQUEST_APPROVAL", {"recipients": 11}, "pending_approval", True),
        ("REQUEST_APPROVAL", {"recipients": 10}, "auto_approved", True),
        ("BLOCK", {"recipients": 11}, "blocked", True),
        ("BLOCK", {"recipients": 1}, "auto_approved", True),
        ("NOTIFY", {"recipients": 11}, "notified", True),
        ("BLOCK", {}, "pending_approval", False),
        ("NOTIFY", {"recipients": "many"}, "pending_approval", False),
    ],
)
def test_tests_say_whether_it_stands_and_what_cannot_be_told_asks(
    action: Any, data: dict[str, Any], status: str, evaluated: bool
) -> None:
    checkpoint = Checkpoint(name="many", condition="ON_VALUE", when=MANY, action=action)
    verdict = evaluate(checkpoint, data, user="ada")
    assert (verdict.status, verdict.evaluated) == (status, evaluated)


def test_nobody_passes_a_checkpoint_by_name_whose_tests_cannot_be_told() -> None:
    checkpoint = Checkpoint(name="many", condition="ON_VALUE", when=MANY, auto_approve_for_users=("ada",))
    assert evaluate(checkpoint, {"recipients": 11}, user="ada").status == "auto_approved"
    assert evaluate(checkpoint, {}, user="ada").status == "pending_approval"


def test_the_reason_names_the_figure_that_was_too_low() -> None:
    verdict = evaluate(REVIEW, {"quality": 0.7, "success_rate": 0.9}, user="bob")
    assert verdict.reason == "quality is 0.70, not above 0.85"


@pytest.mark.parametrize(
    ("fields", "places"),
    [
        ({"condition": "ON_EFFECT"}, {"step"}),
        ({"condition": "BEFORE_EXECUTION"}, {"plan"}),
        ({"condition": "BEFORE_EXECUTION", "stage": "x"}, {"step"}),
        ({"condition": "AFTER_STAGE", "stage": "x"}, {"output"}),
        ({"condition": "AFTER_STAGE", "stage": "result"}, {"result"}),
        ({"condition": "ON_VALUE", "when": MANY}, {"step"}),
        ({"condition": "ON_VALUE", "when": (Test(measure="privacy", op="ge", value="personal"),)},
         {"plan", "step", "result"}),
        ({"condition": "ON_VALUE", "stage": "plan", "when": (Test(measure="writes", op="gt", value=1),)}, {"plan"}),
    ],
)  # fmt: skip
def test_where_a_checkpoint_stands(fields: dict[str, Any], places: set[str]) -> None:
    assert Checkpoint(name="c", **fields).places == places


def test_a_checkpoint_of_a_specialist_stands_at_its_steps_only() -> None:
    checkpoint = Checkpoint(name="c", condition="ON_VALUE", stage="writer", when=MANY)
    assert checkpoint.stands_at("step", "writer")
    assert not checkpoint.stands_at("step", "reader")
    assert not checkpoint.stands_at("plan")


def test_before_effects_it_stands_at_writing_steps_only() -> None:
    checkpoint = Checkpoint(name="c", condition="ON_EFFECT")
    assert checkpoint.stands_at("step", "x", writes=True)
    assert not checkpoint.stands_at("step", "x", writes=False)


def test_settings_that_contradict_each_other_are_refused_where_it_is_made() -> None:
    with pytest.raises(ValidationError, match="escalates to nobody"):
        Checkpoint(name="c", condition="ON_EFFECT", action="ESCALATE")


STRICT = AutoApproval(quality_above=0.8, success_rate_above=0.8)
POOR = Test(measure="quality", op="lt", value=0.5)


@pytest.mark.parametrize(
    ("fields", "data", "open"),
    [
        ({"auto_approve_if": STRICT}, {"success_rate": 0.9}, True),
        ({"auto_approve_if": STRICT}, {"success_rate": 0.5}, False),
        ({"auto_approve_if": STRICT}, {}, False),
        ({"auto_approve_if": STRICT, "auto_approve_for_users": ("ada",)}, {}, False),
        ({"auto_approve_if": STRICT, "enabled": False}, {}, False),
        ({"when": (POOR,), "action": "BLOCK"}, {}, True),
        ({"when": (POOR, Test(measure="confidence", op="lt", value=0.5))}, {"confidence": 0.9}, False),
        ({}, {}, False),
    ],
)
def test_a_measure_is_wanted_only_while_nothing_else_decides(
    fields: dict[str, Any], data: dict[str, Any], open: bool
) -> None:
    checkpoint = Checkpoint(name="c", condition="AFTER_STAGE", stage="x", **fields)
    assert hinges_on(checkpoint, "quality", data, user="ada") is open
