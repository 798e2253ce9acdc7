"""Conversations beside their runs: asked about, called something; and what people were told."""

from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from domain.notices import failed_notice
from tests.understudy.service.conftest import GOAL

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_conversation_is_called_something_and_by_its_goal_again(api: httpx.AsyncClient) -> None:
    await api.post("/threads/called/runs/wait", json={"goal": GOAL})
    answer = await api.put("/threads/called/title", json={"title": "  What\n grew <b> "})
    assert (answer.status_code, answer.json()["title"]) == (200, "What grew <b>")
    assert (await api.get("/threads/called")).json()["title"] == "What grew <b>"
    listed = {each["thread"]: each["title"] for each in (await api.get("/threads")).json()}
    assert listed["called"] == "What grew <b>"
    await api.put("/threads/called/title", json={"title": ""})
    assert (await api.get("/threads/called")).json()["title"] == ""


@pytest.mark.parametrize(
    ("thread", "body", "status"),
    [
        ("called", {"title": "x" * 201}, 422),
        ("called", {"title": "a\x00b"}, 422),
        ("called", {}, 422),
        ("called", {"title": "a", "more": 1}, 422),
        ("nowhere", {"title": "a"}, 404),
    ],
)
async def test_what_nothing_can_be_called_is_refused(
    api: httpx.AsyncClient, thread: str, body: Any, status: int
) -> None:
    await api.post("/threads/called/runs/wait", json={"goal": GOAL})
    answer = await api.put(f"/threads/{thread}/title", json=body)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert (await api.get("/threads/called")).json()["title"] == ""


async def test_a_run_is_asked_about_and_stays_as_it_is(api: httpx.AsyncClient) -> None:
    await api.post("/threads/asked/runs/wait", json={"goal": GOAL})
    before = (await api.get("/threads/asked/events")).json()
    answer = await api.post("/threads/asked/ask", json={"question": "What have you changed?"})
    assert (answer.status_code, answer.json()["type"]) == (200, "explained")
    assert "nothing" in answer.json()["answer"].casefold()
    assert (await api.get("/threads/asked/events")).json() == before


@pytest.mark.parametrize(
    ("thread", "question", "status"), [("nowhere", "why?", 404), ("asked", " ", 422), ("asked", "", 422)]
)
async def test_a_question_that_cannot_be_answered_is_refused(
    api: httpx.AsyncClient, thread: str, question: str, status: int
) -> None:
    await api.post("/threads/asked/runs/wait", json={"goal": GOAL})
    assert (await api.post(f"/threads/{thread}/ask", json={"question": question})).status_code == status


@pytest.mark.parametrize("name", ["a/b", ".", "..", "/"])
async def test_a_name_that_no_url_can_hold_is_refused(api: httpx.AsyncClient, name: str) -> None:
    answer = await api.post("/threads", json={"thread": name})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_goal")


async def test_notices_are_listed_the_workspaces_own_only(api: httpx.AsyncClient, app: FastAPI) -> None:
    house = app.state.installation.house
    for workspace in ("default", "other"):
        notice = failed_notice(
            workspace=workspace, run=f"of {workspace}", number=1, goal="g", why="It broke", user="ada", command="trace"
        )  # fmt: skip
        await house.outbox(notice)
    found = (await api.get("/notices")).json()
    assert [each["workspace"] for each in found] == ["default"]
    assert (await api.get("/notices?limit=0")).status_code == 422
