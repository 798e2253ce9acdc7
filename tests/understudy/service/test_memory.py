import asyncio
import json
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI

from memory.task_record import TaskRecord
from tests.understudy.service.conftest import GOAL, client_of, opened, settings_in

pytestmark = pytest.mark.asyncio(loop_scope="module")

GOALS = (
    "Describe how wind power grew in the north",
    "Describe how wind power grew in the south",
    "List the libraries of the city",
    "Summarise the rainfall of the last year",
)
UNKNOWN = "0" * 32


@pytest_asyncio.fixture(scope="module", loop_scope="module", autouse=True)
async def remembered(app: FastAPI) -> list[TaskRecord]:
    """What the workspace remembers, and the same in another one that nobody here asks for."""
    memory = app.state.installation.house.memory
    found = list[TaskRecord]()
    for number, goal in enumerate(GOALS):
        task = TaskRecord(
            workspace="default", team="documents", goal=goal, sequence=["researcher"], successes=1, last_success=True,
            run=f"run-{number}",
        )  # fmt: skip
        found.append(await memory.remember(task))
        await memory.remember(task.model_copy(update={"workspace": "elsewhere", "goal": f"{goal} of others"}))
    return found


async def test_tasks_come_in_pages_the_latest_first(api: httpx.AsyncClient) -> None:
    first = (await api.get("/memory/tasks?limit=3")).json()
    rest = (await api.get(f"/memory/tasks?limit=3&offset={first['next']}")).json()
    goals = [task["goal"] for page in (first, rest) for task in page["tasks"]]
    assert goals == list(reversed(GOALS))
    assert (first["total"], first["next"], rest["next"]) == (4, 3, None)


async def test_a_text_finds_the_tasks_that_are_like_it(api: httpx.AsyncClient) -> None:
    found = (await api.get("/memory/tasks", params={"text": "growth of wind power", "limit": 2})).json()
    assert {near["goal"] for near in found["near"]} == set(GOALS[:2])
    similar = [near["similarity"] for near in found["near"]]
    assert similar == sorted(similar, reverse=True)


async def test_a_task_is_shown_by_its_id(api: httpx.AsyncClient, remembered: list[TaskRecord]) -> None:
    shown = (await api.get(f"/memory/tasks/{remembered[2].id}")).json()
    assert (shown["goal"], shown["successes"]) == (GOALS[2], 1)


@pytest.mark.parametrize(("task", "status", "code"), [(UNKNOWN, 404, "unknown_task"), ("x", 422, "invalid_request")])
async def test_an_unknown_task_is_not_found(api: httpx.AsyncClient, task: str, status: int, code: str) -> None:
    for answer in (await api.get(f"/memory/tasks/{task}"), await api.delete(f"/memory/tasks/{task}")):
        assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_a_task_of_another_workspace_is_neither_shown_nor_forgotten(
    api: httpx.AsyncClient, remembered: list[TaskRecord]
) -> None:
    path = f"/memory/tasks/{remembered[0].id}?workspace=elsewhere"
    assert (await api.get(path)).status_code == 404
    assert (await api.delete(path)).status_code == 404
    assert (await api.get(f"/memory/tasks/{remembered[0].id}")).status_code == 200


async def test_the_map_is_the_same_each_time_and_puts_similar_goals_together(api: httpx.AsyncClient) -> None:
    places = (await api.get("/memory/map")).json()
    assert (await api.get("/memory/map")).json() == places
    at = {place["goal"]: complex(place["x"], place["y"]) for place in places}
    alike = abs(at[GOALS[0]] - at[GOALS[1]])
    assert all(alike < abs(at[GOALS[0]] - at[other]) for other in GOALS[2:])
    assert all(max(abs(place["x"]), abs(place["y"])) <= 1 for place in places)


async def test_the_map_of_an_empty_workspace_is_empty(api: httpx.AsyncClient) -> None:
    assert (await api.get("/memory/map?workspace=nothing")).json() == []


async def test_what_is_exported_can_be_imported_elsewhere(api: httpx.AsyncClient) -> None:
    exported = await api.post("/memory/export")
    assert exported.headers["content-type"].startswith("application/x-ndjson")
    lines = exported.text.splitlines()
    assert {json.loads(line)["goal"] for line in lines} == set(GOALS)
    imported = await api.post("/memory/import?workspace=copy", content=exported.content)
    assert imported.json() == {"taken": 4, "known": 0, "outlived": 0}
    again = await api.post("/memory/import?workspace=copy", content=exported.content)
    assert again.json() == {"taken": 0, "known": 4, "outlived": 0}
    assert (await api.get("/memory/tasks?workspace=copy")).json()["total"] == 4


async def test_a_goal_with_a_separator_of_lines_can_be_exported_and_imported(api: httpx.AsyncClient) -> None:
    line = (await api.post("/memory/export")).text.splitlines()[0]
    odd = json.dumps(json.loads(line) | {"goal": f"{GOAL}\u2028{GOAL}"}, ensure_ascii=False)
    imported = await api.post("/memory/import?workspace=odd", content=odd.encode())
    assert imported.json()["taken"] == 1


@pytest.mark.parametrize("body", [b"{}", b"nonsense", b"\xff\xfe"])
async def test_of_an_import_with_a_mistake_nothing_is_taken_in(api: httpx.AsyncClient, body: bytes) -> None:
    good = (await api.post("/memory/export")).content
    refused = await api.post("/memory/import?workspace=broken", content=good + body)
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_import")
    assert (await api.get("/memory/tasks?workspace=broken")).json()["total"] == 0


async def test_that_tasks_left_is_in_the_audit(api: httpx.AsyncClient) -> None:
    await api.post("/memory/export")
    noted = (await api.get("/audit?kind=export&limit=1")).json()[0]["entry"]
    assert (noted["who"], noted["data"]["what"]) == ("ada", "tasks")


async def test_the_working_state_of_a_conversation_is_shown(api: httpx.AsyncClient) -> None:
    assert (await api.get("/memory/state")).json() == []
    assert (await api.get("/memory/state?thread=none")).json() == []


async def test_recipes_are_listed_once_they_were_recognised(api: httpx.AsyncClient) -> None:
    assert (await api.get("/memory/recipes?workspace=elsewhere")).json() == []


async def test_a_task_is_forgotten_with_the_conversation_that_did_it(tmp_path: Path) -> None:
    async with opened(settings_in(tmp_path / "home")) as app, client_of(app) as api:
        await api.post("/threads/once/runs/wait", json={"goal": GOAL})
        async with asyncio.timeout(60):
            while await app.state.installation.orchestrator.steering.is_going("once"):  # noqa: ASYNC110
                await asyncio.sleep(0.01)  # a run lets go of its conversation after its end was told, and says no more
        (task,) = (await api.get("/memory/tasks")).json()["tasks"]
        forgotten = (await api.delete(f"/memory/tasks/{task['id']}")).json()
        assert (forgotten["tasks"], forgotten["threads"]) == ([task["id"]], ["once"])
        assert (await api.get("/memory/tasks")).json()["total"] == 0
        assert (await api.get("/threads/once")).status_code == 404
