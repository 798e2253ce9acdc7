import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import NamedTuple

import httpx
import pytest
import pytest_asyncio

from tests.postgres import new_database
from tests.redis_server import RedisServer
from tests.understudy.service.asking import stored_events, until_told
from tests.understudy.service.conftest import GOAL, client_of, opened, settings_in
from tests.understudy.service.sse import all_events, events_of

pytestmark = pytest.mark.asyncio(loop_scope="module")


class Nodes(NamedTuple):
    """Two processes' worth of one installation."""

    first: httpx.AsyncClient
    second: httpx.AsyncClient


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def nodes(tmp_path_factory: pytest.TempPathFactory, shared_redis: RedisServer) -> AsyncIterator[Nodes]:
    """Two nodes with one PostgreSQL and one Redis; the first carries runs out, the second does not."""
    await shared_redis.empty()
    with new_database() as database:
        async with AsyncExitStack() as stack:
            clients = []
            for name, with_engine in (("first", True), ("second", False)):
                shared = {"database_url": database, "redis_url": shared_redis.url}
                settings = settings_in(tmp_path_factory.mktemp(name), **shared)
                app = await stack.enter_async_context(opened(settings, with_engine=with_engine))
                clients.append(await stack.enter_async_context(client_of(app)))
            yield Nodes(*clients)


async def test_what_is_accepted_here_is_followed_there(nodes: Nodes) -> None:
    accepted = (await nodes.second.post("/threads/there/runs", json={"goal": GOAL})).json()
    told = await all_events(nodes.second, "GET", f"/threads/there/stream?run={accepted['run']}")
    assert told[-1].type == "run_finished"
    here = await all_events(nodes.first, "GET", f"/threads/there/stream?run={accepted['run']}")
    stored = [event for event in told if event.id]
    assert [event for event in here if event.id] == stored
    assert [int(event.id or 0) for event in stored] == list(range(1, len(stored) + 1))


async def test_whoever_was_cut_off_joins_on_the_other_node(nodes: Nodes) -> None:
    seen = []
    async with nodes.first.stream("POST", "/threads/joins/runs/stream", json={"goal": GOAL}) as response:
        async for event in events_of(response):
            if event.id:
                seen.append(event)
            if len(seen) == 2:
                break
    url, headers = f"/threads/joins/stream?run={seen[0].data['run']}", {"Last-Event-ID": seen[-1].id or ""}
    rest = [event for event in await all_events(nodes.second, "GET", url, headers=headers) if event.id]
    assert [int(event.id or 0) for event in rest] == list(range(3, len(rest) + 3))
    assert rest[-1].type == "run_finished"
    headers = {"Last-Event-ID": rest[-1].id or ""}
    assert (await nodes.first.get(url, headers=headers)).status_code == 204
    beyond = await nodes.first.get(url, headers={"Last-Event-ID": "99999"})
    assert (beyond.status_code, beyond.json()["code"]) == (422, "invalid_request")


async def test_a_run_is_stopped_and_resumed_from_the_other_node(nodes: Nodes) -> None:
    accepted = (await nodes.first.post("/threads/stops/runs", json={"goal": GOAL})).json()
    await until_told(nodes.second, "stops", "run_started")
    assert (await nodes.second.post("/threads/stops/cancel", json={})).json() == {"was_going": True}
    if (await nodes.first.get("/threads/stops")).json()["state"] == "stopped":
        await nodes.second.post("/threads/stops/resume", json={})
    await until_told(nodes.first, "stops", "run_finished")
    runs = [event["run"] for event in await stored_events(nodes.second, "stops")]
    assert set(runs) == {accepted["run"]}


async def test_of_two_nodes_one_gets_a_thread(nodes: Nodes) -> None:
    asked = [node.post("/threads/both/runs", json={"goal": GOAL}) for node in (*nodes, *nodes)]
    answers = await asyncio.gather(*asked)
    assert sorted(answer.status_code for answer in answers) == [202, 409, 409, 409]
    await until_told(nodes.second, "both", "run_finished")
    assert [event["type"] for event in await stored_events(nodes.first, "both")].count("run_started") == 1


async def test_a_key_counts_on_every_node(nodes: Nodes) -> None:
    headers = {"Idempotency-Key": "everywhere"}
    answers = [await node.post("/threads/key/runs", json={"goal": GOAL}, headers=headers) for node in nodes]
    assert answers[0].json() == answers[1].json()
    assert answers[1].headers["idempotency-replayed"] == "true"
    await until_told(nodes.first, "key", "run_finished")
