"""A note that one specialist's model takes is read by another's, and stays for the conversation."""

from pathlib import Path
from typing import Any

from agents.team import Quality
from evals.scripted import ScriptedServer
from understudy.orchestrator import Orchestrator
from understudy.settings import load_settings

STEPS: list[dict[str, Any]] = [
    {"id": "find", "agent": "search", "task": "Find it."},
    {"id": "sum", "agent": "analyse", "task": "Add it up.", "needs": ["find"]},
]
NOTE = {"text": "Figures are in thousand MWh.", "keep": "conversation"}
SCRIPT: list[dict[str, Any]] = [
    {"match": "You are the supervisor", "content": {"route": "plan", "kind": "analysis", "message": "", "reason": "r"}},
    {"match": "You plan the work", "content": {"alternatives": [{"steps": STEPS}]}},
    {"match": "You review a plan", "content": {"problems": []}},
    {"match": "You are `search`", "tool_calls": [{"name": "take_note", "args": NOTE}]},
    {"match": "You are `search`", "content": "It is in the table."},
    {"match": "You are `analyse`", "tool_calls": [{"name": "read_notes", "args": {}}]},
    {"match": "You are `analyse`", "content": "It adds up to five thousand MWh."},
    {"match": "You judge a draft", "content": {"aspects": dict.fromkeys(Quality().critique_aspects, 1), "issues": []}},
]


async def test_a_note_reaches_the_next_specialist_as_data_and_stays_in_the_conversation(tmp_path: Path) -> None:
    with ScriptedServer(SCRIPT) as server:
        settings = load_settings(
            home=tmp_path, model="openai:scripted", openai_base_url=server.base_url, openai_api_key="none"
        )
        async with Orchestrator(settings) as understudy:
            result = await understudy.run("How much electricity was made?", thread="talk")
            assert result.outcome is not None and result.outcome.status == "done"
            entries = await understudy.state("talk")
            told = [str(r["messages"]) for r in server.requests() if "- (conversation, by find)" in str(r["messages"])]
            (last,) = [messages for messages in told if "You are `analyse`" in messages]
    assert [(e.scope, e.owner, e.name, e.value) for e in entries] == [
        ("session", "talk", "notes", [{"by": "find", "text": NOTE["text"]}])
    ]
    assert '<data name="read_notes">' in last


async def test_nobody_takes_notes_of_private_data(tmp_path: Path) -> None:
    steps = [{**STEPS[0], "privacy": "personal"}, STEPS[1]]
    script = [
        {**line, "content": {"alternatives": [{"steps": steps}]}} if line["match"] == "You plan the work" else line
        for line in SCRIPT
    ]
    with ScriptedServer(script) as server:
        settings = load_settings(
            home=tmp_path, model="openai:scripted", openai_base_url=server.base_url, openai_api_key="none"
        )
        async with Orchestrator(settings) as understudy:
            asked = await understudy.run("How much electricity was made?", thread="talk")
            assert asked.outcome is None
            await understudy.run("yes", thread="talk")
            assert await understudy.state("talk") == []
            offered = [r["tools"] for r in server.requests() if "You are `search`" in str(r["messages"])]
    names = {tool["function"]["name"] for tools in offered for tool in tools}
    assert "read_notes" in names and "take_note" not in names
