"""Tokens and sign-ins against a real provider on loopback."""

import asyncio
import base64
import hmac
import json
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from joserfc.jwk import OctKey
from pydantic import SecretStr

from domain.errors import InvalidSettings, IssuerAway, Unauthenticated
from tests.understudy.durable.desks import Clock
from tests.understudy.identity.conftest import House, open_house
from tests.understudy.identity.issuer import CLIENT, REDIRECT, SECRET, Provider, ec_key, rsa_key, running
from understudy.identity.issuer import COOLDOWN, FRESH, STALE
from understudy.identity.oidc import Login, Oidc
from understudy.identity.tokens import REFUSED

ROLES = "https://example.org/workspaces"
STOLEN = rsa_key("k1")
"""Has the name of the issuer's key."""


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def provider(clock: Clock) -> Iterator[Provider]:
    with running(Provider(clock=clock)) as served:
        yield served


@pytest.fixture
async def house(tmp_path: Path, provider: Provider, clock: Clock) -> AsyncIterator[House]:
    async with opened(tmp_path, provider, clock) as house:
        yield house


def opened(folder: Path, provider: Provider, clock: Clock, **given: Any) -> Any:
    issuer = {
        "issuer": provider.url, "client_id": CLIENT, "client_secret": SecretStr(SECRET), "workspaces_claim": ROLES,
    } | given  # fmt: skip
    return open_house(folder, clock=clock, identity={"oidc": issuer})


def oidc_of(house: House) -> Oidc:
    assert house.identity.oidc is not None
    return house.identity.oidc


async def refused(house: House, token: str) -> None:
    with pytest.raises(Unauthenticated) as error:
        await oidc_of(house).identify(token)
    assert str(error.value) == REFUSED


async def test_a_token_says_who_asks_and_the_members_say_where(house: House, provider: Provider) -> None:
    await house.identity.members.add("ann@example.org", "acme", ["approver"], by="root")
    listed: dict[str, Any] = {ROLES: ["acme", "beta:auditor", "*:admin", "c/d", "e:god", 5]}
    who = await oidc_of(house).identify(provider.token(**listed))
    assert (who.user, who.via, who.key) == ("ann@example.org", "oidc", "")
    assert who.memberships == {"acme": {"member", "approver"}, "beta": {"auditor"}}
    assert who.claimed == {"acme": {"member"}, "beta": {"auditor"}}


async def test_somebody_known_without_memberships_may_do_nothing(house: House, provider: Provider) -> None:
    who = await oidc_of(house).identify(provider.token())
    assert who.memberships == {}
    assert not who.permits("default", "read")


@pytest.mark.parametrize(
    "over",
    [
        {"iss": "https://evil.example.org"}, {"iss": None}, {"aud": "other"}, {"aud": ["other", "more"]}, {"aud": None},
        {"aud": []}, {"exp": 1}, {"exp": None}, {"exp": "tomorrow"}, {"nbf": 9_999_999_999}, {"iat": 9_999_999_999},
        {"email": None}, {"email": ["ann@example.org"]}, {"email": "a\r\nX-Admin: 1"}, {"email": "x" * 300},
        {"email_verified": False}, {"email_verified": "false"}, {"email": "timeout"}, {"email": ""},
    ],
    ids=str,
)  # fmt: skip
async def test_a_token_that_says_something_else_is_refused(
    house: House, provider: Provider, over: dict[str, Any]
) -> None:
    await oidc_of(house).identify(provider.token())
    await refused(house, provider.token(**over))


async def test_clocks_may_be_apart_a_little(house: House, provider: Provider, clock: Clock) -> None:
    token = provider.token(exp=int(clock()) + 60)
    clock.now += 60 + 29
    await oidc_of(house).identify(token)
    clock.now += 2
    await refused(house, token)


def forged(provider: Provider) -> Iterator[tuple[str, str]]:
    head, body, signature = provider.token().split(".")
    public = provider.keys[0].as_pem(private=False)
    yield "none", f"{encoded({'alg': 'none', 'kid': 'k1'})}.{body}."
    yield "None", f"{encoded({'alg': 'None', 'kid': 'k1'})}.{body}.{signature}"
    yield "no algorithm", f"{encoded({'kid': 'k1'})}.{body}.{signature}"
    yield "no signature", f"{head}.{body}."
    signed = f"{encoded({'alg': 'HS256', 'kid': 'k1'})}.{body}"
    mac = base64.urlsafe_b64encode(hmac.digest(public, signed.encode(), "sha256")).decode().rstrip("=")
    yield "HS256 with the public key", f"{signed}.{mac}"
    yield "another issuer's key", provider.token(STOLEN)
    yield "changed", f"{head}.{encoded({'email': 'root@example.org'})}.{signature}"
    yield "ES256 over RSA", f"{encoded({'alg': 'ES256', 'kid': 'k1'})}.{body}.{signature}"
    yield "an algorithm that is not configured", provider.token(alg="RS512")
    yield "brings its own key", provider.token(STOLEN, header={"jwk": STOLEN.as_dict(private=False)})
    yield "names its own keys", provider.token(STOLEN, header={"jku": "http://127.0.0.1:1/keys"})
    yield "for a logout", provider.token(header={"typ": "logout+jwt"})
    yield "critical", provider.token(header={"crit": ["b64"], "b64": True})
    yield "kid no text", f"{encoded({'alg': 'RS256', 'kid': ['k1']})}.{body}.{signature}"
    yield "deep", f"{base64.urlsafe_b64encode(b'[' * 5000).decode()}.{body}.{signature}"
    yield "long", f"{head}.{'A' * 20_000}.{signature}"
    yield "many parts", f"{head}.{body}.{signature}.x.y"
    yield "header", f"{encoded([])}.{body}.{signature}"
    yield "not base64", "%%%.%%%.%%%"
    yield "not text", "ä.ö.ü"


def encoded(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


async def test_forged_tokens_are_refused_and_not_repeated_in_the_log(
    house: House, provider: Provider, told: pytest.LogCaptureFixture
) -> None:
    for how, token in forged(provider):
        await refused(house, token)
        assert not any(part in told.text for part in token.split(".") if len(part) > 20), how
    await oidc_of(house).identify(provider.token())


async def test_an_issuer_may_change_its_keys(house: House, provider: Provider, clock: Clock) -> None:
    before = provider.token()
    await oidc_of(house).identify(before)
    provider.rotate(ec_key("k2"))
    clock.now += COOLDOWN
    await oidc_of(house).identify(provider.token(alg="ES256"))
    await refused(house, before)


async def test_made_up_keys_do_not_have_the_issuer_asked_time_after_time(
    house: House, provider: Provider, clock: Clock
) -> None:
    clock.now += COOLDOWN
    await oidc_of(house).identify(provider.token())
    for number in range(20):
        clock.now += 1
        await refused(house, provider.token(STOLEN, header={"kid": f"made-up-{number}"}))
    assert provider.asked["/keys"] == 1
    clock.now += COOLDOWN
    await refused(house, provider.token(STOLEN, header={"kid": "made-up"}))
    assert provider.asked["/keys"] == 2


async def test_many_at_once_ask_the_issuer_once(house: House, provider: Provider) -> None:
    await asyncio.gather(*[oidc_of(house).identify(provider.token()) for _ in range(20)])
    assert provider.asked["/keys"] == 1


async def test_a_token_without_a_key_id_fits_where_there_is_one_key(
    house: House, provider: Provider, clock: Clock
) -> None:
    token = provider.token(header={"kid": None})
    await oidc_of(house).identify(token)
    provider.keys.append(rsa_key("k2"))
    clock.now += COOLDOWN
    await refused(house, provider.token(header={"kid": "none such"}))
    await refused(house, token)


async def test_other_keys_of_the_issuer_are_left_out(house: House, provider: Provider) -> None:
    encrypting = rsa_key("enc")
    provider.more_keys = [
        encrypting.as_dict(private=False) | {"use": "enc"}, OctKey.generate_key(256, {"kid": "sym"}).as_dict(),
        {"kty": "RSA", "kid": "broken", "n": "!"}, {"kty": "EC", "kid": "odd", "crv": 5}, "junk", None,
    ]  # fmt: skip
    await oidc_of(house).identify(provider.token())
    await refused(house, provider.token(encrypting))


@pytest.mark.parametrize(
    "broken",
    [
        {"fails_with": 500}, {"fails_with": 404}, {"fails_with": 302}, {"body": b"<html>"},
        {"body": b"[]"}, {"body": b"{}"},
        {"body": b"[" * 100_000}, {"body": b'{"a": "' + b"x" * 1_100_000 + b'"}'},
        {"metadata": {"issuer": "https://evil.example.org"}}, {"metadata": {"jwks_uri": "http://evil.example.org/keys"}},
        {"metadata": {"jwks_uri": "file:///etc/passwd"}},
    ],
    ids=range(11),
)  # fmt: skip
async def test_an_issuer_that_does_not_answer_as_it_should_is_away(
    house: House, provider: Provider, clock: Clock, broken: dict[str, Any]
) -> None:
    token = provider.token()
    for name, value in broken.items():
        setattr(provider, name, value)
    with pytest.raises(IssuerAway, match=r"tokens of http://127\.0\.0\.1:\d+ cannot be checked now"):
        await oidc_of(house).identify(token)
    for name in broken:
        setattr(provider, name, getattr(Provider(keys=[STOLEN]), name))
    clock.now += COOLDOWN
    await oidc_of(house).identify(provider.token())


async def test_while_its_issuer_is_away_a_known_key_still_counts_for_a_day(
    house: House, provider: Provider, clock: Clock
) -> None:
    await oidc_of(house).identify(provider.token())
    provider.fails_with = 503
    clock.now += FRESH
    await oidc_of(house).identify(provider.token())
    with pytest.raises(IssuerAway):
        await oidc_of(house).identify(provider.token(header={"kid": "k2"}))
    clock.now += STALE - FRESH
    with pytest.raises(IssuerAway):
        await oidc_of(house).identify(provider.token())


async def test_an_issuer_that_hangs_is_away_and_holds_up_nobody_whose_key_is_known(
    house: House, provider: Provider, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await oidc_of(house).identify(provider.token())
    clock.now += COOLDOWN
    provider.hangs = threading.Event()
    waiting = asyncio.create_task(oidc_of(house).identify(provider.token(header={"kid": "k2"})))
    try:
        while provider.asked["/.well-known/openid-configuration"] < 2:  # noqa: ASYNC110  # told by another thread
            await asyncio.sleep(0.01)
        await oidc_of(house).identify(provider.token())
        assert not waiting.done()
        waiting.cancel()
        clock.now += COOLDOWN
        monkeypatch.setattr("understudy.identity.issuer.ANSWER_SECONDS", 0.01)
        with pytest.raises(IssuerAway, match="TimeoutError"):
            await oidc_of(house).identify(provider.token(header={"kid": "k3"}))
    finally:
        provider.hangs.set()
        await asyncio.wait({waiting})


async def test_nobody_listens(tmp_path: Path, clock: Clock) -> None:
    with running(Provider(clock=clock)) as gone:
        token = gone.token()
    async with opened(tmp_path, gone, clock) as house:
        with pytest.raises(IssuerAway, match="ConnectError"):
            await oidc_of(house).identify(token)


async def signed_in(login: Login) -> tuple[str, str]:
    """Ann signs in with her browser: the code and the state that come back with it."""
    async with httpx.AsyncClient() as browser:
        answer = await browser.get(login.url)
    sent = urlsplit(answer.headers["Location"])
    assert sent._replace(query="").geturl() == REDIRECT
    query = parse_qs(sent.query)
    return query["code"][0], query["state"][0]


async def test_somebody_signs_in(house: House, provider: Provider) -> None:
    login = await oidc_of(house).login_url(REDIRECT)
    asked = parse_qs(urlsplit(login.url).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["scope"] == ["openid email profile"]
    code, state = await signed_in(login)
    assert state == login.state
    who = await oidc_of(house).finish(code, state, issuer=provider.url)
    assert (who.user, who.via) == ("ann@example.org", "oidc")
    session = await house.identity.sessions.create(who)
    assert await house.identity.identify(authorization=None, session=session.token, address="203.0.113.9") == who


async def test_a_public_client_signs_in_by_pkce_alone(tmp_path: Path, provider: Provider, clock: Clock) -> None:
    provider.public_client = True
    async with opened(tmp_path, provider, clock, client_secret=None) as house:
        code, state = await signed_in(await oidc_of(house).login_url(REDIRECT))
        assert (await oidc_of(house).finish(code, state)).user == "ann@example.org"


async def test_a_sign_in_is_finished_once(house: House) -> None:
    code, state = await signed_in(await oidc_of(house).login_url(REDIRECT))
    results = await asyncio.gather(*[oidc_of(house).finish(code, state) for _ in range(5)], return_exceptions=True)
    assert sorted(type(result).__name__ for result in results) == ["Principal"] + ["Unauthenticated"] * 4


async def test_a_sign_in_has_ten_minutes(house: House, clock: Clock) -> None:
    code, state = await signed_in(await oidc_of(house).login_url(REDIRECT))
    clock.now += 601
    with pytest.raises(Unauthenticated):
        await oidc_of(house).finish(code, state)


@pytest.mark.parametrize(
    "claims",
    [{"nonce": "another"}, {"nonce": None}, {"nonce": "ä"}, {"aud": "api"}, {"azp": "other"}, {"exp": 1}, {"iss": "x"}],
    ids=str,
)
async def test_an_id_token_of_another_sign_in_is_refused(
    house: House, provider: Provider, claims: dict[str, Any]
) -> None:
    provider.claims = claims
    code, state = await signed_in(await oidc_of(house).login_url(REDIRECT))
    with pytest.raises(Unauthenticated):
        await oidc_of(house).finish(code, state)


async def test_codes_and_states_that_do_not_belong_together_are_refused(house: House, provider: Provider) -> None:
    oidc = oidc_of(house)
    for code, state in [
        ("junk", (await oidc.login_url(REDIRECT)).state), ("", (await oidc.login_url(REDIRECT)).state),
        ("x" * 5000, (await oidc.login_url(REDIRECT)).state), ("junk", "junk"), ("junk", "a" * 43),
        ("junk", "\ud800" * 43),
    ]:  # fmt: skip
        with pytest.raises(Unauthenticated):
            await oidc.finish(code, state)
    stolen, _ = await signed_in(await oidc.login_url(REDIRECT))
    with pytest.raises(Unauthenticated):
        await oidc.finish(stolen, (await oidc.login_url(REDIRECT)).state)
    code, state = await signed_in(await oidc.login_url(REDIRECT))
    with pytest.raises(Unauthenticated):
        await oidc.finish(code, state, issuer="https://evil.example.org")


async def test_an_issuer_that_goes_away_during_a_sign_in_is_told_as_such(house: House, provider: Provider) -> None:
    code, state = await signed_in(await oidc_of(house).login_url(REDIRECT))
    provider.fails_with = 503
    with pytest.raises(IssuerAway, match="cannot confirm the sign-in now"):
        await oidc_of(house).finish(code, state)


@pytest.mark.parametrize("redirect", ["http://example.org/done", "javascript:alert(1)", "", "https://a b/"])
async def test_people_are_sent_back_to_safe_addresses_only(house: House, redirect: str) -> None:
    with pytest.raises(InvalidSettings):
        await oidc_of(house).login_url(redirect)
