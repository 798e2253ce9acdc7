from typing import Any

import pytest
from pydantic import ValidationError

from domain.constraints import RULE, Act, Circumstances, evaluate
from domain.plans import Plan, Step

NOON = 1_700_049_600.0  # 2023-11-15 12:00 UTC
MINUTE = 60.0


def rule(kind: str, **fields: Any) -> Any:
    return RULE.validate_python({"id": "r", "kind": kind, **fields})


def act(effect: str = "write", tool: str | None = "send", privacy: str = "internal", **args: Any) -> Act:
    return Act("s", tool, effect, args, privacy)  # type: ignore[arg-type]  # tables give plain text


def forbids(given: Any, what: Act, now: float = NOON, **spent: float) -> bool:
    return bool(evaluate([given], what, Circumstances(now, spent)))


TOOL = rule("forbidden_tool", tools=["send"])
RECIPIENT = rule("forbidden_recipient", recipients=["*@evil.example", "#leaks", "https://evil.example*"])
PATH = rule("forbidden_path", paths=["secrets/*", "/etc/*", "*.pem"])
PRIVACY = rule("privacy", classes=["personal", "secret"])
SECURITY = rule("security", texts=["Project Falcon"])


@pytest.mark.parametrize(
    ("given", "what", "forbidden"),
    [
        (TOOL, act(), True),
        (TOOL, act(tool="save"), False),
        (TOOL, act("none", None), False),
        (RECIPIENT, act(to="ann@evil.example"), True),
        (RECIPIENT, act(to="Ann <ANN@Evil.Example>, bob@good.example"), True),
        (RECIPIENT, act(mail={"cc": ["bob@good.example", "x@evil.example"]}), True),
        (RECIPIENT, act(anything="mailto:x@evil.example"), True),
        (RECIPIENT, act(to="x@evil.example"), True),  # full-width letters
        (RECIPIENT, act(channel=" #LEAKS "), True),
        (RECIPIENT, act(url="https://evil.example/drop?x=1"), True),
        (RECIPIENT, act(to="ann@good.example"), False),
        (RECIPIENT, act(text="#leaks are bad"), False),
        (RECIPIENT, act(to={"ref": {"step": "find"}}), False),  # known before the effect, not before the plan
        (PATH, act(path="secrets/key.txt"), True),
        (PATH, act(path="./notes/../secrets/key.txt"), True),
        (PATH, act(path="SECRETS\\key.txt"), True),
        (PATH, act("read", files=[{"name": "/etc/passwd"}]), True),
        (PATH, act(path="a/b/server.pem"), True),
        (PATH, act(path="notes/secrets.md"), False),
        (PATH, act(text="one line\nsecrets/ are a folder"), False),
        (PRIVACY, act(privacy="secret"), True),
        (PRIVACY, act("read", privacy="secret"), False),
        (PRIVACY, act(), False),
        (SECURITY, act(text="all about\nPROJECT falcon"), True),
        (SECURITY, act("read", query="project falcon"), False),
        (rule("unreadable"), act("read"), True),
        (rule("unreadable"), act("none", None), False),
    ],
)  # fmt: skip
def test_what_a_rule_forbids(given: Any, what: Act, forbidden: bool) -> None:
    assert forbids(given, what) is forbidden


@pytest.mark.parametrize(
    ("start", "end", "minutes", "forbidden"),
    [
        ("11:00", "13:00", 0, True), ("12:00", "13:00", 0, True), ("11:00", "12:00", 0, False),
        ("22:00", "07:00", 0, False), ("22:00", "07:00", 601, True), ("22:00", "07:00", -600, True),
        ("00:00", "00:00", 0, False),
    ],
)  # fmt: skip
def test_times_of_day(start: str, end: str, minutes: float, forbidden: bool) -> None:
    assert forbids(rule("time_of_day", start=start, end=end), act(), NOON + minutes * MINUTE) is forbidden


def test_a_time_of_day_is_of_its_zone_and_of_its_tools() -> None:
    tokyo = rule("time_of_day", start="20:00", end="22:00", zone="Asia/Tokyo", tools=["look"])
    assert forbids(tokyo, act("read", "look"))
    assert not forbids(tokyo, act("write", "send"))


@pytest.mark.parametrize(
    ("spent", "forbidden"),
    [({"tokens": 10}, False), ({"tokens": 11}, True), ({}, True), ({"tokens": float("nan")}, True)],
)
def test_costs(spent: dict[str, float], forbidden: bool) -> None:
    assert forbids(rule("cost", measure="tokens", at_most=10), act("none", None), **spent) is forbidden


def test_what_a_plan_expects_to_cost_is_added() -> None:
    plan = Plan(steps=[Step(id="a", agent="x", task="t")], estimates={"dollars": 2.0})
    cost = rule("cost", measure="dollars", at_most=2.5)
    assert evaluate([cost], plan, Circumstances(NOON, {"dollars": 0.4})) == []
    assert len(evaluate([cost], plan, Circumstances(NOON, {"dollars": 0.6}))) == 1


def test_a_rule_that_cannot_be_evaluated_forbids() -> None:
    [found] = evaluate([rule("time_of_day", start="01:00", end="02:00", zone="Mars/Base")], act(), Circumstances(NOON))
    assert "cannot be evaluated" in found.message


def test_a_violation_names_rule_step_and_reason() -> None:
    given = rule("forbidden_tool", tools=["send"], why="legal hold")
    plan = Plan(steps=[Step(id="a", agent="x", task="t"), Step(id="b", agent="x", task="t", tool="send")])
    [found] = evaluate([given], plan, Circumstances(NOON))
    assert (found.rule, found.kind, found.step) == ("r", "forbidden_tool", "b")
    assert str(found) == "rule 'r': the tool 'send' may not be called (legal hold)"


@pytest.mark.parametrize(
    "value",
    [
        {"id": "r", "kind": "forbidden_tool", "tools": []},
        {"id": "R!", "kind": "forbidden_tool", "tools": ["x"]},
        {"id": "r", "kind": "allow_all"},
        {"id": "r", "kind": "cost", "measure": "tokens", "at_most": -1},
        {"id": "r", "kind": "time_of_day", "start": "25:00", "end": "01:00"},
        {"id": "r", "kind": "forbidden_path", "paths": ["x"], "code": "__import__('os')"},
    ],
    ids=["nothing named", "id", "kind", "negative", "time", "unknown field"],
)
def test_a_rule_with_mistakes_is_refused(value: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        RULE.validate_python(value)
