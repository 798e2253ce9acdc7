import asyncio
import time
from pathlib import Path

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from tests.understudy.service.conftest import GOAL
from tests.understudy.service.sse import all_events
from understudy.durable.database import open_database
from understudy.service.idempotency import Idempotency, Replays

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_request_that_comes_again_is_answered_as_before(api: httpx.AsyncClient) -> None:
    headers = {"Idempotency-Key": "again"}
    first, second = [await api.post("/threads/again/runs", json={"goal": GOAL}, headers=headers) for _ in range(2)]
    assert first.json() == second.json()
    assert "idempotency-replayed" not in first.headers
    assert second.headers["idempotency-replayed"] == "true"


async def test_a_key_with_another_body_is_refused_and_changes_nothing(api: httpx.AsyncClient) -> None:
    headers = {"Idempotency-Key": "other"}
    await api.post("/threads", json={"thread": "a"}, headers=headers)
    answer = await api.post("/threads", json={"thread": "b"}, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_key_reused")


async def test_of_two_at_once_one_is_carried_out(api: httpx.AsyncClient) -> None:
    headers = {"Idempotency-Key": "both"}
    answers = await asyncio.gather(
        *(api.post("/threads/both/runs/wait", json={"goal": GOAL}, headers=headers) for _ in range(2))
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    events = (await api.get("/threads/both/events")).json()["events"]
    assert [event["type"] for event in events].count("run_started") == 1


async def test_a_stream_that_is_asked_for_again_is_joined(api: httpx.AsyncClient) -> None:
    headers = {"Idempotency-Key": "stream"}
    first, second = [
        await all_events(api, "POST", "/threads/streams/runs/stream", json={"goal": GOAL}, headers=headers)
        for _ in range(2)
    ]
    assert [event for event in first if event.id] == [event for event in second if event.id]


async def test_what_was_refused_can_be_tried_again(api: httpx.AsyncClient) -> None:
    headers = {"Idempotency-Key": "refused"}
    answers = [await api.post("/threads/refused/cancel", json={}, headers=headers)]
    await api.post("/threads/refused/runs/wait", json={"goal": GOAL})
    answers += [await api.post("/threads/refused/cancel", json={}, headers=headers)]
    assert [answer.status_code for answer in answers] == [404, 200]


@pytest.mark.parametrize("key", ["", "x" * 201], ids=["empty", "long"])
async def test_what_is_no_key_is_refused(api: httpx.AsyncClient, key: str) -> None:
    answer = await api.post("/threads", json={}, headers={"Idempotency-Key": key})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


async def test_a_stream_that_is_still_open_is_joined_by_the_same_request(tmp_path: Path) -> None:
    begun, ending = asyncio.Event(), asyncio.Event()

    async def stream(scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-type", b"text/event-stream")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        begun.set()
        await ending.wait()
        await send({"type": "http.response.body", "body": b""})

    async with open_database(tmp_path, None) as database:
        replays = Replays(database, time.time)
        transport = httpx.ASGITransport(Idempotency(stream, replays=lambda: replays))
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            first = asyncio.create_task(client.post("/", headers={"Idempotency-Key": "open"}))
            await begun.wait()
            begun.clear()
            second = asyncio.create_task(client.post("/", headers={"Idempotency-Key": "open"}))
            beginning = asyncio.create_task(begun.wait())
            await asyncio.wait({second, beginning}, return_when=asyncio.FIRST_COMPLETED)
            ending.set()
            answers = [await first, await second]
            beginning.cancel()
    assert [answer.status_code for answer in answers] == [200, 200]
