"""Earning a standing rule: enough unedited approvals, nothing that went wrong, one proposal, a cool-down."""

from typing import Any

import pytest
from scipy.stats import beta  # type: ignore[import-untyped]  # ships no types

from agents.autonomy.earning import COOL_DOWN_SECONDS, lower_bound, proposal_for
from domain.standing import Kind, StandingRule, kinds_of, not_covered
from memory.decision_kinds import NotedAct, noted_act
from memory.standing_rules import Standing

NOW = 1_000_000_000.0
MAIL: dict[str, Any] = {"to": "ann@x.org", "subject": "Report"}


def acts(count: int, *, args: dict[str, Any] = MAIL, **fields: Any) -> list[NotedAct]:
    given = {"decided": "approve", "by": "ada", "outcome": "done"} | fields
    return [noted_act("send", args, id=f"a{n}", user="ada", time=NOW - n, **given) for n in range(count)]


def exact(args: dict[str, Any] = MAIL) -> Kind:
    return kinds_of("ada", "send", args)[0]


def earned(*seen: NotedAct, kind: Kind | None = None, earlier: list[Standing] | None = None) -> StandingRule | None:
    return proposal_for(kind or exact(), seen, earlier or [], earn_from=0.7, now=NOW)


@pytest.mark.parametrize(("approved", "wrong"), [(0, 0), (1, 0), (8, 0), (8, 1), (50, 3)])
def test_the_bound_is_the_quantile_of_the_posterior(approved: int, wrong: int) -> None:
    assert lower_bound(approved, wrong) == pytest.approx(beta.ppf(0.05, 1 + approved, 1 + wrong))


def test_a_rule_is_earned_by_enough_unedited_approvals_and_not_before() -> None:
    assert earned(*acts(7)) is None
    rule = earned(*acts(8))
    assert rule is not None
    assert rule.words == "call 'send', to exactly 'ann@x.org', with subject \"Report\" for 'ada' without asking"
    assert rule.evidence.startswith("8 approved unchanged, 0 went wrong")
    assert not not_covered(rule, "send", MAIL, user="ada", now=NOW)


@pytest.mark.parametrize(
    "fields",
    [
        {"decided": "edit"},
        {"decided": "reject"},
        {"outcome": "undone"},
        {"outcome": "complained"},
        {"outcome": "failed"},
    ],
    ids=repr,
)
def test_what_went_wrong_counts_against(fields: dict[str, Any]) -> None:
    wrong = acts(1, **fields)
    assert earned(*wrong, *acts(11)) is None
    assert earned(*wrong, *acts(12)) is not None


@pytest.mark.parametrize("fields", [{"by": "timeout"}, {"decided": None, "by": ""}], ids=["the clock", "nobody"])
def test_what_no_person_approved_earns_nothing(fields: dict[str, Any]) -> None:
    assert earned(*acts(100, **fields)) is None


def standing(status: Any, since: float) -> Standing:
    rule = earned(*acts(8))
    assert rule is not None
    return Standing(rule, status, since, "", "")


@pytest.mark.parametrize("status", ["proposed", "active"])
def test_there_is_one_open_proposal_for_a_kind(status: Any) -> None:
    assert earned(*acts(50), earlier=[standing(status, 0)]) is None


@pytest.mark.parametrize("status", ["retired", "demoted"])
def test_a_refusal_is_respected_for_a_while(status: Any) -> None:
    assert earned(*acts(50), earlier=[standing(status, NOW - COOL_DOWN_SECONDS + 1)]) is None
    again = earned(*acts(50), earlier=[standing(status, NOW - COOL_DOWN_SECONDS)])
    assert again is not None
    assert again.id.endswith("-2")


def test_an_expired_rule_is_proposed_anew() -> None:
    assert earned(*acts(8), earlier=[standing("expired", NOW - 1)]) is not None


def test_the_limit_is_the_largest_sum_that_was_approved() -> None:
    paid = [act for amount in (3, 8, 5) for act in acts(3, args={"to": "ann@x.org", "amount": amount})]
    rule = earned(*paid, kind=exact({"to": "ann@x.org", "amount": 3}))
    assert rule is not None
    assert rule.scope.at_most == 8
    assert not_covered(rule, "send", {"to": "ann@x.org", "amount": 8.01}, user="ada", now=NOW)


def test_a_whole_domain_is_earned_with_several_people_only() -> None:
    wide = kinds_of("ada", "send", MAIL)[1]
    assert earned(*acts(50), kind=wide) is None
    several = [act for name in ("ann", "bob", "cid") for act in acts(3, args=MAIL | {"to": f"{name}@x.org"})]
    rule = earned(*several, kind=wide)
    assert rule is not None
    assert rule.scope.domains == ("x.org",)
    assert not not_covered(rule, "send", MAIL | {"to": "dan@x.org"}, user="ada", now=NOW)
    assert not_covered(rule, "send", MAIL | {"to": "dan@x.org.evil.com"}, user="ada", now=NOW)


def test_what_differed_and_is_no_text_must_have_been_seen() -> None:
    seen = [act for day in ("mon", "tue") for act in acts(4, args=MAIL | {"day": day})]
    rule = earned(*seen, kind=exact(MAIL | {"day": "mon"}))
    assert rule is not None
    assert not not_covered(rule, "send", MAIL | {"day": "tue"}, user="ada", now=NOW)
    assert not_covered(rule, "send", MAIL | {"day": "wed"}, user="ada", now=NOW)
