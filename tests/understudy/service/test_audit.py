import json

import httpx
import pytest
import pytest_asyncio

from domain.audit_chain import checked_export

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module", autouse=True)
async def noted(api: httpx.AsyncClient) -> None:
    """Something is in the audit."""
    for number in range(3):
        rule = {"id": f"quiet-{number}", "kind": "forbidden_tool", "tools": ["x"]}
        await api.post("/constraints", json={"rule": rule})
    await api.post("/trust", json={"user": "ada", "tier": "cautious"})


async def test_entries_come_the_newest_first_and_as_they_are_wanted(api: httpx.AsyncClient) -> None:
    entries = (await api.get("/audit?kind=constraint&limit=2")).json()
    assert [each["entry"]["data"]["rule"] for each in entries] == ["quiet-2", "quiet-1"]
    assert {each["entry"]["who"] for each in entries} == {"ada"}
    assert (await api.get("/audit?who=nobody")).json() == []
    assert [each["entry"]["kind"] for each in (await api.get("/audit?kind=trust")).json()] == ["trust"]


@pytest.mark.parametrize("query", ["kind=odd", "limit=501", "since=-1", "since=nan"])
async def test_what_cannot_be_wanted_is_refused(api: httpx.AsyncClient, query: str) -> None:
    assert (await api.get(f"/audit?{query}")).status_code == 422


async def test_the_chain_is_sound_and_holds_against_an_anchor(api: httpx.AsyncClient) -> None:
    head = (await api.get("/audit/head")).json()
    checked = (await api.get("/audit/verify", params={"against": f"{head['seq']}:{head['hash']}"})).json()
    assert (checked["sound"], checked["entries"], checked["head"]) == (True, head["seq"], head)


async def test_an_anchor_of_another_audit_is_told(api: httpx.AsyncClient) -> None:
    checked = (await api.get("/audit/verify", params={"against": f"1:{'0' * 64}"})).json()
    assert checked["sound"] is False
    assert "written anew" in checked["problems"][0]


async def test_what_is_no_anchor_is_refused(api: httpx.AsyncClient) -> None:
    assert (await api.get("/audit/verify?against=1:xyz")).status_code == 422


async def test_an_export_can_be_checked_anywhere_and_is_its_own_last_entry(api: httpx.AsyncClient) -> None:
    answer = await api.post("/audit/export")
    assert answer.headers["content-type"].startswith("application/x-ndjson")
    lines = answer.text.splitlines()
    workspace, found = checked_export(lines)
    assert (workspace, found.sound) == ("default", True)
    assert json.loads(lines[-1])["kind"] == "export"


async def test_the_audit_of_another_workspace_is_its_own(api: httpx.AsyncClient) -> None:
    assert (await api.get("/audit?workspace=other")).json() == []
    assert (await api.get("/audit/verify?workspace=other")).json()["entries"] == 0
