import httpx
import pytest

pytestmark = pytest.mark.asyncio(loop_scope="module")

SCOPE = {"tool": "write_file", "names": ["path", "text"], "folders": ["reports"], "free": ["text"]}
QUIET = {"id": "quiet", "kind": "time_of_day", "start": "22:00", "end": "06:00"}


async def test_a_rule_is_proposed_accepted_and_revoked(api: httpx.AsyncClient) -> None:
    proposed = await api.post("/rules", json={"name": "reports", "scope": SCOPE, "days": 30})
    assert (proposed.status_code, proposed.json()["user"]) == (201, "ada")
    assert (await api.get("/rules/reports")).json()["status"] == "proposed"
    assert (await api.post("/rules/reports/accept")).status_code == 200
    assert [rule["status"] for rule in (await api.get("/rules")).json()] == ["active"]
    revoked = await api.post("/rules/reports/revoke", json={"why": "not any more"})
    assert revoked.status_code == 200
    shown = (await api.get("/rules/reports")).json()
    assert (shown["status"], shown["why"], shown["by"]) == ("retired", "not any more", "ada")
    assert [move["move"] for move in shown["history"]] == ["proposed", "accepted", "retired"]


async def test_a_rule_is_accepted_and_revoked_once(api: httpx.AsyncClient) -> None:
    await api.post("/rules", json={"name": "once", "scope": SCOPE})
    await api.post("/rules/once/accept")
    assert (await api.post("/rules/once/accept")).status_code == 404
    await api.post("/rules/once/revoke")
    assert (await api.post("/rules/once/revoke")).status_code == 404


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"name": "Bad name", "scope": SCOPE}, "invalid_request"),
        ({"name": "long", "scope": SCOPE, "days": 100_000}, "invalid_request"),
        ({"name": "none", "scope": {}}, "invalid_request"),
        ({"name": "extra", "scope": SCOPE | {"odd": 1}}, "invalid_request"),
    ],
)
async def test_what_is_no_rule_is_refused(api: httpx.AsyncClient, body: dict[str, object], code: str) -> None:
    answer = await api.post("/rules", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, code)


async def test_an_unknown_rule_is_not_found(api: httpx.AsyncClient) -> None:
    asked = [await api.get("/rules/none"), await api.post("/rules/none/accept"), await api.post("/rules/none/revoke")]
    assert [(answer.status_code, answer.json()["code"]) for answer in asked] == [(404, "unknown_rule")] * 3


async def test_rules_of_another_workspace_are_its_own(api: httpx.AsyncClient) -> None:
    await api.post("/rules", json={"name": "mine", "scope": SCOPE})
    assert (await api.post("/rules/mine/accept?workspace=other")).status_code == 404
    assert (await api.get("/rules?workspace=other")).json() == []


async def test_a_user_is_trusted_with_more_or_less(api: httpx.AsyncClient) -> None:
    assert (await api.post("/trust", json={"user": "ada", "tier": "cautious"})).json() == {"ada": "cautious"}
    assert (await api.get("/trust")).json() == {"ada": "cautious"}
    assert (await api.get("/trust?workspace=other")).json() == {}


async def test_a_constraint_is_in_force_once_it_is_accepted(api: httpx.AsyncClient) -> None:
    proposed = await api.post("/constraints", json={"rule": QUIET})
    assert (proposed.status_code, proposed.json()["move"]) == (201, "proposed")
    before = (await api.get("/constraints")).json()
    assert (before["rules"], [each["id"] for each in before["proposals"]]) == ([], ["quiet"])
    await api.post("/constraints/quiet/accept")
    after = (await api.get("/constraints")).json()
    assert ([rule["id"] for rule in after["rules"]], after["proposals"]) == (["quiet"], [])
    assert after["hash"] != before["hash"]
    assert (await api.delete("/constraints/quiet")).json()["move"] == "retired"
    assert (await api.get("/constraints")).json()["hash"] == before["hash"]
    moves = [version["move"] for version in (await api.get("/constraints/history")).json()]
    assert moves == ["proposed", "accepted", "retired"]


@pytest.mark.parametrize("rule", [{}, {"id": "x", "kind": "odd"}, QUIET | {"start": "25:00"}, QUIET | {"id": "A B"}])
async def test_what_is_no_constraint_is_refused(api: httpx.AsyncClient, rule: dict[str, object]) -> None:
    answer = await api.post("/constraints", json={"rule": rule})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_rule")


async def test_an_unknown_constraint_is_not_found(api: httpx.AsyncClient) -> None:
    for answer in (await api.post("/constraints/none/accept"), await api.delete("/constraints/none")):
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_rule")


async def test_a_checkpoint_is_added_evaluated_and_removed(api: httpx.AsyncClient) -> None:
    many = {
        "name": "many",
        "condition": "ON_VALUE",
        "action": "BLOCK",
        "when": [{"measure": "recipients", "op": "gt", "value": 5}],
    }
    assert (await api.post("/checkpoints", json={"checkpoint": many})).json()["move"] == "added"
    listed = {each["checkpoint"]["name"]: each["origin"] for each in (await api.get("/checkpoints")).json()}
    assert listed["many"] == "workspace"
    verdicts = [
        (await api.post("/checkpoints/many/evaluate", json={"data": data})).json()["status"]
        for data in ({"recipients": 6}, {"recipients": 5}, {})
    ]
    assert verdicts == ["blocked", "auto_approved", "pending_approval"]
    assert (await api.delete("/checkpoints/many")).json()["move"] == "removed"
    assert "many" not in [each["checkpoint"]["name"] for each in (await api.get("/checkpoints")).json()]
    history = (await api.get("/checkpoints/history")).json()
    assert [version["move"] for version in history] == ["added", "removed"]
    assert history[0]["provenance"]["user"] == "ada"


async def test_a_checkpoint_that_cannot_be_meant_is_refused(api: httpx.AsyncClient) -> None:
    nobody = {"name": "c", "condition": "BEFORE_EXECUTION", "stage": "nobody"}
    answer = await api.post("/checkpoints", json={"checkpoint": nobody})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_checkpoint")
    answer = await api.post("/checkpoints", json={"checkpoint": {"name": "c", "condition": "ON_VALUE"}})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


async def test_an_unknown_checkpoint_is_not_found(api: httpx.AsyncClient) -> None:
    asked = [
        await api.delete("/checkpoints/none"),
        await api.post("/checkpoints/none/evaluate", json={"data": {}}),
    ]
    assert [(answer.status_code, answer.json()["code"]) for answer in asked] == [(404, "unknown_checkpoint")] * 2


async def test_the_team_is_shown_with_its_tools(api: httpx.AsyncClient) -> None:
    team = (await api.get("/team")).json()
    assert (team["name"], team["mode"]) == ("documents", "rules")
    tools = {tool["name"]: tool for tool in (await api.get("/tools")).json()}
    assert {name for specialist in team["specialists"] for name in specialist["tools"]} & set(tools)
    name, shown = next(iter(tools.items()))
    assert (shown["calls"], shown["mean_seconds"], shown["breaker"]) == (0, None, "closed")
    assert (await api.get(f"/tools/{name}")).json() == shown


async def test_an_unknown_tool_is_refused(api: httpx.AsyncClient) -> None:
    answer = await api.get("/tools/none")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_tool")
