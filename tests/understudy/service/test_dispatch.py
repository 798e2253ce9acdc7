from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from tests.understudy.service.asking import asked_at, said_in, stored_events, until_told
from tests.understudy.service.conftest import GOAL
from tests.understudy.service.sse import all_events

pytestmark = pytest.mark.asyncio(loop_scope="module")

LOOK = {"name": "look", "condition": "BEFORE_EXECUTION"}
APPROVE = {"decisions": [{"type": "approve"}]}
OTHER = "Which source of electricity shrank most, and why?"


@pytest_asyncio.fixture(loop_scope="module")
async def asking(api: httpx.AsyncClient) -> AsyncIterator[None]:
    """Every plan waits for a person."""
    await api.post("/checkpoints", json={"checkpoint": LOOK})
    yield
    await api.delete("/checkpoints/look")


@pytest.mark.usefixtures("asking")
async def test_rolling_a_waiting_run_back_withdraws_its_question_and_leaves_nothing_of_it(
    api: httpx.AsyncClient,
) -> None:
    first = (await api.post("/threads/back/runs/wait", json={"goal": GOAL})).json()
    question = (await api.get("/approvals/back")).json()["question"]
    second = await api.post("/threads/back/runs/wait", json={"goal": OTHER, "strategy": "rollback"})
    assert second.json()["run"] != first["run"]
    shown = (await api.get(f"/approvals/{question['id']}")).json()["question"]
    assert shown["status"] == "withdrawn"
    late = await api.post(f"/approvals/{question['id']}", json=APPROVE)
    assert (late.status_code, late.json()["code"]) == (409, "question_closed")
    assert await said_in(api, "back") == [OTHER]


@pytest.mark.usefixtures("asking")
async def test_a_run_is_refused_nothing_by_resume_that_it_would_get_by_its_question(api: httpx.AsyncClient) -> None:
    await api.post("/threads/by-resume/runs/wait", json={"goal": GOAL})
    resumed = (await api.post("/threads/by-resume/resume", json={"answer": APPROVE})).json()
    await api.post("/threads/by-question/runs/wait", json={"goal": GOAL})
    question = (await api.get("/approvals/by-question")).json()["question"]
    await api.post(f"/approvals/{question['id']}", json=APPROVE)
    ends = [
        (await all_events(api, "GET", f"/threads/{thread}/stream?run={run}&after={after}"))[-1]
        for thread, run, after in (
            ("by-resume", resumed["run"], resumed["after"]),
            ("by-question", question["run"], await asked_at(api, "by-question")),
        )
    ]
    assert [end.data["outcome"]["status"] for end in ends] == ["done", "done"]
    assert ends[0].data["outcome"]["answer"] == ends[1].data["outcome"]["answer"]


async def test_an_interrupted_run_is_kept_and_the_next_one_hears_of_it(api: httpx.AsyncClient) -> None:
    first = (await api.post("/threads/kept/runs", json={"goal": GOAL})).json()
    await until_told(api, "kept", "run_started")
    second = await api.post("/threads/kept/runs/wait", json={"goal": OTHER, "strategy": "interrupt"})
    assert second.json()["outcome"]["status"] == "done"
    runs = {event["run"] for event in await stored_events(api, "kept")}
    assert runs == {first["run"], second.json()["run"]}
    assert await said_in(api, "kept") == [GOAL, OTHER]


async def test_a_run_that_is_rolled_back_is_not_heard_of_by_the_next_one(api: httpx.AsyncClient) -> None:
    await api.post("/threads/rolled/runs/wait", json={"goal": GOAL})
    before = await said_in(api, "rolled")
    await api.post("/threads/rolled/runs", json={"goal": f"{OTHER} Forget it."})
    await until_told(api, "rolled", "run_started", times=2)
    last = await api.post("/threads/rolled/runs/wait", json={"goal": OTHER, "strategy": "rollback"})
    assert last.json()["outcome"]["status"] == "done"
    said = await said_in(api, "rolled")
    assert said[: len(before)] == before
    # Where the run had ended before it could be stopped, it is part of the conversation.
    assert said[-1] == OTHER


async def test_a_plan_that_is_only_made_is_shown_before_anything_is_done(api: httpx.AsyncClient) -> None:
    await api.post("/threads/planned/runs/wait", json={"goal": GOAL, "plan_only": True})
    kinds = [event["type"] for event in await stored_events(api, "planned")]
    assert "step_started" not in kinds
    assert (await api.get("/threads/planned")).json()["state"] != "ended"
