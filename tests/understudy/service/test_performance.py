import httpx
import pytest
import pytest_asyncio

from tests.understudy.service.conftest import GOAL

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module", autouse=True)
async def run(api: httpx.AsyncClient) -> str:
    """The id of a run that has succeeded in the conversation `done`."""
    return str((await api.post("/threads/done/runs/wait", json={"goal": GOAL})).json()["run"])


async def test_the_latest_runs_are_counted(api: httpx.AsyncClient) -> None:
    shown = (await api.get("/performance")).json()
    assert (shown["overall"]["runs"], shown["overall"]["rate"]) == (1, 1.0)
    assert 0 < shown["overall"]["interval"]["low"] < shown["overall"]["interval"]["high"] <= 1
    assert shown["sequences"][0]["name"]
    assert (shown["trend"], shown["errors"], shown["override_rate"]) == (None, [], None)


async def test_each_agent_has_a_standing_at_each_kind_of_step(api: httpx.AsyncClient) -> None:
    standings = (await api.get("/standings")).json()
    known = {specialist["name"] for specialist in (await api.get("/team")).json()["specialists"]}
    assert standings
    assert {standing["agent"] for standing in standings} <= known


async def test_the_time_of_runs_is_shared_out(api: httpx.AsyncClient) -> None:
    found = (await api.get("/bottlenecks?runs=10")).json()
    assert found["runs"] == 1
    assert sum(share["share"] for share in found["path"]) == pytest.approx(1, abs=0.05)


async def test_another_workspace_shows_nothing_of_it(api: httpx.AsyncClient, run: str) -> None:
    assert (await api.get("/performance?workspace=other")).json()["overall"]["runs"] == 0
    assert (await api.get("/bottlenecks?workspace=other")).json()["runs"] == 0
    assert (await api.get(f"/trace/{run}?workspace=other")).status_code == 404
    assert (await api.post("/feedback?workspace=other", json={"run": run, "rating": 1})).status_code == 404


async def test_a_run_is_traced_by_its_id_and_by_its_thread(api: httpx.AsyncClient, run: str) -> None:
    by_id, by_thread = (await api.get(f"/trace/{run}")).json(), (await api.get("/trace/done")).json()
    assert by_id == by_thread
    assert (by_id["run"], by_id["outcome"]["status"]) == (run, "done")
    assert all(step["status"] == "done" for step in by_id["steps"])


async def test_a_run_that_changed_nothing_has_nothing_to_undo(api: httpx.AsyncClient, run: str) -> None:
    undone = await api.post(f"/undo/{run}")
    assert (undone.status_code, undone.json()["undone"], undone.json()["kept"]) == (200, [], [])


async def test_an_unknown_run_is_neither_traced_nor_undone_nor_judged(api: httpx.AsyncClient) -> None:
    judged = await api.post("/feedback", json={"run": "none", "rating": 3})
    for answer in (await api.get("/trace/none"), await api.post("/undo/none"), judged):
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_run")


async def test_a_judgement_counts_and_replaces_the_one_before(api: httpx.AsyncClient, run: str) -> None:
    bad = (await api.post("/feedback", json={"run": run, "rating": 1})).json()
    assert (bad["accepted"], bad["successes"], bad["failures"]) == (False, 0, 1)
    good = (await api.post("/feedback", json={"run": "done", "rating": 5})).json()
    assert (good["run"], good["accepted"], good["successes"], good["failures"]) == (run, True, 1, 0)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"run": "done"}, "invalid_feedback"),
        ({"run": "done", "rating": 6}, "invalid_request"),
        ({"run": "done", "correction": "x" * 20_001}, "invalid_request"),
        ({"rating": 3}, "invalid_request"),
    ],
)
async def test_a_judgement_that_says_nothing_is_refused(
    api: httpx.AsyncClient, body: dict[str, object], code: str
) -> None:
    answer = await api.post("/feedback", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, code)


async def test_executions_are_summed_up(api: httpx.AsyncClient) -> None:
    summary = (await api.get("/system/orchestrator")).json()
    assert (summary["runs"], summary["success_rate"], summary["statuses"]) == (1, 1.0, {"done": 1})
    assert (summary["sources"], summary["errors"]) == ({"planner": 1}, [])
    assert summary["median_seconds"] > 0


async def test_the_experience_is_measured_as_far_as_it_can_be(api: httpx.AsyncClient) -> None:
    shown = (await api.get("/experience")).json()
    figures = {figure["name"]: figure for figure in shown["figures"]}
    assert figures["plan_preview_ms"]["samples"] == figures["context_query_ms"]["samples"] == 1
    assert (figures["explanation"]["value"], figures["explanation"]["met"]) == (1.0, True)
    assert (figures["taps_per_week"]["value"], figures["taps_per_week"]["target"]) == (0.0, 2.0)
    assert figures["false_suggestions_per_week"]["value"] is None
    assert figures["false_suggestions_per_week"]["met"] is None
    assert 0 < shown["score"] <= 1


async def test_the_experience_of_a_workspace_without_runs_is_unknown(api: httpx.AsyncClient) -> None:
    shown = (await api.get("/experience?workspace=other")).json()
    assert (shown["score"], shown["met"], shown["unmet"]) == (None, None, [])
