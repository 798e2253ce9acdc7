"""Canaries on the wire: what a team keeps here reaches no model elsewhere, in no form, by no role, in no run.

A real server stands in for the cloud and keeps every byte. Its answers are streamed, call tools and have forms.
"""

import base64
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from langchain_core.messages import AIMessage
from langgraph.checkpoint.memory import InMemorySaver

import teams
from agents.team import Quality
from evals.scripted import ScriptedServer
from graph.build import builder
from graph.context import Context
from memory.provenance import Provenance
from memory.task_record import TaskRecord
from understudy.settings import load_settings
from understudy.wiring import House

DOCUMENT, FILE, COLUMN, VALUE = "Kanarie-dökument-7f3a", "kanarie_file_22b9", "kanarie_column_90e1", "Kanarie-wert-4d12"
TOOL, GOAL, CORRECTION, NOTE = "Kanarie-tööl-51c3", "Kanarie-göal-8a66", "Kanarie-körrektur-e5d0", "Kanarie-nöte-63fb"
CANARIES = (DOCUMENT, FILE, COLUMN, VALUE, TOOL, GOAL, CORRECTION, NOTE)
PRIVATE = """
[[tools]]
name = "peek"
from = "function"
target = "tests.understudy.private_tools:peek"
effect = "read"
privacy = "personal"

[privacy]
local_models = []

[[privacy.materials]]
files = "hr/*"
privacy = "secret"
"""
ROUTE = {
    "match": "You are the supervisor",
    "content": {"route": "plan", "kind": "search", "message": "", "reason": "r"},
}
REVIEW = {"match": "You review a plan", "content": {"problems": []}}
JUDGED = {
    "match": "You judge a draft",
    "content": {"aspects": dict.fromkeys(Quality().critique_aspects, 1), "issues": []},
}
MENDED = {"match": "You mend a draft", "content": "Wind grew by a fifth in 2023 [wind.md]."}
POOR = {
    "match": "You judge a draft",
    "content": {"aspects": dict.fromkeys(Quality().critique_aspects, 0.2), "issues": ["Say more."]},
}


def planned(*steps: dict[str, Any]) -> dict[str, Any]:
    return {"match": "You plan the work", "content": {"alternatives": [{"steps": list(steps)}]}}


def work(name: str, agent: str, *needs: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "agent": agent, "task": f"Do your part: {name}.", "needs": list(needs), **more}


def says(agent: str, text: str) -> dict[str, Any]:
    return {"match": f"You are `{agent}`", "content": text}


def calls(agent: str, name: str, /, **args: Any) -> dict[str, Any]:
    return {"match": f"You are `{agent}`", "tool_calls": [{"name": name, "args": args}]}


def forms(canary: str) -> Iterator[bytes]:
    """Yield how a text may be written: plain, escaped for JSON, percent-encoded, in hex, in base64 at any place."""
    raw = canary.encode()
    yield raw
    yield json.dumps(canary)[1:-1].encode()
    yield quote(canary, safe="").encode()
    yield quote(canary).lower().encode()
    yield raw.hex().encode()
    yield raw[::-1]
    for shift in range(3):
        for coded in (base64.b64encode, base64.urlsafe_b64encode):
            # The ends depend on what stands beside the text.
            yield coded(b"x" * shift + raw)[4 if shift else 0 : -4]


class Wire:
    """A house whose models are elsewhere, and what went there."""

    def __init__(self, server: ScriptedServer, house: House, context: Context) -> None:
        self.server, self.house, self.context = server, house, context
        self.graph = builder(house.services_for).compile(checkpointer=InMemorySaver())
        self.config: Any = {"configurable": {"thread_id": "t"}, "recursion_limit": 60}

    async def say(self, text: str) -> dict[str, Any]:
        """Send a message, with every model's answer streamed, and return the state where the run stops."""
        modes: Any = ["messages", "custom", "updates"]
        given: Any = {"messages": [("user", text)]}
        async for _ in self.graph.astream(given, self.config, context=self.context, stream_mode=modes):
            pass
        return dict((await self.graph.aget_state(self.config)).values)

    async def done(self, text: str) -> dict[str, Any]:
        """Send a message, agree to whatever is asked, and return the state at the end, which must be a good one."""
        state = await self.say(text)
        while state.get("gate"):
            state = await self.say("yes")
        assert state["outcome"]["status"] == "done", state["outcome"]
        return state

    def leaked(self) -> list[str]:
        """Return the canaries of which something went out."""
        received = self.server.received()
        return [canary for canary in CANARIES if any(form in received for form in forms(canary))]


@asynccontextmanager
async def wired(tmp_path: Path, *script: dict[str, Any], private: str = PRIVATE, **more: Any) -> AsyncIterator[Wire]:
    shipped = (Path(next(iter(teams.__path__))) / "documents.toml").read_text()
    listed = '"take_note", "read_notes", "peek"'
    (tmp_path / "team.toml").write_text(shipped.replace('"take_note", "read_notes"', listed) + private)
    data = tmp_path / "data"
    (data / "hr").mkdir(parents=True)
    (data / "wind.md").write_text("# Wind\n\nWind power grew by a fifth in 2023, zebra.\n")
    (data / "years.csv").write_text("year,twh\n2022,100\n2023,120\n")
    (data / "hr" / "salaries.md").write_text(f"# Salaries\n\nThe salaries grew, zebra: {DOCUMENT} earns most.\n")
    (data / "hr" / f"{FILE}.csv").write_text(f"name,{COLUMN}\n{VALUE},1\n")
    (data / "link.md").symlink_to(data / "hr" / "salaries.md")
    with ScriptedServer(list(script)) as server:
        settings = load_settings(
            home=tmp_path / "home", model="openai:cloud", openai_base_url=server.base_url, openai_api_key="none",
            data=data, team=str(tmp_path / "team.toml"), **more,
        )  # fmt: skip
        async with House(settings) as house:
            yield Wire(server, house, Context(team=settings.team, data=str(data)))


LOOKING = [
    calls("search", "list_materials"),
    calls("search", "search_documents", query="zebra salaries earns", limit=20),
    calls("search", "read_document", name="salaries"),
    calls("search", "peek", question="zebra"),
    says("search", "Wind grew by a fifth [wind.md]."),
    calls("analyse", "describe_table", name="kanarie"),
    calls("analyse", "query_tables", sql="SELECT * FROM nowhere"),
    calls("analyse", "query_tables", sql="SELECT nothing FROM years"),
    says("analyse", "120 TWh in 2023 [years]."),
]


async def test_a_remote_specialist_finds_nothing_that_stays_here(tmp_path: Path) -> None:
    steps = [work("find", "search"), work("count", "analyse", "find"), work("write", "summarise", "find", "count")]
    script = [ROUTE, planned(*steps), REVIEW, *LOOKING, says("summarise", "Wind grew."), POOR, MENDED, JUDGED]
    async with wired(tmp_path, *script) as wire:
        await wire.done("How did wind power do?")
        assert wire.leaked() == []
        received = wire.server.received()
        assert b"wind.md" in received and b"years" in received
        assert b"salaries.md" not in received and b"link.md" not in received


async def test_a_private_step_is_done_here_and_its_answer_does_not_leave_with_the_next_message(tmp_path: Path) -> None:
    """The goal names the document, so the plan is about it; the answer then stands in the conversation."""
    later = [ROUTE, planned(work("find", "search"), work("write", "summarise", "find")), REVIEW]
    script = [
        ROUTE, planned(work("find", "search"), work("write", "summarise", "find")),
        *later, says("search", "By a fifth."), says("summarise", "Wind grew by a fifth."), JUDGED,
    ]  # fmt: skip
    async with wired(tmp_path, *script) as wire:
        state = await wire.done("What does the salaries document say about who earns most?")
        assert DOCUMENT in state["outcome"]["answer"]
        (answer,) = [message for message in state["messages"] if isinstance(message, AIMessage)]
        assert answer.additional_kwargs == {"privacy": "secret"}
        assert {step["privacy"] for step in state["plan"]["steps"]} == {"secret"}
        await wire.done("And how did wind power do?")
        assert "(private; it is not shown here)" in wire.server.received().decode()
        assert wire.leaked() == []


async def test_what_a_private_tool_gives_is_private_and_so_is_all_that_is_made_of_it(tmp_path: Path) -> None:
    steps = [
        work("look", "search", tool="peek", args={"question": "who?"}, effect="read"),
        work("say", "summarise", "look"),
        work("wind", "search"),
    ]
    script = [ROUTE, planned(*steps), says("search", "By a fifth.")]
    async with wired(tmp_path, *script) as wire:
        state = await wire.done("Who is in the file, and how did wind do?")
        assert TOOL in json.dumps(state["results"], ensure_ascii=False)
        assert state["results"]["say"]["privacy"] == "personal"
        assert wire.leaked() == []


async def test_private_memories_corrections_and_notes_do_not_leave(tmp_path: Path) -> None:
    steps = [work("find", "search")]
    script = [
        ROUTE, planned(*steps),
        ROUTE, planned(*steps), REVIEW, calls("search", "read_notes"), says("search", "By a fifth."), JUDGED,
    ]  # fmt: skip
    private = PRIVATE.replace("[privacy]\n", '[privacy]\nlocal_only = ["personal", "secret"]\n')
    async with wired(tmp_path, *script, private=private) as wire:
        record = TaskRecord(
            workspace="default", team="documents", goal=f"How did the wind of {GOAL} do?", sequence=["search"],
            successes=1, last_success=True, privacy="secret", run="r0",
        )  # fmt: skip
        await wire.house.memory.remember(record)
        await wire.done("What does the salaries document say of the wind?")
        by = Provenance(writer="person", user="root")
        run = (await wire.house.lessons.episodes.recent("default"))[0].run
        await wire.house.lessons.feedback.give("default", run, by, rating=1, correction=CORRECTION)
        wire.config = {"configurable": {"thread_id": "u"}, "recursion_limit": 60}
        state = await wire.done("What does the document say of the wind?")
        assert any(CORRECTION in str(c) for c in state["briefing"]["corrections"])
        assert any(GOAL in neighbour["goal"] for neighbour in state["recall"]["neighbours"])
        assert wire.leaked() == []


async def test_a_team_can_keep_all_its_memory_here(tmp_path: Path) -> None:
    script = [ROUTE, planned(work("find", "search")), REVIEW, says("search", "By a fifth."), JUDGED]
    private = PRIVATE.replace("[privacy]\n", '[privacy]\nmemories = "personal"\n')
    async with wired(tmp_path, *script, private=private) as wire:
        record = TaskRecord(
            workspace="default", team="documents", goal=f"How did the wind of {GOAL} do?", sequence=["search"],
            successes=1, last_success=True, run="r0",
        )  # fmt: skip
        await wire.house.memory.remember(record)
        state = await wire.done("How did the wind do this year?")
        assert any(GOAL in neighbour["goal"] for neighbour in state["recall"]["neighbours"])
        assert wire.leaked() == []


async def test_without_classes_everything_may_be_told(tmp_path: Path) -> None:
    """The canaries sing where nobody forbids it, so their silence above means something."""
    steps = [work("find", "search"), work("count", "analyse", "find")]
    script = [ROUTE, planned(*steps), REVIEW, *LOOKING, JUDGED]
    private = PRIVATE.partition("[privacy]")[0] + "[privacy]\nlocal_models = []\nlocal_only = []\n"
    async with wired(tmp_path, *script, private=private) as wire:
        await wire.done("How did wind power do?")
        assert set(wire.leaked()) >= {DOCUMENT, FILE, COLUMN, TOOL}


@pytest.mark.parametrize("canary", CANARIES)
def test_every_form_of_a_canary_would_be_noticed(canary: str) -> None:
    sent = [canary, json.dumps({"x": canary}), quote(canary), canary.encode().hex()]
    sent += [base64.b64encode(f"{'a' * shift}{canary}zz".encode()).decode() for shift in range(6)]
    assert all(any(form in text.encode() for form in forms(canary)) for text in sent)
