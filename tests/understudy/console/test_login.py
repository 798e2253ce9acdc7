"""Coming in with a key or through an issuer, staying out without, and going out again."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.understudy.console.browser import Console, alive, opened, problems
from tests.understudy.console.conftest import Configured, settings_in
from tests.understudy.identity.issuer import CLIENT, SECRET, Provider, running
from understudy.console import inbox
from understudy.settings import Settings

PROVIDER = Provider(claims={"understudy_roles": ["default:member"]})


@contextmanager
def locked(folder: Path) -> Iterator[Settings]:
    """Whoever comes must sign in: with a key, or at an issuer."""
    with running(PROVIDER) as provider:
        oidc = {
            "issuer": provider.url, "client_id": CLIENT, "client_secret": SECRET,
            "workspaces_claim": "understudy_roles",
        }  # fmt: skip
        yield settings_in(folder, identity={"oidc": oidc})


@pytest.fixture(scope="module")
def configured() -> Configured:
    """A console for which there are keys and an issuer."""
    return locked


@pytest.fixture(scope="module")
def keyed(console: Console) -> Console:
    """It, in the workspace that the keys are for."""
    keyed = console.within(console.settings.workspace)
    keyed.do(_key(keyed, "root", {"default": ["admin"]}))
    return keyed


async def _key(console: Console, user: str, memberships: dict[str, list[str]]) -> tuple[str, str]:
    """Return the id and the token of a new key."""
    keys = console.installation.identity.keys
    created = await keys.create(user, memberships, by="root")
    return created.key.id, created.token.get_secret_value()


def signed_in(console: Console, window: BrowserContext, roles: dict[str, list[str]]) -> str:
    """Sign somebody in, and return the id of the key."""
    name, token = console.do(_key(console, "eve", roles))
    page = window.new_page()
    page.goto(f"{console.url}/")
    page.get_by_label("API key").fill(token)
    page.get_by_role("button", name="Sign in").click()
    alive(page)
    page.close()
    return name


def test_without_a_key_every_page_leads_to_the_sign_in(keyed: Console, window: BrowserContext) -> None:
    page = window.new_page()
    page.goto(f"{keyed.url}/inbox")
    assert page.url == f"{keyed.url}/login"
    assert problems(page, "login") == []
    page.get_by_label("API key").fill("us_000000000000_wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_have_text("this key is not accepted")
    assert not window.cookies()


def test_with_a_key_one_comes_in_and_out_again(keyed: Console, window: BrowserContext) -> None:
    signed_in(keyed, window, {"default": ["member"]})
    (cookie,) = window.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (True, "Lax", "/console")
    page = opened(window, f"{keyed.url}/")
    expect(page.locator(".who")).to_have_text("eve")
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/login")
    page.goto(f"{keyed.url}/")
    assert page.url == f"{keyed.url}/login"
    kept = httpx.get(f"{keyed.url}/inbox", cookies={cookie["name"]: cookie["value"]})
    assert kept.status_code == 401


def test_a_revoked_key_ends_what_is_open(
    keyed: Console, window: BrowserContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "LOOK", 0.2)
    name = signed_in(keyed, window, {"default": ["member"]})
    page = opened(window, f"{keyed.url}/inbox")
    keyed.do(keyed.installation.identity.keys.revoke(name, by="root"))
    page.wait_for_url("**/login")


def test_a_page_says_what_one_may_not_see(keyed: Console, window: BrowserContext) -> None:
    signed_in(keyed, window, {"default": ["member"]})
    page = opened(window, f"{keyed.url}/audit")
    expect(page.get_by_role("alert")).to_contain_text("may not do this here")
    page = opened(window, f"{keyed.url}/?workspace=others")
    expect(page.get_by_role("alert")).to_contain_text("may not do this here")


def test_sign_out_takes_the_token_of_the_page(keyed: Console, window: BrowserContext) -> None:
    signed_in(keyed, window, {"default": ["member"]})
    (cookie,) = window.cookies()
    session = {cookie["name"]: cookie["value"]}
    origin = keyed.url.removesuffix("/console")
    forged = httpx.post(f"{keyed.url}/logout", data={"csrf": "guessed"}, cookies=session, headers={"origin": origin})
    assert forged.status_code == 401
    page = opened(window, f"{keyed.url}/inbox")
    expect(page.locator(".who")).to_have_text("eve")


def test_an_issuer_signs_one_in(keyed: Console, page: Page) -> None:
    page.goto(f"{keyed.url}/")
    page.get_by_role("link", name="Sign in with 127.0.0.1").click()
    alive(page)
    expect(page.locator(".who")).to_have_text("ann@example.org")
    (cookie,) = page.context.cookies()
    assert (cookie["name"], cookie["httpOnly"]) == ("understudy_session", True)


def test_a_sign_in_that_was_begun_elsewhere_is_refused(keyed: Console, page: Page) -> None:
    begun = httpx.get(f"{keyed.url}/login/issuer")
    sent = httpx.get(begun.headers["location"])
    page.goto(sent.headers["location"])
    expect(page.get_by_role("alert")).to_contain_text("was not begun here")
    assert not page.context.cookies()


def test_a_sign_in_that_the_issuer_refuses_says_so(keyed: Console, page: Page) -> None:
    PROVIDER.claims["nonce"] = "another"
    try:
        page.goto(f"{keyed.url}/login/issuer")
    finally:
        del PROVIDER.claims["nonce"]
    expect(page.get_by_role("alert")).to_be_visible()
    assert "understudy_session" not in {cookie["name"] for cookie in page.context.cookies()}
