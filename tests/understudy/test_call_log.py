"""What models and declared tools were asked and answered in a run is kept, and goes with it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from agents.exchanges.calls import RecordedCall, RecordedTool
from agents.exchanges.keeping import Exchange
from agents.exchanges.logged import exchanges_of
from agents.team import Quality
from evals.scripted import ScriptedServer
from understudy.orchestrator import Orchestrator
from understudy.pruning import Retention
from understudy.settings import Settings, load_settings

SECRET = "planted-secret-77d1"
TEAM = """
name = "desk"
description = "Answers questions."

[[tools]]
name = "look"
from = "function"
target = "tests.understudy.logged_tools:look"
effect = "read"

[[tools]]
name = "break_down"
from = "function"
target = "tests.understudy.logged_tools:break_down"
effect = "read"

[[specialists]]
name = "finder"
description = "Finds things."
tools = ["look", "break_down", "calculate"]
capabilities = ["reading"]

[[specialists]]
name = "writer"
description = "Writes."
capabilities = ["creation"]
"""
STEPS: list[dict[str, Any]] = [
    {"id": "table", "agent": "finder", "task": "Look.", "tool": "look", "args": {"question": "table"}},
    {"id": "lamp", "agent": "finder", "task": "Find the lamp."},
    {"id": "tell", "agent": "writer", "task": "Tell.", "needs": ["table", "lamp"]},
]
CALLS = [
    {"name": "look", "args": {"question": "lamp"}},
    {"name": "break_down", "args": {}},
    {"name": "calculate", "args": {"expression": "1 + 1"}},
]
SCRIPT: list[dict[str, Any]] = [
    {"match": "You are the supervisor", "content": {"route": "plan", "kind": "search", "message": "", "reason": "r"}},
    {"match": "You plan the work", "content": {"alternatives": "none"}},
    {"match": "You plan the work", "content": {"alternatives": [{"steps": STEPS}]}},
    {"match": "You review a plan", "content": {"problems": []}},
    {"match": "You are `finder`", "tool_calls": CALLS},
    {"match": "You are `finder`", "content": "The lamp is there."},
    {"match": "You are `writer`", "content": f"Table and lamp are there; the token is {SECRET}."},
    {"match": "You judge a draft", "content": {"aspects": dict.fromkeys(Quality().critique_aspects, 1), "issues": []}},
]
GOAL = f"Where are the table and the lamp? My token is {SECRET}."


def at(folder: Path, server: ScriptedServer, **more: Any) -> Settings:
    team = folder / "desk.toml"
    team.write_text(TEAM)
    return load_settings(
        home=folder / "home", team=str(team), workspace="w", model="openai:scripted",
        openai_base_url=server.base_url, openai_api_key=SECRET, **more,
    )  # fmt: skip


@asynccontextmanager
async def ran(folder: Path, **more: Any) -> AsyncIterator[tuple[Orchestrator, ScriptedServer]]:
    """Open an orchestrator that has done the script's task in thread `t`."""
    with ScriptedServer(SCRIPT) as server:
        async with Orchestrator(at(folder, server, **more)) as orchestrator:
            result = await orchestrator.run(GOAL, thread="t")
            assert result.outcome is not None and result.outcome.status == "done", result
            yield orchestrator, server


async def log(orchestrator: Orchestrator, thread: str, workspace: str = "w") -> list[Exchange]:
    return [each.exchange for each in await exchanges_of(orchestrator._house.calls, workspace, thread)]


async def test_a_run_is_kept_whole_without_secrets_until_its_conversation_is_pruned(tmp_path: Path) -> None:
    async with ran(tmp_path) as (orchestrator, server):
        entries = await exchanges_of(orchestrator._house.calls, "w", "t")
        assert {entry.run for entry in entries} == {(await orchestrator.events("t"))[0].run}
        assert [entry.time for entry in entries] == sorted(entry.time for entry in entries)
        check_calls([entry.exchange for entry in entries], server.requests())
        check_tools([entry.exchange for entry in entries])
        assert SECRET not in str(entries) and "[secret]" in str(entries)
        assert await log(orchestrator, "t", "other") == []
        await orchestrator.prune(Retention(checkpoints=1, days=0))
        assert await log(orchestrator, "t") == []
        assert b"calls:w:" not in b"".join(f.read_bytes() for f in (tmp_path / "home").rglob("*") if f.is_file())


def check_calls(exchanges: list[Exchange], requests: list[dict[str, Any]]) -> None:
    calls = [each for each in exchanges if isinstance(each, RecordedCall)]
    assert [(call.role, call.step) for call in calls] == [
        ("supervisor", ""), ("planner", ""), ("planner", ""), ("plan_critic", ""),
        ("specialist", "lamp"), ("specialist", "lamp"), ("specialist", "tell"), ("critic", ""),
    ]  # fmt: skip
    assert all(call.prompt.startswith(f"{call.role}@") for call in calls)
    assert all(call.answered and call.answered.finish and call.answered.output_tokens for call in calls)
    for call, request in zip(calls, requests, strict=True):
        assert call.asked.model == "openai:scripted"
        assert [len(message.lines) for message in call.asked.messages] == [
            (message["content"] or "").count("\n") + 1 for message in request["messages"]
        ]
        assert call.asked.tools == request.get("tools", [])
        assert call.asked.form == request.get("response_format")
    looped = calls[4].answered
    assert looped is not None and [each["name"] for each in looped.calls] == ["look", "break_down", "calculate"]


def check_tools(exchanges: list[Exchange]) -> None:
    """Built-in tools are not kept, they can be asked again; parallel calls end in any order."""
    tools = sorted((e for e in exchanges if isinstance(e, RecordedTool)), key=lambda e: (e.tool, e.step))
    assert [(each.tool, each.step, each.args, each.failure) for each in tools] == [
        ("break_down", "lamp", {}, "tool_crashed"),
        ("look", "lamp", {"question": "lamp"}, ""),
        ("look", "table", {"question": "table"}, ""),
    ]
    assert "the shelf is empty" in tools[0].reason
    assert tools[2].data == {"items": [{"name": "table", "token": "[secret]"}]}


async def test_nothing_is_kept_where_it_is_switched_off(tmp_path: Path) -> None:
    async with ran(tmp_path, keep_calls=False) as (orchestrator, _):
        assert await log(orchestrator, "t") == []
