"""Standing rules cover exactly what was allowed: another spelling, recipient, path or amount is asked about."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.standing import Scope, StandingRule, call_of, kinds_of, learnt_values, mark_of, not_covered

MAIL: dict[str, Any] = {"to": "ann@x.org", "subject": "Report", "body": "All is well today."}
ANN = Scope(
    tool="send", names=("to", "subject", "body"), recipients=("ann@x.org",), values={"subject": ('="Report"',)},
    free=("body",),
)  # fmt: skip
X_ORG = Scope(tool="send", names=("to",), domains=("x.org",))
FILES = Scope(tool="save", names=("path", "text"), folders=("reports",), free=("text",))
PAY = Scope(tool="pay", names=("to", "amount"), recipients=("ann@x.org",), at_most=50)


def covers(scope: Scope, tool: str, args: dict[str, Any], *, user: str = "ada", now: float = 10) -> bool:
    rule = StandingRule(id="r", user="ada", scope=scope, expires=100)
    return not not_covered(rule, tool, args, user=user, now=now)


def test_what_was_allowed_passes() -> None:
    assert covers(ANN, "send", MAIL)
    assert covers(ANN, "send", MAIL | {"body": "Quite another text."})
    assert covers(X_ORG, "send", {"to": ["ann@x.org", "bob.b+c@X.ORG"]})
    assert covers(FILES, "save", {"path": "reports/june 2.md", "text": "x"})
    assert all(covers(PAY, "pay", {"to": "ann@x.org", "amount": amount}) for amount in (0, 50, 49.99, "50", "12.50"))


@pytest.mark.parametrize(
    "to",
    [
        "a@x.org.evil.com", "ann@x.org.evil.com", "ann@evil.com", "Ann@x.org", "ann@X.org", " ann@x.org", "ann@x.org ",
        "ann@x.org\n", "аnn@x.org", "ａnn@x.org", "ann@x。org", "ann@x.org,evil@y.com", "ann@x.org;evil@y.com",
        "ann@x.org evil@y.com", "Ann <ann@x.org>", "mailto:ann@x.org", "ann@x.org\u200b", "ann%40x.org", "ann@x.org.",
        ["ann@x.org", "evil@y.com"], ["ann@x.org", "ann@x.org", "bob@x.org"], {"ann@x.org": "evil@y.com"}, [], "", None,
        "ann@x.org\x00", "evil@y.com?cc=ann@x.org", "ann@x.org/../evil", 7, True,
    ],
    ids=repr,
)  # fmt: skip
def test_nobody_else_is_taken_for_a_recipient(to: Any) -> None:
    assert not covers(ANN, "send", MAIL | {"to": to})


@pytest.mark.parametrize(
    "to",
    [
        "a@x.org.evil.com", "a@evilx.org", "a@sub.x.org", "a@x.org@evil.com", "a@evil.com@x.org", "a b@x.org", "@x.org",
        "a@x.org,b@evil.com", "\"a\"@x.org", "a@х.org", "a@x.оrg", "a@ｘ.org", "a@x.org.", "a@[x.org]", "x.org",
        ["a@x.org", "b@evil.com"], {"a@x.org": "b@evil.com"}, [], None, "a@x.org\r\nBcc: b@evil.com", "a@x.org\\",
        "a@x．org",
    ],
    ids=repr,
)  # fmt: skip
def test_nobody_outside_is_taken_for_one_of_the_domain(to: Any) -> None:
    assert not covers(X_ORG, "send", {"to": to})


@pytest.mark.parametrize(
    "more",
    [
        {"cc": "evil@y.com"},
        {"bcc": ["evil@y.com"]},
        {"cc": ""},
        {"attachment": "secrets.txt"},
        {"headers": {"Bcc": "e@y.z"}},
    ],
    ids=repr,
)
def test_an_argument_more_or_less_is_another_call(more: dict[str, Any]) -> None:
    assert not covers(ANN, "send", MAIL | more)
    assert not covers(ANN, "send", {"to": "ann@x.org", "body": "x"})


@pytest.mark.parametrize(
    "change",
    [
        {"subject": "Report 2"}, {"subject": "report"}, {"subject": ["Report"]}, {"subject": {"to": "evil@y.com"}},
        {"subject": "write to evil@y.com"}, {"body": "reply to evil@y.com"}, {"body": 7},
        {"body": {"bcc": "evil@y.com"}}, {"body": {"x": "y"}}, {"body": None}, {"body": True}, {"body": ["a b"]},
        {"body": {"subject": "Report"}}, {"body": {"body": "a b"}},
    ],
    ids=repr,
)  # fmt: skip
def test_only_named_values_and_free_texts_pass(change: dict[str, Any]) -> None:
    assert not covers(ANN, "send", MAIL | change)


@pytest.mark.parametrize(
    "path",
    [
        "reports/../secret.md", "../reports/x.md", "/reports/x.md", "reports//x.md", "./reports/x.md", "reports/./x.md",
        "reports/sub/x.md", "Reports/x.md", "reports\\x.md", "reports/x.md/", "reports", "x.md", "~/reports/x.md", "",
        "reports/\u2025/x.md", "ｒeports/x.md", "reports/x.md\x00", "reports/%2e%2e/x.md", "reports/x\n.md",
        " reports/x.md",        ["reports/x.md", "etc/passwd"], None, 7, {"path": "reports/x.md", "file": "etc/x"},
    ],
    ids=repr,
)  # fmt: skip
def test_no_path_leaves_its_folder(path: Any) -> None:
    assert not covers(FILES, "save", {"path": path, "text": "x"})


@pytest.mark.parametrize(
    "amount",
    [
        50.01, 51, "51", math.nan, math.inf, -1, -0.01, "1e1", "NaN", "inf", "5,0", "1_0", "0x5", " 5", "5 ", "5\n",
        "٥", "５", "+5", "-5", "$5", "5.0.0", ".5", "5.", "", None, True, [30, 30], {"amount": 49, "fee": 2}, 10**400,
        "9" * 400,
    ],
    ids=lambda amount: repr(amount)[:20],
)  # fmt: skip
def test_no_more_money_passes_and_none_that_cannot_be_read(amount: Any) -> None:
    assert not covers(PAY, "pay", {"to": "ann@x.org", "amount": amount})


def test_money_needs_a_limit() -> None:
    assert not covers(PAY.model_copy(update={"at_most": None}), "pay", {"to": "ann@x.org", "amount": 0})


@pytest.mark.parametrize("change", [{"user": "bob"}, {"now": 100}, {"now": 1e12}, {"now": math.nan}], ids=repr)
def test_it_is_for_one_user_and_for_a_time(change: dict[str, Any]) -> None:
    assert covers(ANN, "send", MAIL)
    assert not covers(ANN, "send", MAIL, **change)


@pytest.mark.parametrize("end", [math.nan, math.inf])
def test_a_rule_has_an_end(end: float) -> None:
    with pytest.raises(ValueError, match="expires"):
        StandingRule(id="r", user="ada", scope=ANN, expires=end)


def test_it_is_for_one_tool() -> None:
    assert not covers(ANN, "send2", MAIL)
    assert not covers(ANN, "SEND", MAIL)


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.emails()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(st.fixed_dictionaries({}, optional={n: JSON for n in ("to", "cc", "subject", "body", "amount", "path", "x")}))
def test_whatever_passes_goes_to_those_that_were_named(args: dict[str, Any]) -> None:
    for scope in (ANN, X_ORG, FILES, PAY):
        if covers(scope, scope.tool, args):
            call = call_of(args)
            assert set(call.recipients) <= {"ann@x.org"} or all(r.lower().endswith("@x.org") for r in call.recipients)
            assert set(call.folders) <= {"reports"}
            assert sum(amount or 0 for amount in call.money) <= 50


@given(JSON, JSON)
def test_two_values_share_a_mark_only_when_they_are_the_same(one: Any, other: Any) -> None:
    if mark_of(one) == mark_of(other):
        assert repr(one) == repr(other) or one == other


def test_examples_teach_names_and_leave_texts_free() -> None:
    calls = [call_of({"id": i, "kind": "weekly", "body": f"the report number {i}"}) for i in (1, 2)]
    values, free = learnt_values(calls)
    assert values == {"id": ("=1", "=2"), "kind": ('="weekly"',)}
    assert free == ("body",)


def test_kinds_tell_users_recipients_folders_and_amounts_apart() -> None:
    def kind(user: str = "ada", **args: Any) -> str:
        return kinds_of(user, "pay", {"to": "ann@x.org", "amount": 5, **args})[0].hash

    assert kind() == kind(amount=9)
    others = [kind("bob"), kind(to="bob@x.org"), kind(amount=11), kind(path="a/b"), kind(to=["ann@x.org", "b@x.org"])]
    assert len({kind(), *others}) == 6


def test_a_kind_at_a_domain_is_wider() -> None:
    ann, bob = (kinds_of("ada", "send", {"to": f"{name}@x.org"}) for name in ("ann", "bob"))
    assert ann[0] != bob[0]
    assert ann[1] == bob[1]


@pytest.mark.parametrize("args", [{"to": "аnn@x.org"}, {"path": "../x"}, {"amount": "lots"}], ids=repr)
def test_what_is_not_written_plainly_is_of_no_kind(args: dict[str, Any]) -> None:
    assert kinds_of("ada", "send", args) == []


def test_without_any_aim_only_the_very_same_call_is_of_the_kind() -> None:
    assert kinds_of("ada", "switch", {"device": "lamp"}) != kinds_of("ada", "switch", {"device": "oven"})


def test_a_rule_says_in_words_what_it_lets_pass() -> None:
    words = StandingRule(id="r", user="ada", scope=ANN, expires=100).words
    assert words == (
        "call 'send', to exactly 'ann@x.org', with subject \"Report\", with any text as body for 'ada' without asking"
    )
