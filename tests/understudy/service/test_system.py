import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI

from memory.task_record import TaskRecord
from tests.redis_server import RedisServer
from tests.understudy.service.conftest import GOAL, client_of, opened, settings_in
from understudy.identity.principals import Role
from understudy.service.routes import ROUTERS

pytestmark = pytest.mark.asyncio(loop_scope="module")

PUBLIC = ("/health/live", "/health/ready")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def guarded(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[FastAPI]:
    """An application that asks for keys."""
    async with opened(settings_in(tmp_path_factory.mktemp("guarded"))) as app:
        yield app


async def _client(app: FastAPI, memberships: dict[str, list[Role]]) -> httpx.AsyncClient:
    keys = app.state.installation.identity.keys
    made = await keys.create("grace", memberships, by="test")
    return client_of(app, headers={"Authorization": f"Bearer {made.token.get_secret_value()}"})


async def test_a_process_lives_and_is_ready(api: httpx.AsyncClient) -> None:
    assert (await api.get("/health/live")).json() == {"status": "live", "reasons": []}
    assert (await api.get("/health/ready")).json() == {"status": "ready", "reasons": []}


async def test_a_process_that_drains_is_not_ready_and_lives_on(tmp_path: Path) -> None:
    async with opened(settings_in(tmp_path / "home")) as app, client_of(app) as api:
        app.state.installation.drain()
        answer = await api.get("/health/ready")
        assert (answer.status_code, answer.json()) == (503, {"status": "unready", "reasons": ["draining"]})
        assert (await api.get("/health/live")).status_code == 200


async def test_a_process_whose_records_are_away_is_not_ready_until_they_are_back(
    tmp_path: Path, redis_server: RedisServer
) -> None:
    settings = settings_in(tmp_path / "home", redis_url=redis_server.url)
    async with opened(settings) as app, client_of(app) as api:
        assert (await api.get("/health/ready")).status_code == 200
        redis_server.kill()
        answer = await api.get("/health/ready")
        assert (answer.status_code, answer.json()["reasons"]) == (503, ["records_away"])
        away = await api.get("/memory/tasks")
        assert (away.status_code, away.json()["code"]) == (503, "storage_away")
        redis_server.start()
        async with asyncio.timeout(60):
            while (await api.get("/health/ready")).status_code != 200:  # noqa: ASYNC110  # whoever waits asks again
                await asyncio.sleep(0.05)


async def test_the_status_says_who_works_and_what_is_not_as_it_should_be(api: httpx.AsyncClient, app: FastAPI) -> None:
    first = (await api.get("/system/status")).json()
    assert (first["workspace"], first["team"], first["mode"]) == ("default", "documents", "rules")
    assert first["version"]
    assert first["carries_out"] is True
    assert any("no model is configured" in each["reason"] for each in first["degraded"])
    again = (await api.get("/system/status")).json()
    assert again["degraded"] == first["degraded"]
    assert again["uptime"] >= first["uptime"] >= 0


async def test_the_worker_in_the_process_is_counted(api: httpx.AsyncClient, app: FastAPI) -> None:
    await app.state.installation.house.workers.beat()
    status = (await api.get("/system/status")).json()
    assert status["workers"] == len(status["living"]) == 1


async def test_metrics_are_told_as_prometheus_reads_them(api: httpx.AsyncClient) -> None:
    await api.post("/threads/counted/runs/wait", json={"goal": GOAL})
    answer = await api.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    assert "# TYPE understudy_" in answer.text


async def test_without_a_key_nothing_but_health_is_told(guarded: FastAPI) -> None:
    await _client(guarded, {"a": ["member"]})
    async with client_of(guarded) as nobody:
        for path in PUBLIC:
            assert (await nobody.get(path)).status_code == 200
        answer = await nobody.get("/system/status")
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")


@pytest.mark.parametrize("path", sorted({"/memory/tasks", "/rules", "/goals", "/signals", "/audit", "/approvals"}))
async def test_a_foreign_workspace_is_forbidden_whether_it_exists_or_not(guarded: FastAPI, path: str) -> None:
    async with await _client(guarded, {"a": ["admin"]}) as grace:
        assert (await grace.get(path)).status_code == 200
        for workspace in ("default", "none"):
            answer = await grace.get(f"{path}?workspace={workspace}")
            assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


@pytest.mark.parametrize(
    ("role", "method", "path", "body"),
    [
        ("auditor", "POST", "/orchestrate", {"goal": "g"}),
        ("approver", "POST", "/feedback", {"run": "r", "rating": 1}),
        ("approver", "POST", "/undo/r", None),
        ("member", "POST", "/approvals/q", {"decisions": [{"type": "approve"}]}),
        ("member", "POST", "/rules/r/accept", None),
        ("member", "DELETE", f"/memory/tasks/{'0' * 32}", None),
        ("member", "POST", "/memory/export", None),
        ("member", "POST", "/constraints", {"rule": {}}),
        ("member", "DELETE", "/checkpoints/c", None),
        ("member", "POST", "/goals", {"name": "n", "measure": "runs", "target": 1, "direction": "at_least"}),
        ("member", "GET", "/audit", None),
        ("approver", "POST", "/audit/export", None),
        ("member", "GET", "/metrics", None),
        ("auditor", "GET", "/metrics", None),
    ],
)
async def test_a_role_may_do_no_more_than_it_says(
    guarded: FastAPI, role: Role, method: str, path: str, body: dict[str, object] | None
) -> None:
    async with await _client(guarded, {"a": [role]}) as grace:
        answer = await grace.request(method, path, json=body)
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


async def test_an_auditor_of_all_workspaces_reads_the_metrics_and_sees_the_workers(guarded: FastAPI) -> None:
    await guarded.state.installation.house.workers.beat()
    async with await _client(guarded, {"*": ["auditor"], "a": ["member"]}) as grace:
        assert (await grace.get("/metrics")).status_code == 200
        assert len((await grace.get("/system/status")).json()["living"]) == 1
    async with await _client(guarded, {"a": ["admin"]}) as grace:
        status = (await grace.get("/system/status")).json()
        assert (status["living"], status["workers"]) == ([], 1)


async def test_what_somebody_decides_is_noted_under_their_name(guarded: FastAPI) -> None:
    async with await _client(guarded, {"a": ["admin"]}) as grace:
        await grace.post("/constraints", json={"rule": {"id": "x", "kind": "forbidden_tool", "tools": ["t"]}})
        await grace.post("/memory/export")
        noted = (await grace.get("/audit?limit=2")).json()
        assert {each["entry"]["who"] for each in noted} == {"grace"}


async def test_who_forgets_is_noted_and_not_who_serves(guarded: FastAPI) -> None:
    house = guarded.state.installation.house
    task = TaskRecord(workspace="a", team="documents", goal="g", sequence=["researcher"], last_success=True)
    remembered = await house.memory.remember(task)
    async with await _client(guarded, {"a": ["admin"]}) as grace:
        assert (await grace.delete(f"/memory/tasks/{remembered.id}")).status_code == 200
        (noted,) = (await grace.get("/audit?kind=forgotten")).json()
    assert (noted["entry"]["who"], house.settings.user) == ("grace", "ada")


async def test_the_document_describes_every_route_with_what_it_answers(api: httpx.AsyncClient) -> None:
    document = (await api.get("/openapi.json")).json()
    routes = [route for router in ROUTERS for route in router.routes]
    assert len(document["paths"]) == len({getattr(route, "path", "") for route in routes})
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            good = next(answer for status, answer in operation["responses"].items() if status.startswith("2"))
            assert operation["summary"], path
            assert "content" in good or "204" in operation["responses"] or "stream" in path, (method, path)
