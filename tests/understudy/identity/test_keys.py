import hashlib
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from domain.budgets import Budget
from domain.errors import InvalidMember, InvalidWorkspace, Unauthenticated, UnknownKey, UserError
from domain.redaction import redacted
from memory.audit_check import checked
from tests.forks import Forks
from tests.understudy.durable.desks import NOON
from tests.understudy.identity.conftest import House, open_house
from tests.understudy.identity.revoke_child import revoke
from understudy.identity import hashing
from understudy.identity.key_rows import budget_of
from understudy.identity.keys import REFUSED

ACME: dict[str, Iterable[str]] = {"acme": ["member"]}
DAY = 86_400.0
HOSTILE = [
    "", "us_", "us__", "us_0_0", "us_%_%", "us_" + "0" * 12 + "_" + "' OR 1=1 --", "us_';DROP TABLE identity_keys;--_x",
    "us_" + "A" * 100_000, "us_" + "0" * 12 + "_" + "a" * 43 + "\n", "us_" + "0" * 12 + "_" + "ä" * 43, "\ud800" * 10,
    "us_" + "0" * 12 + "_" + "a" * 42 + "\x00",
]  # fmt: skip


async def test_a_key_says_who_asks_and_what_for(on_both: House) -> None:
    made = await on_both.identity.keys.create(
        "ann", {"acme": ["member", "approver"], "*": ["auditor"]}, scopes=["read"], days=1, by="root"
    )
    who = await on_both.identity.keys.identify(made.token.get_secret_value())
    assert (who.user, who.via, who.key) == ("ann", "key", made.key.id)
    assert who.memberships == {"acme": {"member", "approver"}, "*": {"auditor"}}
    assert who.permits("acme", "read")
    assert not who.permits("acme", "run"), "it is restricted to reading"
    assert who.permits("other", "read")
    assert not who.permits("other", "audit")


async def test_only_a_hash_is_kept(house: House) -> None:
    made = await house.identity.keys.create("ann", ACME, by="root")
    token = made.token.get_secret_value()
    secret = token.rpartition("_")[2]
    files = [path.read_bytes() for path in (house.settings.home).rglob("*") if path.is_file()]
    assert any(hashlib.sha256(secret.encode()).hexdigest().encode() in content for content in files)
    assert not any(secret.encode() in content for content in files)
    assert token not in repr(made) + str(made)
    assert redacted(f"my key is {token}.") == "my key is [key]."


async def test_keys_that_do_not_work_are_told_apart_in_the_log_alone(
    house: House, told: pytest.LogCaptureFixture
) -> None:
    keys = house.identity.keys
    made = [(await keys.create("ann", ACME, days=1, by="root")) for _ in range(3)]
    wrong = made[0].token.get_secret_value()[:-1] + "?"
    other = made[0].token.get_secret_value()[:-43] + made[1].token.get_secret_value()[-43:]
    await keys.revoke(made[1].key.id, by="root")
    house.clock.now += DAY
    for token, reason in [
        (wrong, "malformed"), (other, "wrong"), (f"us_{'0' * 12}_{'a' * 43}", "unknown"),
        (made[1].token.get_secret_value(), "revoked"), (made[2].token.get_secret_value(), "expired"),
    ]:  # fmt: skip
        told.clear()
        with pytest.raises(Unauthenticated) as error:
            await keys.identify(token)
        assert str(error.value) == REFUSED
        assert reason in told.text
        assert token[16:] not in told.text


@pytest.mark.parametrize("token", HOSTILE, ids=range(len(HOSTILE)))
async def test_junk_is_refused_and_changes_nothing(house: House, token: str) -> None:
    made = await house.identity.keys.create("ann", ACME, by="root")
    with pytest.raises(Unauthenticated, match=REFUSED):
        await house.identity.keys.identify(token)
    assert [key.id for key in await house.identity.keys.listed()] == [made.key.id]


async def test_a_secret_is_compared_in_constant_time_whether_there_is_such_a_key(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[tuple[int, int]] = []

    def spied(one: Any, other: Any) -> bool:
        compared.append((len(one), len(other)))
        return secrets.compare_digest(one, other)

    made = await house.identity.keys.create("ann", ACME, by="root")
    monkeypatch.setattr("hmac.compare_digest", spied)
    await house.identity.keys.identify(made.token.get_secret_value())
    for token in (f"us_{made.key.id}_{'a' * 43}", f"us_{'0' * 12}_{'a' * 43}", "junk"):
        with pytest.raises(Unauthenticated):
            await house.identity.keys.identify(token)
    assert compared == [(64, 64)] * 4


async def test_the_hash_of_no_key_opens_nothing() -> None:
    assert not hashing.matches("", None)
    assert not hashing.matches("0" * 64, None)
    assert hashing.matches("a", hashing.hashed("a"))


async def test_a_key_ends_when_it_says(house: House) -> None:
    made = await house.identity.keys.create("ann", ACME, by="root")
    assert made.key.expires == NOON + house.settings.identity.key_days * DAY
    house.clock.now = made.key.expires - 1
    await house.identity.keys.identify(made.token.get_secret_value())
    house.clock.now = made.key.expires
    with pytest.raises(Unauthenticated):
        await house.identity.keys.identify(made.token.get_secret_value())
    assert (await house.identity.keys.get(made.key.id)).status(house.clock()) == "expired"


async def test_the_last_use_is_kept_to_the_minute(on_both: House) -> None:
    keys = on_both.identity.keys
    made = await keys.create("ann", ACME, by="root")
    seen = []
    for later in (1, 30, 61, 62, 200):
        on_both.clock.now = NOON + later
        await keys.identify(made.token.get_secret_value())
        seen.append((await keys.get(made.key.id)).used)
    assert seen == [NOON + 1, NOON + 1, NOON + 61, NOON + 61, NOON + 200]


async def test_what_is_done_with_a_key_is_noted_by_its_id_in_each_of_its_workspaces(house: House) -> None:
    keys = house.identity.keys
    made = await keys.create("ann", {"acme": ["member"], "*": ["auditor"]}, scopes=["read"], by="root")
    for _ in range(2):
        await keys.revoke(made.key.id, by="bob")
    await keys.delete(made.key.id, by="cem")
    for workspace, roles in (("acme", ["member"]), ("default", ["auditor"])):
        entries = await house.noted(workspace)
        assert [(e.kind, e.who, e.data["move"], e.data["key"]) for e in entries] == [
            ("key", "root", "created", made.key.id),
            ("key", "bob", "revoked", made.key.id),
            ("key", "cem", "deleted", made.key.id),
        ]
        assert [entry.data["roles"] for entry in entries] == [roles] * 3
        assert made.token.get_secret_value()[16:] not in str(entries)
    assert await keys.listed() == []


async def test_only_a_revoked_key_can_be_deleted(house: House) -> None:
    keys = house.identity.keys
    made = await keys.create("ann", ACME, by="root")
    with pytest.raises(InvalidMember, match="not revoked"):
        await keys.delete(made.key.id, by="root")
    assert await keys.exist()
    await keys.revoke(made.key.id, by="root")
    assert await keys.exist(), "what was revoked still is a key: the service stays locked"
    await keys.delete(made.key.id, by="root")
    assert not await keys.exist()


async def test_unknown_ids_are_told_as_such(on_both: House) -> None:
    keys = on_both.identity.keys
    made = await keys.create("ann", ACME, by="root")
    for key in ("nope", "", "' OR '1'='1", "%", "\x00", "0" * 12, "a" * 10_000):
        for refused in (keys.get(key), keys.revoke(key, by="x"), keys.delete(key, by="x")):
            with pytest.raises(UnknownKey) as error:
                await refused
            assert len(str(error.value)) < 200
    assert (await keys.get(made.key.id)).revoked is None


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"user": ""}, InvalidMember), ({"user": " ann"}, InvalidMember), ({"user": "a\r\nb"}, InvalidMember),
        ({"user": "x" * 201}, InvalidMember), ({"user": "Controller"}, InvalidMember),
        ({"user": "rule:1"}, InvalidMember), ({"user": "a\u202eb"}, InvalidMember),
        ({"memberships": {}}, InvalidMember), ({"memberships": {"acme": []}}, InvalidMember),
        ({"memberships": {"acme": ["god"]}}, InvalidMember),
        ({"memberships": {"../etc": ["member"]}}, InvalidWorkspace),
        ({"memberships": {"a\r\nX: y": ["member"]}}, InvalidWorkspace),
        ({"scopes": []}, InvalidMember), ({"scopes": ["write"]}, InvalidMember),
        ({"days": 0}, InvalidMember), ({"days": -1}, InvalidMember), ({"days": float("nan")}, InvalidMember),
        ({"days": float("inf")}, InvalidMember), ({"days": 3651}, InvalidMember),
    ],
)  # fmt: skip
async def test_a_key_that_makes_no_sense_is_not_made(
    house: House, given: dict[str, Any], error: type[UserError]
) -> None:
    with pytest.raises(error):
        await house.identity.keys.create(**({"user": "ann", "memberships": ACME, "by": "root"} | given))
    assert await house.identity.keys.listed() == []
    assert await house.noted("acme") == []


async def test_names_may_have_characters_that_databases_know(on_both: House) -> None:
    keys = on_both.identity.keys
    users = ["o'brien; DROP TABLE identity_keys", '"quoted"', "%_", "名前", "a/b:c|d"]
    for user in users:
        made = await keys.create(user, ACME, by=user)
        assert (await keys.identify(made.token.get_secret_value())).user == user
    assert {key.user for key in await keys.listed()} == set(users)


async def test_a_key_may_carry_a_budget_of_its_own(on_both: House) -> None:
    budget = Budget(dollars=2.5, tokens=1000)
    made = await on_both.identity.keys.create("ann", ACME, budget=budget, by="root")
    assert (await on_both.identity.keys.get(made.key.id)).budget == budget
    assert await on_both.database.read(lambda connection: budget_of(connection, made.key.id)) == budget
    assert await on_both.database.read(lambda connection: budget_of(connection, "")) == Budget()


async def test_several_processes_revoke_at_once_and_it_happens_once(
    tmp_path: Path, database_url: SecretStr | None, forks: Forks
) -> None:
    async with open_house(tmp_path, database_url) as house:
        made = await house.identity.keys.create("ann", ACME, by="root")
        session = await house.identity.sessions.create(made.key.principal)
        address = database_url.get_secret_value() if database_url else ""
        people = ("ann", "bob", "cem")
        running = [forks.start(revoke, str(tmp_path), address, made.key.id, by, stdin=True) for by in people]
        for process in running:
            assert process.stdout.readline() == "ready\n"
        for process in running:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        told = {(process.stdout.read(), process.wait()) for process in running}
        for process in running:
            process.__exit__()
        revoked = (await house.identity.keys.get(made.key.id)).revoked
        assert told == {(f"{revoked}\n", 0)}
        with pytest.raises(Unauthenticated):
            await house.identity.keys.identify(made.token.get_secret_value())
        assert await house.identity.sessions.find(session.token) is None
        assert [entry.data["move"] for entry in await house.noted("acme")] == ["created", "revoked"]
        assert (await checked(house.audit, "acme")).sound
