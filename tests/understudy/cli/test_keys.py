"""`understudy keys` and `understudy members`."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from domain.errors import Unauthenticated
from memory.home import DataFolder
from tests.understudy.cli.conftest import Invoke
from tests.understudy.identity.conftest import open_house


def listed(understudy: Invoke) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(understudy("keys", "list", "--json").stdout)
    return found


def who_has(home: Path, token: str) -> str:
    async def asked() -> str:
        async with open_house(home) as house:
            return (await house.identity.keys.identify(token)).user

    return asyncio.run(asked())


def test_a_key_is_made_shown_once_listed_and_revoked(understudy: Invoke, home: Path) -> None:
    made = understudy("keys", "create", "--user", "bot", "--scope", "read", "--dollars-per-day", "2.5")
    assert made.exit_code == 0
    token = made.stdout.strip()
    assert "member in default, only to read, at most 2.5 dollars a day" in made.stderr
    assert token not in made.stderr
    shown = understudy("keys", "list").stdout
    assert token.rpartition("_")[2] not in shown
    [key] = listed(understudy)
    assert (key["user"], key["status"], key["scopes"]) == ("bot", "active", ["read"])
    assert token.startswith(f"us_{key['id']}_")
    assert token.rpartition("_")[2] not in json.dumps(listed(understudy))
    assert understudy("keys", "revoke", key["id"]).stdout == f"key {key['id']} is out of force\n"
    assert listed(understudy)[0]["status"] == "revoked"
    assert understudy("keys", "delete", key["id"]).exit_code == 0
    assert listed(understudy) == []
    with pytest.raises(Unauthenticated):
        who_has(home, token)


def test_it_works_beside_whoever_holds_the_data_folder(understudy: Invoke, home: Path) -> None:
    folder = asyncio.run(DataFolder.open(home, command="understudy serve"))
    try:
        made = json.loads(understudy("keys", "create", "--user", "bot", "--json").stdout)
        assert who_has(home, made["token"]) == "bot"
        assert understudy("keys", "revoke", made["key"]["id"]).exit_code == 0
    finally:
        folder.close()


def test_roles_hold_in_every_workspace_that_is_named(understudy: Invoke) -> None:
    named = ("--workspace", "acme", "--workspace", "*", "--role", "approver", "--role", "auditor", "--days", "1")
    made = json.loads(understudy("keys", "create", *named, "--json").stdout)
    memberships = {where: sorted(roles) for where, roles in made["key"]["memberships"].items()}
    assert memberships == {"acme": ["approver", "auditor"], "*": ["approver", "auditor"]}
    assert made["key"]["expires"] - made["key"]["created"] == 86_400


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--role", "god"), "'god' is no role"),
        (("--scope", "write"), "'write' is no scope"),
        (("--workspace", "../etc"), "no workspace name"),
        (("--user", "a\nb"), "no user name"),
        (("--user", ""), "no user name"),
        (("--days", "0"), "at most 3650 days"),
        (("--days", "nan"), "at most 3650 days"),
        (("--dollars-per-day", "-1"), "--dollars-per-day"),
    ],
)
def test_a_key_with_mistakes_is_not_made(understudy: Invoke, options: tuple[str, ...], said: str) -> None:
    refused = understudy("keys", "create", *options)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert said in refused.stderr
    assert listed(understudy) == []


def test_unknown_keys_are_told_as_such(understudy: Invoke) -> None:
    for command in ("revoke", "delete"):
        refused = understudy("keys", command, "nope")
        assert refused.exit_code == 2
        assert "no key has the id 'nope'" in refused.stderr


def test_members_come_and_go(understudy: Invoke) -> None:
    roles = ("--workspace", "acme", "--role", "approver", "--role", "member")
    assert understudy("members", "add", "ann@x.org", *roles).stdout == "ann@x.org is approver and member in acme\n"
    assert (
        understudy("members", "add", "bob", "--workspace", "*", "--role", "auditor").stdout
        == "bob is auditor everywhere\n"
    )
    found = json.loads(understudy("members", "list", "--workspace", "acme", "--json").stdout)
    assert [(member["user"], member["workspace"], member["roles"]) for member in found] == [
        ("bob", "*", ["auditor"]),
        ("ann@x.org", "acme", ["approver", "member"]),
    ]
    assert "ann@x.org" in understudy("members", "list").stdout
    assert understudy("members", "remove", "ann@x.org", "--workspace", "acme").stdout == (
        "ann@x.org has no role any more that holds in acme\n"
    )
    refused = understudy("members", "remove", "ann@x.org", "--workspace", "acme")
    assert refused.exit_code == 2
    assert "no such role" in refused.stderr
