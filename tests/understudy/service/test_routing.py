import httpx
import pytest

from tests.understudy.service.conftest import GOAL

pytestmark = pytest.mark.asyncio(loop_scope="module")

TEXT = """# Wind in 2023

Wind gave 120 TWh in 2023. Wind gave 120 TWh in 2023 already. Wind gave 120 TWh in 2023. Turbines were built at sea
and on land, and they were built by many, in places that nobody had thought of before; most of them stand in the north,
where the wind blows all year, where few people live, and where the lines that carry the power to the south are weak and
old.
"""


async def test_a_goal_is_routed_and_nothing_is_carried_out(api: httpx.AsyncClient) -> None:
    answer = await api.post("/orchestrate", json={"goal": GOAL})
    assert answer.status_code == 200
    assert answer.json()["source"] == "planner"
    assert answer.json()["sequence"]
    assert (await api.get("/threads")).json() == []
    assert (await api.get("/memory/tasks")).json()["total"] == 0


async def test_a_plan_is_shown_with_its_steps(api: httpx.AsyncClient) -> None:
    preview = (await api.post("/plan", json={"goal": GOAL})).json()
    agents = [step["agent"] for step in preview["plan"]["steps"]]
    assert list(dict.fromkeys(agents)) == preview["decision"]["sequence"] or not preview["decision"]["sequence"]
    assert agents


@pytest.mark.parametrize("body", [{}, {"goal": ""}, {"goal": "x" * 20_001}, {"goal": "a", "more": 1}, {"goal": 7}])
async def test_what_is_no_goal_is_refused(api: httpx.AsyncClient, body: dict[str, object]) -> None:
    answer = await api.post("/orchestrate", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


async def test_blanks_are_no_goal(api: httpx.AsyncClient) -> None:
    answer = await api.post("/plan", json={"goal": "  "})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_goal")


async def test_somebody_is_chosen_for_a_task(api: httpx.AsyncClient) -> None:
    team = (await api.get("/team")).json()
    fallback = team["specialists"][0]["name"]
    chosen = (await api.post("/select-agent", json={"task_type": "analysis", "fallback": fallback})).json()
    assert chosen["agent"] in [specialist["name"] for specialist in team["specialists"]]
    assert chosen["reason"]


async def test_an_unknown_fallback_is_not_found(api: httpx.AsyncClient) -> None:
    answer = await api.post("/select-agent", json={"task_type": "analysis", "fallback": "nobody"})
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_agent")


async def test_a_text_is_revised_and_the_best_version_is_kept(api: httpx.AsyncClient) -> None:
    asked = {"text": TEXT, "criteria": ["clarity"], "min_quality_score": 0.85}
    refined = (await api.post("/execute/self-correct", json=asked)).json()
    scores = [attempt["critique"]["score"] for attempt in refined["attempts"]]
    assert refined["iterations"] == len(scores) - 1 >= 1
    assert refined["final_quality_score"] == max(scores) > scores[0]
    assert refined["text"].count("Wind gave 120 TWh") < TEXT.count("Wind gave 120 TWh")
    assert "120" in refined["text"]


async def test_a_text_that_is_good_enough_stays_as_it_is(api: httpx.AsyncClient) -> None:
    refined = (await api.post("/execute/self-correct", json={"text": TEXT, "min_quality_score": 0.1})).json()
    assert (refined["text"], refined["iterations"], refined["stopped"]) == (TEXT.strip(), 0, "threshold_met")
    assert refined["threshold_met"] is True


async def test_no_revision_is_made_beyond_the_cap(api: httpx.AsyncClient) -> None:
    asked = {"text": TEXT, "max_iterations": 0, "min_quality_score": 1}
    refined = (await api.post("/execute/self-correct", json=asked)).json()
    assert (refined["iterations"], refined["stopped"], refined["threshold_met"]) == (0, "max_iterations", False)


async def test_a_goal_alone_gets_a_draft(api: httpx.AsyncClient) -> None:
    refined = (await api.post("/execute/self-correct", json={"goal": "Write a note on tides"})).json()
    assert refined["attempts"][0]["by"] == "composer"
    assert refined["degraded"] is True


@pytest.mark.parametrize(
    "body", [{}, {"text": " "}, {"text": "a", "criteria": []}, {"text": "a", "min_quality_score": 1.1}]
)
async def test_what_cannot_be_refined_is_refused(api: httpx.AsyncClient, body: dict[str, object]) -> None:
    answer = await api.post("/execute/self-correct", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
