import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from tests.understudy.service.conftest import GOAL
from tests.understudy.service.sse import all_events

pytestmark = pytest.mark.asyncio(loop_scope="module")

LOOK = {"name": "look", "condition": "BEFORE_EXECUTION"}
APPROVE = {"decisions": [{"type": "approve"}]}


@pytest_asyncio.fixture(scope="module", loop_scope="module", autouse=True)
async def checkpoint(api: httpx.AsyncClient) -> AsyncIterator[None]:
    """Every plan waits for a person."""
    assert (await api.post("/checkpoints", json={"checkpoint": LOOK})).status_code == 201
    yield


async def _asked(api: httpx.AsyncClient, thread: str) -> dict[str, object]:
    """Return the question that a new run waits for."""
    result = (await api.post(f"/threads/{thread}/runs/wait", json={"goal": GOAL})).json()
    assert result["pending"], result
    question = dict((await api.get(f"/approvals/{thread}")).json()["question"])
    assert question["thread"] == thread
    return question


async def _finished(api: httpx.AsyncClient, question: dict[str, object]) -> None:
    """Wait until the run that a question was for has come to its end."""
    events = (await api.get(f"/threads/{question['thread']}/events")).json()["events"]
    asked = max(event["seq"] for event in events if event["type"] == "approval_requested")
    url = f"/threads/{question['thread']}/stream?run={question['run']}&after={asked}"
    assert (await all_events(api, "GET", url))[-1].type == "run_finished"


async def test_an_open_question_is_listed_and_shown_with_who_may_answer(api: httpx.AsyncClient) -> None:
    question = await _asked(api, "shown")
    assert question["id"] in [each["id"] for each in (await api.get("/approvals")).json()]
    shown = (await api.get(f"/approvals/{question['id']}")).json()
    assert shown["question"] == question
    assert shown["answerers"] == {"plan": []}


async def test_a_decision_is_the_callers_and_the_run_goes_on_by_itself(api: httpx.AsyncClient) -> None:
    question = await _asked(api, "goes-on")
    answered = await api.post(f"/approvals/{question['id']}", json=APPROVE | {"digest": question["digest"]})
    assert answered.status_code == 200
    assert (answered.json()["question"]["status"], answered.json()["question"]["closed_by"]) == ("decided", "ada")
    await _finished(api, question)
    assert question["id"] in [each["id"] for each in (await api.get("/approvals?closed=true")).json()]


async def test_nobody_decides_in_the_name_of_another(api: httpx.AsyncClient) -> None:
    question = await _asked(api, "forged")
    answer = await api.post(f"/approvals/{question['id']}", json={"decisions": [{"type": "approve", "by": "boss"}]})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert (await api.get(f"/approvals/{question['id']}")).json()["question"]["status"] == "open"


async def test_a_second_decision_is_told_who_decided_and_when(api: httpx.AsyncClient) -> None:
    question = await _asked(api, "twice")
    await api.post(f"/approvals/{question['id']}", json=APPROVE)
    late = await api.post(f"/approvals/{question['id']}", json={"decisions": [{"type": "reject", "message": "no"}]})
    assert (late.status_code, late.json()["code"]) == (409, "question_closed")
    assert "by ada" in late.json()["detail"]


async def test_of_many_who_decide_at_once_one_wins(api: httpx.AsyncClient) -> None:
    question = await _asked(api, "race")
    decisions = [{"type": "approve"}, {"type": "reject", "message": "no"}] * 3
    answers = await asyncio.gather(
        *(api.post(f"/approvals/{question['id']}", json={"decisions": [each]}) for each in decisions)
    )
    won = {answer.json()["question"]["decisions"][0]["type"] for answer in answers if answer.status_code == 200}
    assert len(won) == 1
    assert sum(answer.status_code == 409 for answer in answers) == 3


async def test_an_answer_to_something_else_than_was_shown_is_refused(api: httpx.AsyncClient) -> None:
    question = await _asked(api, "stale")
    stale = await api.post(f"/approvals/{question['id']}", json=APPROVE | {"digest": "0" * 64})
    assert (stale.status_code, stale.json()["code"]) == (409, "stale_approval")
    assert (await api.get(f"/approvals/{question['id']}")).json()["question"]["status"] == "open"


async def test_an_answer_that_does_not_fit_leaves_the_question_open(api: httpx.AsyncClient) -> None:
    question = await _asked(api, "misfit")
    misfit = await api.post(f"/approvals/{question['id']}", json={"decisions": [{"type": "edit"}]})
    assert (misfit.status_code, misfit.json()["code"]) == (422, "invalid_decision")
    assert (await api.get(f"/approvals/{question['id']}")).json()["question"]["status"] == "open"


async def test_who_is_not_asked_may_not_decide(api: httpx.AsyncClient) -> None:
    others = LOOK | {"name": "others", "approvers": ["grace"]}
    await api.post("/checkpoints", json={"checkpoint": others})
    try:
        question = await _asked(api, "others")
        shown = (await api.get(f"/approvals/{question['id']}")).json()
        assert shown["answerers"] == {"plan": ["grace"]}
        refused = await api.post(f"/approvals/{question['id']}", json=APPROVE)
        assert (refused.status_code, refused.json()["code"]) == (403, "not_an_approver")
    finally:
        await api.delete("/checkpoints/others")


async def test_one_request_of_a_question_is_decided_by_its_id(api: httpx.AsyncClient) -> None:
    question = await _asked(api, "single")
    body = {"request": "plan", "decisions": [{"type": "reject", "message": "not now"}]}
    answered = (await api.post(f"/approvals/{question['id']}", json=body)).json()
    assert answered["question"]["decisions"][0]["message"] == "not now"
    both = body | {"decisions": [{"type": "approve"}, {"type": "approve"}]}
    assert (await api.post(f"/approvals/{question['id']}", json=both)).status_code == 422


async def test_an_unknown_question_is_not_found(api: httpx.AsyncClient) -> None:
    for answer in (await api.get("/approvals/none"), await api.post("/approvals/none", json=APPROVE)):
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_question")


async def test_a_question_of_another_workspace_is_not_found(api: httpx.AsyncClient) -> None:
    question = await _asked(api, "here")
    elsewhere = await api.post(f"/approvals/{question['id']}?workspace=elsewhere", json=APPROVE)
    assert (elsewhere.status_code, elsewhere.json()["code"]) == (404, "unknown_question")
    assert (await api.get(f"/approvals/{question['id']}")).json()["question"]["status"] == "open"


@pytest.mark.parametrize("limit", ["0", "501", "many"])
async def test_the_length_of_a_list_is_bounded(api: httpx.AsyncClient, limit: str) -> None:
    assert (await api.get(f"/approvals?limit={limit}")).status_code == 422
