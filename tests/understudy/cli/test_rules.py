"""`understudy rules`: written by hand or earned, accepted, shown, retired; and trust tiers."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.understudy.cli.conftest import Invoke

SCOPE = {
    "tool": "send", "names": ["to", "subject", "body"], "recipients": ["ann@x.org"],
    "values": {"subject": ["Report", "Minutes"]}, "free": ["body"],
}  # fmt: skip


def listed(understudy: Invoke) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(understudy("rules", "list", "--json").stdout)
    return found


def proposed(understudy: Invoke, *options: str, scope: Any = SCOPE, name: str = "mail-ann") -> Any:
    return understudy("rules", "propose", name, "-", *options, input=json.dumps(scope))


def test_a_rule_is_written_accepted_shown_and_retired(understudy: Invoke) -> None:
    said = proposed(understudy, "--days", "30")
    assert said.exit_code == 0
    assert said.stdout.startswith("proposed mail-ann: call 'send', to exactly 'ann@x.org', with subject \"Report\" or")
    assert [rule["status"] for rule in listed(understudy)["rules"]] == ["proposed"]
    assert understudy("rules", "accept", "mail-ann").stdout.startswith("mail-ann is in force until 2")
    shown = understudy("rules", "show", "mail-ann").stdout
    assert "mail-ann: active" in shown
    assert "with any text as body" in shown
    assert understudy("rules", "retire", "mail-ann", "--why", "she left").stdout == "mail-ann is out of force\n"
    [rule] = listed(understudy)["rules"]
    assert (rule["status"], rule["why"]) == ("retired", "she left")
    moves = [
        change["move"] for change in json.loads(understudy("rules", "show", "mail-ann", "--json").stdout)["history"]
    ]
    assert moves == ["proposed", "accepted", "retired"]
    assert "mail-ann" in understudy("rules", "list").stdout


@pytest.mark.parametrize(
    ("arguments", "scope", "said"),
    [
        (("--days", "9999"), SCOPE, "365 days"),
        ((), {"recipients": ["ann@x.org"]}, "tool: Field required"),
        ((), SCOPE | {"recipients": ["аnn@x.org"]}, "plain ASCII"),
        ((), SCOPE | {"at_most": -1}, "at_most"),
        ((), SCOPE | {"sudo": True}, "sudo"),
        ((), [], "scope"),
    ],
    ids=["too long", "no tool", "look-alike", "less than nothing", "unknown key", "no object"],
)
def test_a_scope_with_mistakes_is_refused_with_each(
    understudy: Invoke, arguments: tuple[str, ...], scope: Any, said: str
) -> None:
    result = proposed(understudy, *arguments, scope=scope)
    assert (result.exit_code, said in result.stderr) == (2, True)
    assert listed(understudy)["rules"] == []


@pytest.mark.parametrize("name", ["Mail", "-x-", "a" * 61, "ä"])
def test_a_name_that_is_none_is_refused(understudy: Invoke, name: str) -> None:
    result = understudy("rules", "propose", "--", name, "-", input=json.dumps(SCOPE))
    assert (result.exit_code, "is no name for a rule" in result.stderr) == (2, True)


def test_what_is_no_json_and_no_file_is_said(understudy: Invoke, tmp_path: Path) -> None:
    assert "no JSON" in understudy("rules", "propose", "x", "-", input="{").stderr
    assert "cannot be read" in understudy("rules", "propose", "x", str(tmp_path / "none.json")).stderr


@pytest.mark.parametrize("command", [("accept",), ("retire",), ("show",)])
def test_an_unknown_rule_is_said(understudy: Invoke, command: tuple[str, ...]) -> None:
    result = understudy("rules", *command, "nobody")
    assert (result.exit_code, "no standing rule 'nobody'" in result.stderr) == (2, True)


def test_a_rule_is_accepted_once_and_its_name_is_taken(understudy: Invoke) -> None:
    proposed(understudy)
    understudy("rules", "accept", "mail-ann")
    assert "is active, so it cannot be accepted" in understudy("rules", "accept", "mail-ann").stderr
    assert "already" in proposed(understudy).stderr


def test_trust_is_set_per_user(understudy: Invoke) -> None:
    assert listed(understudy) == {"rules": [], "tiers": {}, "default_tier": "standard"}
    assert understudy("rules", "trust", "ann", "trusted").stdout == "ann is now trusted\n"
    understudy("rules", "trust", "bob", "cautious")
    understudy("rules", "trust", "ann", "cautious")
    assert listed(understudy)["tiers"] == {"ann": "cautious", "bob": "cautious"}
    assert "trust: standard; ann: cautious, bob: cautious" in understudy("rules", "list").stdout
    assert understudy("rules", "trust", "ann", "root").exit_code == 2


def test_every_move_is_in_the_audit(understudy: Invoke) -> None:
    proposed(understudy)
    understudy("rules", "accept", "mail-ann")
    understudy("rules", "trust", "ann", "trusted")
    noted = json.loads(understudy("audit", "show", "--json").stdout)
    kinds = [
        entry.get("kind") or entry["entry"]["kind"]
        for entry in (noted["entries"] if isinstance(noted, dict) else noted)
    ]
    assert sorted(kinds) == ["rule", "rule", "trust"]
