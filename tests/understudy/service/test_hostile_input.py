import asyncio
import json
import logging
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio

from tests.understudy.service.conftest import GOAL, client_of
from tests.understudy.service.tenants import LOOK, OURS, Tenants, bearer, tenants_in

pytestmark = pytest.mark.asyncio(loop_scope="module")

APPROVE = {"decisions": [{"type": "approve"}]}
EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(2)>[a](javascript:alert(3))"
JSON = {"Content-Type": "application/json"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def tenants(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Tenants]:
    async with tenants_in(tmp_path_factory.mktemp("hostile")) as tenants:
        yield tenants


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def admin(tenants: Tenants) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(tenants.app, headers=tenants.headers("admin")) as client:
        yield client


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (r'"a\u0000b"', "NUL"),
        (r'"a\ud800b"', "surrogate"),
        (r'{"\udfff": 1}', "surrogate"),
        ("NaN", "finite"),
        ("1e999", "finite"),
        ("-Infinity", "finite"),
        ("9" * 400, "64 bits"),
        ('{"a": 1, "a": 2}', "twice"),
        ("[" * 70 + "]" * 70, "deep"),
        ("[" * 10_000 + "]" * 10_000, "deep"),
    ],
    ids=["nul", "surrogate", "key", "nan", "inf", "-inf", "huge", "twice", "deep", "deeper"],
)
async def test_values_that_not_everybody_could_hold_are_refused_wherever_they_stand(
    admin: httpx.AsyncClient, value: str, why: str
) -> None:
    for path, body in (
        ("/threads/t/runs", '{"goal": %s}'),
        ("/threads/t/resume", '{"answer": {"decisions": [%s]}}'),
        ("/signals", '{"source": "a", "name": "b", "value": %s, "certainty": 1, "expires_in": 60}'),
        ("/undo/x", '{"answers": {"a": {"type": "edit", "args": {"x": %s}}}}'),
        ("/checkpoints/look/evaluate", '{"data": {"x": %s}}'),
    ):
        answer = await admin.post(path, content=(body % value).encode(), headers=JSON)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request"), (path, answer.text)
        assert why in answer.json()["detail"]


@pytest.mark.parametrize("path", ["/threads/%00", "/trace/a%00", "/memory/tasks?text=%00", "/audit?who=a%00b"])
async def test_no_nul_comes_in_by_a_url(admin: httpx.AsyncClient, path: str) -> None:
    answer = await admin.get(path)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/threads", {"thread": "a\u202eb"}),
        ("/goals", {"name": "a\u202eb", "measure": "success_rate", "target": 1, "direction": "at_least"}),
        ("/trust", {"user": "a\nb", "tier": "cautious"}),
        ("/checkpoints", {"checkpoint": LOOK | {"name": "a\u2066b"}}),
        ("/checkpoints", {"checkpoint": LOOK | {"name": "a/../b"}}),
    ],
)
async def test_names_show_as_what_they_are(admin: httpx.AsyncClient, path: str, body: dict[str, Any]) -> None:
    answer = await admin.post(path, json=body)
    assert (answer.status_code, answer.json()["code"]) in {(422, "invalid_request"), (422, "invalid_goal")}


async def test_numbers_in_urls_are_bounded(admin: httpx.AsyncClient) -> None:
    for number in ("9" * 13, "9" * 19, "9" * 400, "-1", "nan", "1e3"):
        for path in (
            "/threads/t/events?after=",
            "/threads/t/stream?after=",
            "/memory/tasks?offset=",
            "/bottlenecks?runs=",
        ):
            answer = await admin.get(path + number)
            assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request"), path + number


async def test_ten_thousand_parameters_are_no_trouble(admin: httpx.AsyncClient) -> None:
    query = "&".join("a=1" for _ in range(10_000))
    assert (await admin.get(f"/threads?{query}")).status_code == 200
    places = "&".join("against=1:a" for _ in range(5_000))
    assert (await admin.get(f"/audit/verify?{places}")).status_code == 422


async def test_what_looks_like_sql_is_a_name(admin: httpx.AsyncClient) -> None:
    name = "x'; DROP TABLE questions; --"
    run = await admin.post(f"/threads/{name}/runs/wait", json={"goal": GOAL})
    assert run.json()["outcome"]["status"] == "done"
    assert [each["thread"] for each in (await admin.get("/threads")).json()].count(name) == 1
    assert (await admin.delete(f"/threads/{name}")).status_code == 200
    assert (await admin.get("/approvals?closed=true")).status_code == 200


async def test_what_was_said_stays_text_in_answers_and_in_markdown(admin: httpx.AsyncClient) -> None:
    await admin.post("/threads/evil/runs/wait", json={"goal": f"{GOAL} {EVIL}"})
    for path, kind in (("/threads/evil/export", "text/markdown"), ("/threads/evil/events", "application/json")):
        answer = await admin.get(path)
        assert answer.headers["content-type"].startswith(kind)
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
    exported = (await admin.get("/threads/evil/export")).text
    assert "<script" not in exported
    assert "<img" not in exported
    assert "](javascript:" not in exported


async def test_a_header_cannot_be_put_into_an_answer(admin: httpx.AsyncClient) -> None:
    answer = await admin.get("/threads/a%0d%0aX-Evil:%201")
    assert answer.status_code in (404, 422)
    assert "x-evil" not in answer.headers


async def test_a_credential_counts_whatever_proxies_and_names_a_request_claims(tenants: Tenants) -> None:
    claims = {
        "X-Forwarded-For": "127.0.0.1",
        "Forwarded": "for=127.0.0.1",
        "X-Real-IP": "127.0.0.1",
        "Host": "evil.example",
    }
    refused = [claims, claims | {"Host": "127.0.0.1"}, claims | bearer("us_wrong"), {}]
    for headers in refused:
        assert (await tenants.client.get("/threads", headers=headers)).status_code in (401, 403), headers
    assert (await tenants.client.get("/threads", headers=claims | tenants.headers("admin"))).status_code == 200


async def test_refusals_are_logged_without_what_was_sent(tenants: Tenants, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for name in ("an expired key", "a revoked key", "a wrong key"):
        headers = tenants.headers(name)
        assert (await tenants.client.get("/threads", headers=headers)).status_code == 401
        assert headers["Authorization"].rsplit("_", 1)[1] not in caplog.text
    assert caplog.text.count("was refused") == 3


async def test_a_kept_answer_is_only_for_who_may_still_ask(tenants: Tenants) -> None:
    keys = tenants.app.state.installation.identity.keys
    created = await keys.create("bo", {OURS: ["member"]}, by="ada")
    headers = bearer(created.token.get_secret_value()) | {"Idempotency-Key": "kept"}
    first, again = [await tenants.client.post("/threads", json={}, headers=headers) for _ in range(2)]
    assert (again.json(), again.headers["idempotency-replayed"]) == (first.json(), "true")
    await keys.revoke(created.key.id, by="ada")
    refused = await tenants.client.post("/threads", json={}, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (401, "unauthenticated")


async def test_a_key_of_a_request_is_not_anothers(tenants: Tenants) -> None:
    key = {"Idempotency-Key": "shared"}
    answers = [
        await tenants.client.post("/threads", json={}, headers=tenants.headers(name) | key)
        for name in ("admin", "member")
    ]
    assert answers[0].json() != answers[1].json()
    assert "idempotency-replayed" not in answers[1].headers


async def test_who_is_not_known_leaves_nothing_behind(tenants: Tenants) -> None:
    for _ in range(3):
        answer = await tenants.client.post("/threads", json={}, headers={"Idempotency-Key": "squatted"})
        assert answer.status_code == 401
    taken = await tenants.client.post(
        "/threads", json={"thread": "mine"}, headers=tenants.headers("member") | {"Idempotency-Key": "squatted"}
    )
    assert taken.json() == {"thread": "mine"}


async def test_decisions_that_come_late_stale_or_from_others_change_nothing(tenants: Tenants) -> None:
    client, owner, question = tenants.client, tenants.owner, f"/approvals/{tenants.ids['question']}"
    for headers, body, expected in (
        (tenants.headers("approver"), APPROVE, (404, "unknown_question")),
        (tenants.headers("member"), APPROVE, (403, "forbidden")),
        (owner, APPROVE | {"digest": "0" * 64}, (409, "stale_approval")),
        (owner, {"decisions": [{"type": "edit", "args": {"a": 1}}] * 2}, (422, "invalid_decision")),
        (owner, {"decisions": []}, (422, "invalid_request")),
    ):
        answer = await client.post(question, json=body, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == expected
        assert (await client.get(question, headers=owner)).json()["question"]["status"] == "open"
    assert (await client.post(question, json=APPROVE, headers=owner)).status_code == 200
    late = await client.post(question, json={"decisions": [{"type": "reject"}]}, headers=owner)
    assert (late.status_code, late.json()["code"]) == (409, "question_closed")


async def test_the_same_thing_twice_at_once_happens_once(admin: httpx.AsyncClient) -> None:
    goal = {"name": "once", "measure": "success_rate", "target": 0.9, "direction": "at_least"}
    headers = {"Idempotency-Key": "one goal"}
    answers = await asyncio.gather(*(admin.post("/goals", json=goal, headers=headers) for _ in range(8)))
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert [each["goal"]["name"] for each in (await admin.get("/goals")).json()].count("once") == 1


@pytest.mark.parametrize(
    "body", [b'{"goal":"\xff"}', b"goal=x", b"--x", b"", b"null", json.dumps([GOAL]).encode(), b'"' + b"x" * 99]
)
async def test_what_is_no_request_is_refused(admin: httpx.AsyncClient, body: bytes) -> None:
    answer = await admin.post("/threads/t/runs", content=body, headers=JSON)
    assert (answer.status_code, answer.json()["code"]) in {(422, "invalid_request"), (400, "bad_request")}
    assert (await admin.get("/threads/t")).status_code == 404
