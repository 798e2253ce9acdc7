"""The middleware in front of a real application."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI
from starlette.responses import StreamingResponse

from tests.understudy.telemetry.test_metrics import shown
from understudy.settings import Settings
from understudy.telemetry.http import Observed, Scope
from understudy.telemetry.telemetry import Telemetry, open_telemetry
from understudy.telemetry.tracing import INCOMING


def application() -> FastAPI:
    app, below = FastAPI(), FastAPI()

    @app.get("/threads/{thread}")
    async def thread(thread: str) -> dict[str, str | None]:
        return {"thread": thread, "traceparent": INCOMING.get()}

    @app.get("/broken")
    async def broken() -> None:
        raise RuntimeError("broken")

    @below.get("/items/{item}")
    async def item(item: str) -> str:
        return item

    app.mount("/below", below)
    return app


@pytest.fixture
async def telemetry() -> AsyncIterator[Telemetry]:
    async with open_telemetry(Settings()) as opened:
        yield opened


def client(telemetry: Telemetry | None, app: FastAPI | None = None) -> httpx.AsyncClient:
    def found(_: Scope) -> Telemetry | None:
        return telemetry

    transport = httpx.ASGITransport(Observed(app or application(), found), raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://here")


async def test_requests_are_counted_by_the_template_of_their_route(telemetry: Telemetry) -> None:
    async with client(telemetry) as http:
        for path in ("/threads/a", "/threads/b", "/below/items/c", "/nowhere/1", "/nowhere/2"):
            await http.get(path)
        await http.request("BREW", "/threads/a")
    found = shown(telemetry.metrics())
    counted = {name: value for name, value in found.items() if name.startswith("understudy_http_requests_total")}
    assert counted == {
        "understudy_http_requests_total method=GET route=/threads/{thread} status=200": 2,
        "understudy_http_requests_total method=GET route=/below/items/{item} status=200": 1,
        "understudy_http_requests_total method=GET route=unmatched status=404": 2,
        "understudy_http_requests_total method=other route=/threads/{thread} status=405": 1,
    }


async def test_a_request_that_breaks_counts_as_an_error(telemetry: Telemetry) -> None:
    async with client(telemetry) as http:
        assert (await http.get("/broken")).status_code == 500
    assert shown(telemetry.metrics())["understudy_http_requests_total method=GET route=/broken status=500"] == 1


@pytest.mark.parametrize(
    ("given", "kept"), [("abc-123", True), ("x" * 65, False), ("a b", False), ("caf\xe9", False), ("", False)]
)
async def test_a_request_keeps_its_id_if_it_is_fit_for_a_log(telemetry: Telemetry, given: str, kept: bool) -> None:
    async with client(telemetry) as http:
        answer = await http.get("/threads/a", headers={b"x-request-id": given.encode("latin-1")})
    assert (answer.headers["x-request-id"] == given) is kept
    assert len(answer.headers["x-request-id"]) <= 64


async def test_the_trace_of_a_request_is_known_while_it_is_answered(telemetry: Telemetry) -> None:
    async with client(telemetry) as http:
        answer = await http.get("/threads/a", headers={"traceparent": "00-x"})
    assert answer.json()["traceparent"] == "00-x"
    assert INCOMING.get() is None


async def test_readers_of_streams_are_counted_while_they_read(telemetry: Telemetry) -> None:
    app, seen = application(), []

    @app.get("/stream")
    async def stream() -> StreamingResponse:
        async def told() -> AsyncIterator[str]:
            yield "data: 1\n\n"
            seen.append(shown(telemetry.metrics())["understudy_sse_readers"])

        return StreamingResponse(told(), media_type="text/event-stream")

    async with client(telemetry, app) as http:
        await asyncio.gather(http.get("/stream"), http.get("/stream"))
    assert max(seen) >= 1
    assert shown(telemetry.metrics())["understudy_sse_readers"] == 0


async def test_an_application_that_is_not_open_answers_unobserved() -> None:
    async with client(None) as http:
        assert (await http.get("/threads/a")).status_code == 200
