import sqlite3
from contextlib import closing
from pathlib import Path

from tests.understudy.durable.desks import NOON
from tests.understudy.identity.conftest import House, open_house
from understudy.durable.database import FILE
from understudy.identity.hashing import csrf_of, is_csrf
from understudy.identity.principals import Principal

HOUR = 3600.0
OIDC = {"oidc": {"issuer": "https://id.example.org", "client_id": "console"}}
ANN = Principal(
    user="ann@x.org", memberships={"acme": frozenset({"member"})}, claimed={"acme": frozenset({"member"})}, via="oidc"
)


async def with_key(house: House) -> Principal:
    made = await house.identity.keys.create("ann", {"acme": ["member"]}, scopes=["read"], by="root")
    return made.key.principal


async def test_a_session_stands_for_the_key_it_was_begun_with(on_both: House) -> None:
    who = await with_key(on_both)
    session = await on_both.identity.sessions.create(who)
    assert await on_both.identity.sessions.find(session.token) == who
    await on_both.identity.sessions.drop(session.token)
    assert await on_both.identity.sessions.find(session.token) is None
    await on_both.identity.sessions.drop(session.token)


async def test_a_session_ends_with_its_key(on_both: House) -> None:
    sessions, keys = on_both.identity.sessions, on_both.identity.keys
    who, other = await with_key(on_both), await with_key(on_both)
    first, second = await sessions.create(who), await sessions.create(other)
    await keys.revoke(who.key, by="root")
    assert await sessions.find(first.token) is None
    assert await sessions.find(second.token) == other


async def test_a_session_does_not_outlive_an_expired_key(house: House) -> None:
    made = await house.identity.keys.create("ann", {"acme": ["member"]}, days=1 / 24, by="root")
    session = await house.identity.sessions.create(made.key.principal)
    house.clock.now += HOUR
    assert await house.identity.sessions.find(session.token) is None


async def test_a_session_slides_with_use_and_ends_in_the_end(house: House) -> None:
    sessions = house.identity.sessions
    session = await sessions.create(await with_key(house))
    for hours in range(11, 7 * 24, 11):
        house.clock.now = NOON + hours * HOUR
        assert await sessions.find(session.token) is not None
    house.clock.now = NOON + 7 * 24 * HOUR
    assert await sessions.find(session.token) is None


async def test_an_unused_session_ends(house: House) -> None:
    session = await house.identity.sessions.create(await with_key(house))
    house.clock.now += 12 * HOUR
    assert await house.identity.sessions.find(session.token) is None


async def test_roles_of_somebody_signed_in_are_looked_up_at_each_request(tmp_path: Path) -> None:
    async with open_house(tmp_path, identity=OIDC) as house:
        sessions, members = house.identity.sessions, house.identity.members
        session = await sessions.create(ANN)
        await members.add(ANN.user, "beta", ["admin"], by="root")
        found = await sessions.find(session.token)
        assert found is not None
        assert found.memberships == {"acme": {"member"}, "beta": {"admin"}}
        await members.remove(ANN.user, "beta", by="root")
        assert await sessions.find(session.token) == ANN


async def test_nobody_is_signed_in_by_an_issuer_that_is_not_configured_any_more(house: House) -> None:
    session = await house.identity.sessions.create(ANN)
    assert await house.identity.sessions.find(session.token) is None


async def test_the_person_on_this_machine_is_never_known_by_a_session(house: House) -> None:
    who = await house.identity.identify(authorization=None, session=None, address="127.0.0.1")
    session = await house.identity.sessions.create(who)
    assert await house.identity.sessions.find(session.token) is None


async def test_junk_is_no_session(on_both: House) -> None:
    await on_both.identity.sessions.create(await with_key(on_both))
    for token in ("", "x", "a" * 43, "a" * 100_000, "' OR 1=1 --", "\x00" * 43, "\ud800" * 43):
        assert await on_both.identity.sessions.find(token) is None


async def test_only_hashes_are_kept_and_what_is_over_is_cleared_away(house: House) -> None:
    sessions, who = house.identity.sessions, await with_key(house)
    first = await sessions.create(who)
    house.clock.now += 12 * HOUR
    second = await sessions.create(who)
    with closing(sqlite3.connect(house.settings.home / FILE)) as file:
        rows = file.execute("SELECT * FROM identity_sessions").fetchall()
    assert len(rows) == 1
    assert not any(secret in str(rows) for session in (first, second) for secret in session)


async def test_all_sessions_of_a_user_can_be_ended(house: House) -> None:
    sessions, who = house.identity.sessions, await with_key(house)
    tokens = [(await sessions.create(who)).token for _ in range(3)]
    assert await sessions.drop_all("bob") == 0
    assert await sessions.drop_all("ann") == 3
    assert [await sessions.find(token) for token in tokens] == [None] * 3


async def test_forms_carry_a_token_that_belongs_to_the_session(house: House) -> None:
    who = await with_key(house)
    one, other = await house.identity.sessions.create(who), await house.identity.sessions.create(who)
    assert is_csrf(one.token, one.csrf)
    for wrong in (other.csrf, "", None, one.token, one.csrf + "x", "ä", "\ud800"):
        assert not is_csrf(one.token, wrong)
    assert one.token not in csrf_of(one.token)
