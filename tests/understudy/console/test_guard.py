"""What pages of other hosts cannot do, what documents cannot be, and what browsers are told."""

import re

import httpx
import pytest
from playwright.sync_api import Page
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.understudy.console.browser import Console
from tests.understudy.console.lived_in import go

NAMES = ["..%2Fa.md", "%2Fetc%2Fpasswd.md", ".hidden.md", "a%00.md", "a.exe", "", "a%5Cb.md", "x" * 300 + ".md"]


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1"])
def test_pages_of_other_hosts_change_nothing(console: Console, origin: str) -> None:
    answer = httpx.post(f"{console.url}/c/there/documents?name=a.md", content=b"# a", headers={"origin": origin})
    assert answer.status_code == 403
    socket = console.url.replace("http", "ws") + "/_nicegui_ws/socket.io/?EIO=4&transport=websocket"
    with pytest.raises(InvalidStatus) as refused, connect(socket, origin=origin):  # type: ignore[arg-type]
        pass
    assert refused.value.response.status_code == 403


def test_another_name_for_this_machine_is_not_answered(console: Console) -> None:
    answer = httpx.get(f"{console.url}/", headers={"host": "rebound.example"})
    assert answer.status_code == 403


def test_documents_take_the_token_of_the_page(console: Console) -> None:
    origin = console.url.removesuffix("/console")
    answer = httpx.post(
        f"{console.url}/c/there/documents?name=a.md", content=b"# a",
        headers={"origin": origin, "x-csrf-token": "guessed"},
    )  # fmt: skip
    assert answer.status_code == 403
    assert "reload" in answer.text


def test_documents_cannot_lead_elsewhere(console: Console, page: Page) -> None:
    go(page, console, "/")
    told = page.evaluate(
        """async (names) => {
            const headers = {"X-CSRF-Token": document.querySelector('meta[name="csrf"]').content};
            return Promise.all(names.map(async (name) => {
                const url = `/console/c/led/documents?name=${name}`;
                return (await fetch(url, {method: "POST", body: "# a", headers})).status;
            }));
        }""",
        NAMES,
    )
    assert told == [422] * len(NAMES)


def test_browsers_are_told_what_pages_may_do(console: Console) -> None:
    answer = httpx.get(f"{console.url}/")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
    assert "'unsafe-inline'" not in policy.split("style-src")[0]
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["x-content-type-options"] == "nosniff"
    nonce = policy.split("'nonce-")[1].split("'")[0]
    assert answer.text.count(f'nonce="{nonce}"') == answer.text.count("<script") - 2  # those that come from a file
    assert "http://" not in answer.text.replace(console.url, "").replace("http://www.w3.org", "")


def test_browsers_keep_scripts_whose_address_changes_with_them(console: Console) -> None:
    page = httpx.get(console.at("/"))
    library = re.search(r'/console(/_nicegui/[^"]+/nicegui\.js)', page.text)
    assert library is not None
    kept = httpx.get(f"{console.url}{library[1]}")
    assert "immutable" in kept.headers["cache-control"]
    assert "no-store" in page.headers["cache-control"]
    assert "immutable" not in httpx.get(f"{console.url}/_nicegui/0/none.js").headers.get("cache-control", "")
