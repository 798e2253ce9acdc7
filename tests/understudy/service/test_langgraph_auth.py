"""Who comes in to a LangGraph server as the one person on this machine, and what is refused before any key is there."""

from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
import pytest_asyncio
from langgraph_sdk import Auth
from starlette.exceptions import HTTPException

from domain.errors import InvalidSettings, StorageAway
from understudy.installed import Installed
from understudy.service import langgraph_app
from understudy.service.langgraph_auth import auth, authenticate, authorize
from understudy.service.langgraph_settings import StudioSettings
from understudy.settings import load_settings

pytestmark = pytest.mark.asyncio(loop_scope="module")

HERE = "127.0.0.1:2024"
STUDIO = "https://smith.langchain.com"


@pytest_asyncio.fixture(scope="module", loop_scope="module", autouse=True)
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[None]:
    """What a LangGraph server has open."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("UNDERSTUDY_HOME", str(tmp_path_factory.mktemp("langgraph")))
        patch.setenv("UNDERSTUDY_USER", "ada")
        patch.delenv("OPENAI_API_KEY", raising=False)
        async with langgraph_app.app.router.lifespan_context(langgraph_app.app):
            yield


async def came_in(address: str = "127.0.0.1", **headers: str) -> dict[str, Any]:
    """Return whom a request shows; underscores in names of headers are hyphens."""
    given = {"host": HERE, **{name.replace("_", "-"): value for name, value in headers.items()}}
    encoded = {name.encode(): value.encode() for name, value in given.items()}
    return await authenticate(headers=encoded, scope={"client": (address, 50_000)})


async def refusal(address: str = "127.0.0.1", **headers: str) -> HTTPException:
    with pytest.raises(HTTPException) as raised:
        await came_in(address, **headers)
    return raised.value


async def may(user: dict[str, Any], resource: str, action: str, value: dict[str, Any] | None = None) -> Any:
    ctx: Any = SimpleNamespace(user=SimpleNamespace(**user), resource=resource, action=action, permissions=[])
    return await authorize(ctx=ctx, value={} if value is None else value)


@pytest.mark.parametrize("headers", [{}, {"origin": f"http://{HERE}"}, {"origin": STUDIO}, {"x_api_key": "lsv2_pt_x"}])
async def test_the_person_on_this_machine_and_studio_for_them_need_no_credential(headers: dict[str, str]) -> None:
    user = await came_in(**headers)
    assert (user["identity"], user["workspace"], user["is_free"], user["approves"]) == ("ada", "default", True, True)


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "http://localhost:3000"},
        {"origin": "null"},
        {"host": "evil.example"},
        {"host": "tunnel.trycloudflare.com", "origin": STUDIO},
        {"x_forwarded_for": "127.0.0.1", "origin": STUDIO},
        {"x_api_key": "us_000000000000_nothing"},
        {"authorization": "Basic YWRhOmFkYQ=="},
        {"authorization": "Bearer \x7f"},
    ],
)
async def test_whoever_else_comes_in_over_this_machine_is_nobody(headers: dict[str, str]) -> None:
    error = await refusal(**headers)
    assert (error.status_code, dict(error.headers or {})) == (401, {"WWW-Authenticate": "Bearer"})


async def test_another_machine_needs_a_credential() -> None:
    assert (await refusal("10.0.0.7", x_auth_scheme="langsmith")).status_code == 401


async def test_the_person_names_a_workspace_and_a_name_that_is_none_is_refused() -> None:
    assert (await came_in(x_understudy_workspace="acme"))["workspace"] == "acme"
    assert (await refusal(x_understudy_workspace="../etc")).status_code == 422


async def test_what_is_made_says_whose_it_is_and_the_person_finds_all() -> None:
    user, value = await came_in(), {"metadata": {"workspace": "other"}}
    assert await may(user, "threads", "create", value) is None
    assert value["metadata"] == {"workspace": "default", "owner": "ada"}
    assert await may(user, "threads", "search") is None


async def test_what_nobody_thought_of_is_refused() -> None:
    user = await came_in()
    for resource, action in (("crons", "create"), ("crons", "search"), ("threads", "publish"), ("secrets", "read")):
        with pytest.raises(Auth.exceptions.HTTPException) as raised:
            await may(user, resource, action)
        assert raised.value.status_code == 403


async def test_what_is_kept_with_runs_says_nothing_of_other_workspaces() -> None:
    assert '"*"' not in (await came_in())["principal"]


async def test_a_namespace_of_the_store_cannot_leave_the_workspace() -> None:
    user = await came_in(x_understudy_workspace="acme")
    for given in ((), ("notes",), ("acme", "notes"), ("default", "notes")):
        value: dict[str, Any] = {"namespace": given}
        await may(user, "store", "get", value)
        assert value["namespace"][0] == "acme"


async def test_the_service_answers_below_its_prefix_and_its_guards_see_the_whole_path() -> None:
    transport = httpx.ASGITransport(langgraph_app.app, client=("127.0.0.1", 50_000))
    async with httpx.AsyncClient(transport=transport, base_url=f"http://{HERE}") as http:
        assert (await http.get("/understudy/health/live")).status_code == 200
        assert (await http.get("/understudy/nothing")).json()["instance"] == "/nothing"
        assert (await http.get("/console")).headers["location"] == "/console/"
        for path in ("/console/inbox", "/understudy/console/inbox", "/understudy/threads"):
            refused = await http.get(path, headers={"Origin": "https://evil.example"})
            assert refused.status_code == 403, path
            assert (await http.get(path)).status_code == 200


async def test_before_it_is_open_and_after_it_is_closed_nothing_is_answered() -> None:
    closed = langgraph_app.Served(Installed())
    with pytest.raises(StorageAway):
        _ = closed.installation


async def test_only_origins_can_be_named_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    assert StudioSettings(origins=("http://localhost:3000",)).origins == ("http://localhost:3000",)
    for wrong in ('["*"]', '["http://example.org"]', '["https://example.org/"]', '["https://a@b"]', "[7]"):
        monkeypatch.setenv("UNDERSTUDY_STUDIO__ORIGINS", wrong)
        with pytest.raises(InvalidSettings):
            load_settings()


async def test_the_server_finds_one_handler_for_everything() -> None:
    assert auth._authenticate_handler is authenticate
    assert auth._global_handlers == [authorize]
