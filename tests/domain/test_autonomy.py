"""The controller: what forbids cannot be outvoted, what is unknown counts against, and trust only ever frees."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.autonomy import ACTIONS, TIERS, Autonomy, Proposal, call_digest, decide, decide_undoing
from domain.verdicts import CheckpointVerdict

NUMBERS = st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=True))
WORDS = st.lists(st.text("ab@. ", max_size=5).map(lambda text: f"w{text}"), max_size=2).map(tuple)
STATUSES = [
    "auto_approved", "pending_approval", "approved", "edited", "rejected", "expired", "escalated", "notified",
    "blocked",
]  # fmt: skip


def verdict(status: str, *, evaluated: bool = True) -> CheckpointVerdict:
    return CheckpointVerdict.model_validate(
        {"checkpoint": "gate", "status": status, "reason": "why", "rule": "action", "evaluated": evaluated}
    )


VERDICTS = st.builds(verdict, st.sampled_from(STATUSES), evaluated=st.booleans())
PROPOSALS = st.builds(
    Proposal,
    tool=st.just("send"),
    effect=st.sampled_from(["none", "read", "write"]),
    confidence=NUMBERS,
    reversibility=st.sampled_from(["undoable", "irreversible", "unknown"]),
    count=NUMBERS,
    money=NUMBERS,
    novelty=NUMBERS,
    privacy=st.sampled_from([None, "public", "internal", "personal", "secret"]),
    tier=st.sampled_from(TIERS),
    bounds=st.builds(
        Autonomy, notify_above=st.floats(0, 1), ask_above=st.floats(0, 1), doubt_below=st.floats(0, 1)
    ),
    violations=st.one_of(st.none(), WORDS),
    checkpoints=st.one_of(st.none(), st.lists(VERDICTS, max_size=3).map(tuple)),
    consents_refused=st.one_of(st.none(), WORDS),
    consents_missing=st.one_of(st.none(), WORDS),
    untrusted=st.one_of(st.none(), WORDS),
    standing_rule=st.sampled_from(["", "mail-ann"]),
    unknown=WORDS,
)  # fmt: skip
CLEAN: dict[str, Any] = {
    "tool": "send", "confidence": 0.9, "reversibility": "undoable", "count": 1, "money": 0, "novelty": 0,
    "privacy": "internal", "tier": "standard", "violations": (), "checkpoints": (), "consents_refused": (),
    "consents_missing": (), "untrusted": (),
}  # fmt: skip
"""An act that nothing speaks against."""


def clean(**fields: Any) -> Proposal:
    return Proposal.model_validate(CLEAN | fields)


@given(PROPOSALS)
def test_what_forbids_cannot_be_outvoted(proposal: Proposal) -> None:
    statuses = [v.status for v in proposal.checkpoints or ()]
    forbidden = proposal.violations is None or proposal.violations or proposal.consents_refused or "blocked" in statuses
    assert (decide(proposal).action == "refuse") is bool(forbidden)


@given(PROPOSALS)
def test_nothing_is_done_alone_that_must_be_asked_whatever_the_confidence(proposal: Proposal) -> None:
    ruling = decide(proposal)
    verdicts = proposal.checkpoints or ()
    if ruling.acts:
        assert proposal.checkpoints is not None
        assert proposal.untrusted == ()
        assert (proposal.consents_missing, proposal.consents_refused) == ((), ())
        assert (proposal.unknown, proposal.violations) == ((), ())
        assert all(v.evaluated and v.status != "escalated" for v in verdicts)
        asked = any(v.status not in ("auto_approved", "notified") for v in verdicts)
        assert not asked or (proposal.standing_rule and proposal.tier != "cautious")


@given(PROPOSALS)
def test_what_cannot_be_undone_is_done_alone_only_by_trust_or_by_a_rule(proposal: Proposal) -> None:
    ruling = decide(proposal)
    if ruling.acts and proposal.effect == "write" and proposal.reversibility != "undoable":
        assert proposal.tier == "trusted" or (proposal.tier == "standard" and proposal.standing_rule)
        assert ruling.rule in ("tier", "standing_rule")


@given(PROPOSALS)
def test_more_trust_never_makes_it_stricter(proposal: Proposal) -> None:
    by_tier = [decide(proposal.model_copy(update={"tier": tier})).action for tier in TIERS]
    assert sorted(by_tier, key=ACTIONS.index, reverse=True) == by_tier


@given(PROPOSALS, st.sampled_from(["count", "money", "novelty", "confidence"]))
def test_knowing_less_never_frees(proposal: Proposal, field: str) -> None:
    for nothing in (None, math.nan):
        without = proposal.model_copy(update={field: nothing})
        assert ACTIONS.index(decide(proposal).action) <= ACTIONS.index(decide(without).action)


@given(PROPOSALS)
def test_every_ruling_says_why(proposal: Proposal) -> None:
    ruling = decide(proposal)
    assert ruling.reason.strip()
    assert ruling.considered
    assert ruling.considered[-1].startswith(f"{ruling.rule}: ")


def test_a_proposal_that_nobody_filled_in_is_refused() -> None:
    ruling = decide(Proposal(tool="send"))
    assert (ruling.action, ruling.rule) == ("refuse", "constraint")


@pytest.mark.parametrize(
    ("fields", "action", "rule"),
    [
        ({}, "act", "tier"),
        ({"novelty": 1, "count": 10}, "act", "tier"),
        ({"money": 300}, "act_and_notify", "tier"),
        ({"confidence": 0.1}, "act_and_notify", "tier"),
        ({"confidence": 7.0}, "act_and_notify", "tier"),
        ({"money": None, "count": None}, "ask", "tier"),
        ({"reversibility": "irreversible"}, "ask", "tier"),
        ({"reversibility": "irreversible", "tier": "trusted"}, "act_and_notify", "tier"),
        ({"reversibility": "irreversible", "tier": "trusted", "confidence": 0.1}, "ask", "tier"),
        ({"reversibility": "irreversible", "tier": "trusted", "money": 5000}, "ask", "tier"),
        ({"reversibility": "irreversible", "standing_rule": "r"}, "act_and_notify", "standing_rule"),
        ({"tier": "cautious"}, "ask", "tier"),
        ({"tier": "cautious", "standing_rule": "r"}, "ask", "tier"),
        ({"checkpoints": (verdict("pending_approval"),)}, "ask", "checkpoint"),
        ({"checkpoints": (verdict("pending_approval"),), "standing_rule": "r"}, "act_and_notify", "standing_rule"),
        ({"checkpoints": (verdict("pending_approval", evaluated=False),), "standing_rule": "r"}, "ask", "unknown"),
        ({"checkpoints": (verdict("auto_approved"),)}, "act", "tier"),
        ({"checkpoints": (verdict("notified"),)}, "act_and_notify", "tier"),
        ({"checkpoints": (verdict("escalated"),), "standing_rule": "r"}, "escalate", "checkpoint"),
        ({"checkpoints": (verdict("blocked"),), "standing_rule": "r", "tier": "trusted"}, "refuse", "checkpoint"),
        ({"untrusted": ("evil@x.example",), "standing_rule": "r", "tier": "trusted"}, "ask", "untrusted_origin"),
        ({"consents_missing": ("mail",), "standing_rule": "r"}, "ask", "consent_missing"),
        ({"consents_refused": ("mail",), "untrusted": ("x",)}, "refuse", "consent_refused"),
        ({"violations": ("rule 'no-mail': no",), "tier": "trusted", "standing_rule": "r"}, "refuse", "constraint"),
        ({"untrusted": ("x",), "checkpoints": (verdict("escalated"),)}, "ask", "untrusted_origin"),
        ({"effect": "none", "tier": "cautious"}, "act", "no_effect"),
        ({"effect": "read", "tier": "cautious"}, "act", "no_effect"),
    ],
)
def test_the_order_of_the_rules(fields: dict[str, Any], action: str, rule: str) -> None:
    ruling = decide(clean(**fields))
    assert (ruling.action, ruling.rule) == (action, rule)


def test_a_ruling_holds_for_one_call() -> None:
    assert call_digest("send", {"a": 1, "b": 2}) == call_digest("send", {"b": 2, "a": 1})
    assert call_digest("send", {"a": 1}) != call_digest("send", {"a": "1"}) != call_digest("post", {"a": "1"})
    assert call_digest("send", {"a": "\ud800", "b": math.nan})


def test_taking_back_is_an_act_of_no_risk() -> None:
    ruling = decide_undoing("send", {"to": "ann"})
    assert (ruling.action, ruling.rule, ruling.risk) == ("act", "taking_back", 0)
    assert ruling.digest == call_digest("send", {"to": "ann"})
