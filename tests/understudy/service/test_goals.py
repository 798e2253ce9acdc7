import httpx
import pytest
from fastapi import FastAPI

from memory.goals import MAX_GOALS
from memory.signals import MAX_SIGNALS
from tests.understudy.service.conftest import GOAL

pytestmark = pytest.mark.asyncio(loop_scope="module")

WANTED = {"name": "Everything works", "measure": "success_rate", "target": 0.9, "direction": "at_least"}
AT_HOME = {"source": "door", "name": "presence", "value": True, "certainty": 0.9, "expires_in": 3600}


async def test_a_goal_is_measured_as_runs_come_in(api: httpx.AsyncClient) -> None:
    made = await api.post("/goals?workspace=live", json=WANTED)
    assert (made.status_code, made.json()["value"], made.json()["met"]) == (201, None, None)
    await api.post("/threads/one/runs/wait?workspace=live", json={"goal": GOAL})
    (now,) = (await api.get("/goals?workspace=live")).json()
    assert (now["value"], now["met"], now["done"], now["overdue"]) == (1.0, True, 1.0, False)
    assert now["goal"]["provenance"]["user"] == "ada"


async def test_a_goal_of_one_agent_is_measured_by_its_standings(api: httpx.AsyncClient) -> None:
    await api.post("/threads/one/runs/wait?workspace=agents", json={"goal": GOAL})
    agent = (await api.get("/standings?workspace=agents")).json()[0]["agent"]
    made = (await api.post("/goals?workspace=agents", json=WANTED | {"agent": agent, "measure": "runs"})).json()
    assert made["goal"]["baseline"] == made["value"] >= 1


async def test_what_is_due_and_not_met_is_overdue(api: httpx.AsyncClient) -> None:
    wanted = WANTED | {"measure": "runs", "target": 5, "due": 1.0}
    made = (await api.post("/goals?workspace=late", json=wanted)).json()
    assert (made["value"], made["met"], made["done"], made["overdue"]) == (0.0, False, 0.0, True)


async def test_a_goal_is_shown_and_deleted(api: httpx.AsyncClient) -> None:
    made = (await api.post("/goals", json=WANTED)).json()["goal"]
    assert (await api.get(f"/goals/{made['id']}")).json()["goal"] == made
    assert (await api.get(f"/goals/{made['id']}?workspace=other")).status_code == 404
    assert (await api.delete(f"/goals/{made['id']}?workspace=other")).status_code == 404
    assert (await api.delete(f"/goals/{made['id']}")).status_code == 204
    for gone in (await api.get(f"/goals/{made['id']}"), await api.delete(f"/goals/{made['id']}")):
        assert (gone.status_code, gone.json()["code"]) == (404, "unknown_goal")


@pytest.mark.parametrize(
    "change",
    [
        {"measure": "luck"},
        {"direction": "up"},
        {"name": ""},
        {"target": "NaN"},
        {"agent": "researcher", "measure": "trend"},
        {"by": "boss"},
    ],
)
async def test_what_is_no_goal_is_refused(api: httpx.AsyncClient, change: dict[str, object]) -> None:
    answer = await api.post("/goals?workspace=refused", json=WANTED | change)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert (await api.get("/goals?workspace=refused")).json() == []


async def test_a_workspace_has_so_many_goals_and_no_more(api: httpx.AsyncClient) -> None:
    made = [await api.post("/goals?workspace=full", json=WANTED) for _ in range(MAX_GOALS + 1)]
    assert [answer.status_code for answer in made] == [201] * MAX_GOALS + [422]


async def test_the_latest_signal_of_a_source_counts(api: httpx.AsyncClient) -> None:
    for value in (True, False):
        assert (await api.post("/signals?workspace=latest", json=AT_HOME | {"value": value})).status_code == 201
    (reading,) = (await api.get("/signals?workspace=latest")).json()
    assert [signal["value"] for signal in reading["signals"]] == [False]
    assert reading["conflict"] is False


async def test_sources_that_contradict_each_other_are_both_shown_the_most_certain_first(api: httpx.AsyncClient) -> None:
    await api.post("/signals?workspace=conflict", json=AT_HOME | {"certainty": 0.4})
    await api.post("/signals?workspace=conflict", json=AT_HOME | {"source": "phone", "value": False})
    (reading,) = (await api.get("/signals?workspace=conflict")).json()
    assert [(signal["source"], signal["certainty"]) for signal in reading["signals"]] == [("phone", 0.9), ("door", 0.4)]
    assert reading["conflict"] is True


async def test_a_signal_is_gone_when_its_time_is_over(
    api: httpx.AsyncClient, app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    await api.post("/signals?workspace=expired", json=AT_HOME)
    assert len((await api.get("/signals?workspace=expired")).json()) == 1
    later = app.state.installation.house.clock() + 3600
    monkeypatch.setattr(app.state.installation.house, "clock", lambda: later)
    assert (await api.get("/signals?workspace=expired")).json() == []


async def test_signals_stay_in_their_workspace(api: httpx.AsyncClient) -> None:
    await api.post("/signals?workspace=mine", json=AT_HOME)
    assert (await api.get("/signals?workspace=yours")).json() == []


async def test_what_needs_a_consent_is_kept_only_with_it(api: httpx.AsyncClient, app: FastAPI) -> None:
    personal, consents = AT_HOME | {"consent_scope": "presence"}, app.state.installation.house.consents
    refused = await api.post("/signals?workspace=asked", json=personal)
    assert (refused.status_code, refused.json()["code"]) == (409, "consent_needed")
    assert (await api.get("/signals?workspace=asked")).json() == []
    await consents.give("asked", "ada", "presence", by="ada")
    assert (await api.post("/signals?workspace=asked", json=personal)).status_code == 201
    assert len((await api.get("/signals?workspace=asked")).json()) == 1
    await consents.revoke("asked", "ada", "presence", by="ada")
    assert (await api.get("/signals?workspace=asked")).json() == []
    assert await app.state.installation.house.records.count("signal:asked:") == 0


@pytest.mark.parametrize(
    "change",
    [
        {"certainty": 1.1},
        {"expires_in": 0},
        {"expires_in": 1e9},
        {"name": "a:b"},
        {"source": ""},
        {"value": "x" * 501},
        {"value": None},
        {"value": [1]},
    ],
)
async def test_what_is_no_signal_is_refused(api: httpx.AsyncClient, change: dict[str, object]) -> None:
    answer = await api.post("/signals?workspace=refused", json=AT_HOME | change)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert (await api.get("/signals?workspace=refused")).json() == []


async def test_a_workspace_keeps_so_many_signals_and_no_more(api: httpx.AsyncClient) -> None:
    for number in range(MAX_SIGNALS):
        await api.post("/signals?workspace=full", json=AT_HOME | {"name": f"n{number}"})
    assert (await api.post("/signals?workspace=full", json=AT_HOME | {"name": "more"})).status_code == 422
    assert (await api.post("/signals?workspace=full", json=AT_HOME | {"name": "n1", "value": 2})).status_code == 201
