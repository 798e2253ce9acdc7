import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from tests.understudy.service.conftest import settings_in
from understudy.service.serving import serve
from understudy.service.settings import ServiceSettings

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def url(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """A real server with short limits."""
    limits = ServiceSettings(port=0, header_seconds=0.5, body_seconds=0.5, max_body_bytes=10_000)
    settings = settings_in(tmp_path_factory.mktemp("guarded"), service=limits)
    ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    serving = asyncio.create_task(serve(settings, with_engine=True, ready=ready.set_result))
    serving.add_done_callback(lambda ended: ready.done() or ready.cancel())
    yield await ready
    serving.cancel()
    await asyncio.wait({serving})


async def raw(url: str, *parts: bytes) -> bytes:
    """Send bytes and return everything that comes until the server closes the connection."""
    host, port = url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    for part in parts:
        writer.write(part)
        await writer.drain()
    answer = await asyncio.wait_for(reader.read(), 30)
    writer.close()
    return answer


async def test_a_request_that_comes_byte_by_byte_is_ended(url: str) -> None:
    assert await raw(url, b"GET /health/live HT") == b""


async def test_a_body_that_does_not_come_is_ended(url: str) -> None:
    head = (
        b"POST /threads HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
    )
    answer = await raw(url, head)
    assert answer.startswith(b"HTTP/1.1 408")
    assert b"request_too_slow" in answer


async def test_a_request_that_says_it_is_large_is_refused_at_once(url: str) -> None:
    head = b"POST /threads HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 52428800\r\n\r\n"
    assert (await raw(url, head)).startswith(b"HTTP/1.1 413")


async def test_a_request_that_grows_large_is_refused(url: str) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b"x" * 1_000

    async with httpx.AsyncClient() as client:
        answer = await client.post(f"{url}/threads", content=endless())
    assert (answer.status_code, answer.json()["code"]) == (413, "request_too_large")


@pytest.mark.parametrize(
    "headers",
    [{"Host": "evil.example"}, {"Origin": "https://evil.example"}, {"X-Forwarded-For": "10.0.0.1"}],
    ids=["another name", "a page from elsewhere", "behind a proxy"],
)
async def test_what_does_not_come_from_this_machine_is_not_answered(url: str, headers: dict[str, str]) -> None:
    async with httpx.AsyncClient() as client:
        answer = await client.get(f"{url}/threads", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


@pytest.mark.parametrize("body", [b"{", b"[1]", b'{"goal": 5}', b'{"goal": "g", "more": 1}'], ids=repr)
async def test_what_cannot_be_read_is_said_without_repeating_it(url: str, body: bytes) -> None:
    async with httpx.AsyncClient() as client:
        answer = await client.post(f"{url}/threads/t/runs", content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert answer.json()["mistakes"]


@pytest.mark.parametrize("path", ["/threads/..%2f..%2fetc%2fpasswd", "/threads/%0d%0aX-Evil:1", "/threads/%00"])
async def test_names_that_reach_elsewhere_are_only_names(url: str, path: str) -> None:
    async with httpx.AsyncClient() as client:
        answer = await client.get(url + path)
    assert answer.status_code in (404, 422)
    assert "x-evil" not in answer.headers


async def test_another_address_wants_identity_first(tmp_path: Path) -> None:
    from domain.errors import IdentityMissing

    settings = settings_in(tmp_path, service=ServiceSettings(host="0.0.0.0", port=0))
    with pytest.raises(IdentityMissing, match="keys"):
        await serve(settings, with_engine=True, ready=lambda _: None)


async def test_answers_tell_browsers_to_be_careful(url: str) -> None:
    async with httpx.AsyncClient() as client:
        answer = await client.get(f"{url}/health/live")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "server" not in answer.headers
