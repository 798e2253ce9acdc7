import asyncio
from pathlib import Path

import pytest

from domain.errors import Forbidden, TooManyRequests, Unauthenticated
from tests.understudy.identity.conftest import House, open_house
from understudy.identity.access import Identity
from understudy.identity.principals import GRANTS, Permission, Principal, Role

HERE = "127.0.0.1"
OIDC = {"oidc": {"issuer": "https://id.example.org", "client_id": "console"}}


async def bearer(house: House, token: str, address: str = HERE) -> Principal:
    return await house.identity.identify(authorization=f"Bearer {token}", session=None, address=address)


async def nobody(house: House, address: str = HERE, **given: bool) -> Principal:
    return await house.identity.identify(authorization=None, session=None, address=address, **given)


@pytest.mark.parametrize("address", [HERE, "127.8.9.1", "::1", "::ffff:127.0.0.1"])
async def test_one_person_on_this_machine_needs_no_credential(house: House, address: str) -> None:
    who = await nobody(house, address)
    assert (who.user, who.via) == ("ann", "loopback")
    assert who.home == "default"
    house.identity.allow(who, "any-other", "manage")
    assert not house.identity.is_configured


@pytest.mark.parametrize(
    "address", ["192.168.1.2", "", "localhost.evil.example.org", "::ffff:10.0.0.1", "junk", "0.0.0.0"]
)
async def test_nobody_else_does_without(house: House, address: str) -> None:
    with pytest.raises(Unauthenticated, match="Authorization: Bearer"):
        await nobody(house, address)


async def test_a_request_that_somebody_else_had_the_browser_make_is_not_the_persons(house: House) -> None:
    with pytest.raises(Unauthenticated):
        await nobody(house, is_local=False)


async def test_the_first_key_locks_a_service_that_runs_and_the_last_deletion_opens_it(house: House) -> None:
    keys = house.identity.keys
    made = await keys.create("bob", {"acme": ["admin"]}, by="root")
    with pytest.raises(Unauthenticated):
        await nobody(house)
    assert house.identity.is_configured
    assert (await bearer(house, made.token.get_secret_value())).user == "bob"
    await keys.revoke(made.key.id, by="root")
    with pytest.raises(Unauthenticated):
        await nobody(house)
    await keys.delete(made.key.id, by="root")
    assert (await nobody(house)).via == "loopback"
    assert not house.identity.is_configured


async def test_an_issuer_alone_locks_it(tmp_path: Path) -> None:
    async with open_house(tmp_path, identity=OIDC) as house:
        assert house.identity.is_configured
        with pytest.raises(Unauthenticated):
            await nobody(house)


async def test_what_is_shown_counts_and_is_not_passed_over(house: House) -> None:
    made = await house.identity.keys.create("bob", {"acme": ["member"]}, by="root")
    token = made.token.get_secret_value()
    session = await house.identity.sessions.create(made.key.principal)
    for scheme in ("Bearer", "bearer", "BEARER"):
        who = await house.identity.identify(authorization=f"{scheme} {token}", session=None, address="203.0.113.5")
        assert who.key == made.key.id
    by_session = await house.identity.identify(authorization=None, session=session.token, address="203.0.113.5")
    assert by_session.key == made.key.id
    with pytest.raises(Unauthenticated):
        await house.identity.identify(authorization="Bearer junk", session=session.token, address=HERE)


@pytest.mark.parametrize(
    "header",
    [
        "", "Bearer", "Bearer ", "Bearer  ", "Basic YTpi", "us_x", "Bearer a\r\nX-Admin: 1", "Bearer \x00",
        "Bearer a b",
        "Bearer " + "x" * 1_000_000, "Bearer us_", "Bearer e30.e30.e30", "Bearer \ud800", "Bearer ' OR 1=1 --",
    ],
    ids=range(14),
)  # fmt: skip
async def test_junk_is_nobody_on_this_machine_too(house: House, header: str, told: pytest.LogCaptureFixture) -> None:
    with pytest.raises(Unauthenticated) as error:
        await house.identity.identify(authorization=header, session=None, address=HERE)
    assert len(str(error.value)) < 100
    assert len(told.text) < 500
    assert "X-Admin" not in told.text


async def test_an_unknown_session_is_nobodys(house: House) -> None:
    await house.identity.keys.create("bob", {"acme": ["member"]}, by="root")
    with pytest.raises(Unauthenticated):
        await house.identity.identify(authorization=None, session="x" * 43, address=HERE)


@pytest.mark.parametrize("role", GRANTS)
async def test_a_role_grants_what_it_says_in_its_workspace_alone(role: Role) -> None:
    who = Principal(user="ann", memberships={"acme": frozenset({role})}, via="key", key="k")
    permissions: tuple[Permission, ...] = ("read", "run", "approve", "manage", "audit")
    for permission in permissions:
        for workspace in ("acme", "Acme", "acme2", "*", "", "no such\r\nplace"):
            if workspace == "acme" and permission in GRANTS[role]:
                Identity.allow(who, workspace, permission)
                continue
            with pytest.raises(Forbidden) as error:
                Identity.allow(who, workspace, permission)
            assert "\r" not in str(error.value)


async def test_a_refusal_is_told_to_the_log_with_the_key_that_asked(told: pytest.LogCaptureFixture) -> None:
    who = Principal(user="ann", memberships={}, via="key", key="3f2a9c81d0b4")
    with pytest.raises(Forbidden):
        Identity.allow(who, "acme", "run")
    assert "key '3f2a9c81d0b4' may not run in workspace 'acme'" in told.text


async def test_rates_are_for_those_who_come_from_elsewhere(tmp_path: Path) -> None:
    async with open_house(tmp_path, identity={"key_rate": "2/day"}) as house:
        one_person = await nobody(house)
        for _ in range(10):
            await house.identity.charge(one_person, "default")
        made = await house.identity.keys.create("bob", {"acme": ["member"]}, by="root")
        who = await bearer(house, made.token.get_secret_value())
        charged = [house.identity.charge(who, "acme") for _ in range(5)]
        results = await asyncio.gather(*charged, return_exceptions=True)
        assert [type(result) for result in results].count(TooManyRequests) == 3


async def test_it_can_be_opened_time_after_time(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        made = await house.identity.keys.create("bob", {"acme": ["member"]}, by="root")
    async with open_house(tmp_path) as house:
        assert house.identity.is_configured
        assert (await bearer(house, made.token.get_secret_value())).user == "bob"


async def test_keys_that_another_process_makes_are_noticed(tmp_path: Path) -> None:
    async with open_house(tmp_path) as other, open_house(tmp_path, look_every=0.01) as house:
        assert not house.identity.is_configured
        await other.identity.keys.create("bob", {"acme": ["member"]}, by="root")
        while not house.identity.is_configured:  # noqa: ASYNC110  # it looks by itself, and tells nobody
            await asyncio.sleep(0.01)
