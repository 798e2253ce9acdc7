import asyncio

import httpx
import pytest

from tests.understudy.service.conftest import GOAL
from tests.understudy.service.sse import all_events

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_goal_is_answered_when_it_is_waited_for(api: httpx.AsyncClient) -> None:
    answer = await api.post("/threads/waits/runs/wait", json={"goal": GOAL})
    assert answer.status_code == 200
    assert answer.json()["outcome"]["status"] == "done"
    assert "renewables" in answer.json()["outcome"]["answer"].casefold()


async def test_a_run_goes_on_though_nobody_watches(api: httpx.AsyncClient) -> None:
    accepted = (await api.post("/threads/alone/runs", json={"goal": GOAL})).json()
    told = await all_events(api, "GET", f"/threads/alone/stream?run={accepted['run']}")
    assert told[-1].type == "run_finished"
    assert [thread["thread"] for thread in (await api.get("/threads")).json()].count("alone") == 1


async def test_a_stream_tells_each_event_once_and_in_order(api: httpx.AsyncClient) -> None:
    told = [event for event in await all_events(api, "POST", "/chat/stream", json={"message": GOAL}) if event.id]
    assert [int(event.id or 0) for event in told] == list(range(1, len(told) + 1))
    assert (told[0].type, told[-1].type) == ("run_started", "run_finished")


async def test_whoever_was_cut_off_misses_nothing_and_sees_nothing_twice(api: httpx.AsyncClient) -> None:
    whole = [e for e in await all_events(api, "POST", "/threads/cut/runs/stream", json={"goal": GOAL}) if e.id]
    url = f"/threads/cut/stream?run={whole[0].data['run']}"
    for place, seen in enumerate(whole[:-1], 1):
        rest = await all_events(api, "GET", url, headers={"Last-Event-ID": seen.id or ""})
        assert [event for event in rest if event.id] == whole[place:]


async def test_the_same_names_are_told_to_clients_of_ag_ui_and_joined_within_one_event(api: httpx.AsyncClient) -> None:
    await api.post("/threads/ag/runs/wait", json={"goal": GOAL})
    url = f"/threads/ag/stream?format=ag-ui&run={await _run(api, 'ag')}"
    whole = await all_events(api, "GET", url)
    assert whole[0].type == "RUN_STARTED"
    assert whole[-1].type == "RUN_FINISHED"
    parted = next(number for number, event in enumerate(whole) if "." in (event.id or ""))
    headers = {"Last-Event-ID": whole[parted].id or ""}
    assert await all_events(api, "GET", url, headers=headers) == whole[parted + 1 :]


async def test_a_thread_takes_one_run_at_a_time(api: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(*(api.post("/threads/one/runs", json={"goal": GOAL}) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [202, 409, 409, 409, 409]
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"thread_busy"}
    await _ended(api, "one")


async def test_a_goal_can_wait_for_the_one_before(api: httpx.AsyncClient) -> None:
    runs = [
        (await api.post("/threads/queue/runs", json={"goal": GOAL, "strategy": "enqueue"})).json()["run"]
        for _ in range(3)
    ]
    told = await all_events(api, "GET", f"/threads/queue/stream?run={runs[-1]}")
    assert [event.data["run"] for event in told if event.type == "run_finished"] == runs


async def test_a_stopped_run_goes_on_when_it_is_resumed(api: httpx.AsyncClient) -> None:
    accepted = (await api.post("/threads/stops/runs", json={"goal": GOAL})).json()
    await _told(api, "stops", "run_started")
    stopped = (await api.post("/threads/stops/cancel", json={})).json()
    assert stopped["was_going"]
    assert (await api.get("/threads/stops")).json()["state"] == "stopped"
    await api.post("/threads/stops/resume", json={})
    told = await all_events(api, "GET", f"/threads/stops/stream?after=0&run={accepted['run']}")
    kinds = [event.type for event in told]
    assert "run_stopped" in kinds
    await _told(api, "stops", "run_finished")


async def test_an_unknown_thread_is_not_found(api: httpx.AsyncClient) -> None:
    for path in ("", "/state", "/history", "/events", "/stream", "/pending"):
        answer = await api.get(f"/threads/nobody{path}")
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_thread"), path
        assert answer.headers["content-type"] == "application/problem+json"


async def test_a_last_event_id_that_was_never_given_is_refused(api: httpx.AsyncClient) -> None:
    await api.post("/threads/known/runs/wait", json={"goal": GOAL})
    answer = await api.get("/threads/known/stream", headers={"Last-Event-ID": "1; drop table"})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


async def _run(api: httpx.AsyncClient, thread: str) -> str:
    return str((await api.get(f"/threads/{thread}")).json()["run"])


async def _told(api: httpx.AsyncClient, thread: str, kind: str) -> None:
    """Wait until a thread has told something."""
    while True:
        events = (await api.get(f"/threads/{thread}/events")).json()["events"]
        if any(event["type"] == kind for event in events):
            return
        await asyncio.sleep(0.01)


async def _ended(api: httpx.AsyncClient, thread: str) -> None:
    await _told(api, thread, "run_finished")
