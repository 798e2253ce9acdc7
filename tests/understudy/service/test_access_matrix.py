"""Who may do what where, for everything that the OpenAPI document names: a new endpoint is in here by itself."""

from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from tests.understudy.service.conftest import GOAL
from tests.understudy.service.tenants import LOOK, OURS, THEIRS, Operation, Person, Tenants, operations, tenants_in
from understudy.identity.principals import GRANTS

pytestmark = pytest.mark.asyncio(loop_scope="module")

PUBLIC = {("GET", "/health/live"), ("GET", "/health/ready")}
OF_ALL = {("GET", "/metrics")}
"""Takes the permission in all workspaces."""
NAMES = ("nobody", "a wrong key", *GRANTS, "a key that only reads", "an expired key", "a revoked key")
KNOWN = {*GRANTS, "a key that only reads"}
GUARDED = [each for each in operations() if (each.method, each.path) not in PUBLIC]
BY_ID = [
    ("POST", "/approvals/{question}", {"decisions": [{"type": "approve"}]}),
    ("POST", "/threads/{thread}/resume", {}),
    ("POST", "/threads/{thread}/resume", {"answer": "approve"}),
    ("POST", "/threads/{thread}/cancel", {}),
    ("POST", "/threads/{thread}/ask", {"question": "why?"}),
    ("PUT", "/threads/{thread}/title", {"title": "ours now"}),
    ("POST", "/undo/{run}", {}),
    ("POST", "/undo/done", {}),
    ("POST", "/feedback", {"run": "{run}", "rating": 1}),
    ("POST", "/rules/{rule}/accept", None),
    ("POST", "/rules/{rule}/revoke", {"why": "ours now"}),
    ("POST", "/constraints/quiet/accept", None),
    ("POST", "/checkpoints/{name}/evaluate", {"data": {}}),
]
"""What names something by its id, with bodies that fit; GET and DELETE are in the document's own list."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def tenants(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Tenants]:
    async with tenants_in(tmp_path_factory.mktemp("tenants")) as tenants:
        yield tenants


async def test_everything_in_the_document_asks_for_a_permission_but_whether_it_lives(tenants: Tenants) -> None:
    document = tenants.app.openapi()["paths"]
    named = {(method.upper(), path) for path, methods in document.items() for method in methods}
    offered = {(each.method, each.path): each.permission for each in operations()}
    assert named == set(offered)
    assert {place for place, permission in offered.items() if permission is None} == PUBLIC


@pytest.mark.parametrize("name", NAMES)
async def test_who_may_is_let_through_and_who_may_not_is_told_so_in_one_way(tenants: Tenants, name: str) -> None:
    person = _person(tenants, name)
    for operation in GUARDED:
        answer = await _asked(tenants, operation, person, OURS)
        told = (operation.method, operation.path, answer.status_code, answer.text)
        if name not in KNOWN:
            assert _refusal(answer) == (401, "unauthenticated"), told
            assert answer.headers["www-authenticate"] == "Bearer"
        elif operation.permission in person.permits and (operation.method, operation.path) not in OF_ALL:
            assert answer.status_code not in (401, 403, 500), told
        else:
            assert _refusal(answer) == (403, "forbidden"), told


@pytest.mark.parametrize("name", NAMES)
async def test_nobody_does_anything_in_a_foreign_workspace(tenants: Tenants, name: str) -> None:
    person, before = _person(tenants, name), await tenants.theirs()
    for operation in GUARDED:
        answer = await _asked(tenants, operation, person, THEIRS)
        expected = (403, "forbidden") if name in KNOWN else (401, "unauthenticated")
        assert _refusal(answer) == expected, (operation, answer.text)
    assert await tenants.theirs() == before


async def test_a_foreign_workspace_and_one_that_is_not_there_sound_alike(tenants: Tenants) -> None:
    headers = tenants.headers("admin")
    answers = [await tenants.client.get(f"/threads?workspace={name}", headers=headers) for name in (THEIRS, "nowhere")]
    there, nowhere = (answer.json() for answer in answers)
    assert there["detail"].replace(THEIRS, "nowhere") == nowhere["detail"]


async def test_ids_of_a_foreign_workspace_name_nothing_in_ones_own(tenants: Tenants) -> None:
    before, headers = await tenants.theirs(), tenants.headers("admin")
    bare = [each for each in GUARDED if each.method in ("GET", "DELETE")]
    by_id = [(each.method, each.path, None) for each in bare if "{" in each.path]
    for method, path, body in [*by_id, *BY_ID]:
        url = Operation(method, path, None).url(
            tenants.ids | {"name": "write_file"} if "/tools" in path else tenants.ids
        )
        json = {"run": tenants.ids["run"], "rating": 1} if path == "/feedback" else body
        answer = await tenants.client.request(method, url, json=json, headers=headers)
        if not path.startswith("/tools"):
            assert answer.status_code == 404, (method, url, answer.text)
    assert await tenants.theirs() == before


async def test_who_may_run_but_not_approve_carries_on_and_does_not_answer(tenants: Tenants) -> None:
    url = "/threads/waits/resume"
    answer = await tenants.client.post(url, json={"answer": "approve"}, headers=tenants.headers("member"))
    assert _refusal(answer) == (403, "forbidden")
    answer = await tenants.client.post(url, json={}, headers=tenants.headers("member"))
    assert _refusal(answer) == (404, "unknown_thread")


@pytest.mark.parametrize("said", ["yes", "No, because it is wrong.", "it happened", "it did not", "always"])
async def test_who_may_run_but_not_approve_decides_in_no_words(tenants: Tenants, said: str) -> None:
    client, member, admin = tenants.client, tenants.headers("member"), tenants.headers("admin")
    thread = f"asks-{len(said)}"
    await client.post("/checkpoints", json={"checkpoint": LOOK}, headers=admin)
    waits = await client.post(f"/threads/{thread}/runs/wait", json={"goal": GOAL}, headers=member)
    assert waits.json()["pending"]
    for path, body in (
        (f"/threads/{thread}/runs", {"goal": said, "strategy": "enqueue"}),
        (f"/threads/{thread}/runs/stream", {"goal": said}),
        ("/chat/stream", {"message": said, "thread": thread}),
    ):
        assert _refusal(await client.post(path, json=body, headers=member)) == (403, "forbidden")
    shown = await client.get(f"/approvals/{thread}", headers=member)
    assert shown.json()["question"]["status"] == "open"


async def test_who_may_approve_decides_in_words(tenants: Tenants) -> None:
    client, admin = tenants.client, tenants.headers("admin")
    await client.post("/checkpoints", json={"checkpoint": LOOK}, headers=admin)
    await client.post("/threads/said/runs/wait", json={"goal": GOAL}, headers=admin)
    done = await client.post("/threads/said/runs/wait", json={"goal": "yes"}, headers=admin)
    assert done.json()["outcome"]["status"] == "done"


async def test_a_workspace_that_is_named_twice_is_the_one_that_is_checked(tenants: Tenants) -> None:
    for query in (f"workspace={OURS}&workspace={THEIRS}", f"workspace={THEIRS}&workspace={OURS}"):
        answer = await tenants.client.get(f"/rules?{query}", headers=tenants.headers("admin"))
        assert answer.status_code == 403 or answer.json() == []


def _person(tenants: Tenants, name: str) -> Person:
    return next(person for person in tenants.people if person.name == name)


async def _asked(tenants: Tenants, operation: Operation, person: Person, workspace: str) -> httpx.Response:
    """Ask for something with a body that fits nothing, so that who is let through changes nothing."""
    headers = {} if person.token is None else {"Authorization": f"Bearer {person.token}"}
    body = {"content": b'{"none of it": 0}', "headers": {"Content-Type": "application/json", **headers}}
    given = body if operation.method == "POST" else {"headers": headers}
    url = operation.url(tenants.ids)
    return await tenants.client.request(operation.method, url, params={"workspace": workspace}, **given)


def _refusal(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    problem = answer.json()
    assert problem["status"] == answer.status_code
    return answer.status_code, problem["code"]
