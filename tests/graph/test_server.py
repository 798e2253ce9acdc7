"""The same graph in the LangGraph server that `make studio` starts, driven as other people's clients do."""

import asyncio
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, closing
from pathlib import Path
from typing import Any, get_args

import httpx
import pytest
from langgraph_sdk import get_client
from langgraph_sdk.client import LangGraphClient
from langgraph_sdk.errors import APIStatusError
from langgraph_sdk.schema import StreamMode

from graph.build import NODES, graph
from tests.understudy.clients import agent_chat_ui, agent_inbox
from understudy.identity.access import open_identity
from understudy.settings import load_settings
from understudy.wiring import House

ROOT = Path(__file__).parents[2]
GOAL = "How did Iowa's electricity mix change between 2001 and 2017, and what explains it? Write a brief."
APPROVE = {"decisions": [{"type": "approve"}]}
MODES: list[StreamMode] = [mode for mode in get_args(StreamMode) if mode not in ("tools", "lifecycle")]
"""All that a run is streamed in; the other two belong to another protocol."""
PEOPLE = {
    "ann": {"alpha": ["admin"]},
    "bob": {"alpha": ["member"]},
    "eve": {"beta": ["admin"]},
    "dan": {"alpha": ["member"], "beta": ["member"]},
}


class People:
    """Clients of the server, each with the key of somebody."""

    def __init__(self, address: str, keys: dict[str, str], stack: AsyncExitStack) -> None:
        self.address, self.keys, self._stack = address, keys, stack

    async def client(self, name: str, **headers: str) -> LangGraphClient:
        sent = {"Authorization": f"Bearer {self.keys[name]}", **headers}
        return await self._stack.enter_async_context(
            get_client(url=self.address, headers=sent, api_key=None, timeout=30)
        )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("server")


@pytest.fixture(scope="module")
def keys(folder: Path) -> dict[str, str]:
    async def created() -> dict[str, str]:
        settings = load_settings(home=folder / "home")
        async with (
            House(settings) as house,
            open_identity(settings, house.database, house.clock, audit=house.audit) as identity,
        ):
            made = {name: await identity.keys.create(name, where, by="test") for name, where in PEOPLE.items()}
        return {name: key.token.get_secret_value() for name, key in made.items()}

    return asyncio.run(created())


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def address(folder: Path, keys: dict[str, str]) -> Iterator[str]:
    port = free_port()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("UNDERSTUDY_", "OPENAI_"))},
        "UNDERSTUDY_HOME": str(folder / "home"),
        "UNDERSTUDY_DATA": str(ROOT / "examples" / "energy"),
        "UNDERSTUDY_OUT": str(folder / "out"),
        "UNDERSTUDY_IDENTITY__KEY_RATE": "10000/minute",
        "LANGGRAPH_STRICT_MSGPACK": "true",
        "LANGGRAPH_CLI_NO_ANALYTICS": "1",
        "LANGSMITH_TRACING": "false",
    }
    command = [str(Path(sys.executable).with_name("langgraph")), "dev", "--no-browser", "--no-reload"]
    command += ["--port", str(port), "--config", str(ROOT / "langgraph.json")]
    started, lines = threading.Event(), list[str]()
    with subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as server:
        reading = threading.Thread(target=read, args=(server, lines, started))
        reading.start()
        try:
            started.wait(100)
            if server.poll() is not None or not started.is_set():
                pytest.fail("the server did not start:\n" + "".join(lines))
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            reading.join()
            (folder / "log").write_text("".join(lines))


def read(server: "subprocess.Popen[str]", lines: list[str], started: threading.Event) -> None:
    """Keep what a server says, all the time: one that nobody listens to stands still."""
    assert server.stdout is not None
    for line in server.stdout:
        lines.append(line)
        if re.search(r"Application started up|Server started|startup complete", line):
            started.set()
    started.set()


@pytest.fixture
async def people(address: str, keys: dict[str, str]) -> AsyncIterator[People]:
    async with AsyncExitStack() as stack:
        yield People(address, keys, stack)


@pytest.fixture
async def client(people: People) -> LangGraphClient:
    return await people.client("ann")


def said(text: str) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": text}]}


async def streamed(client: LangGraphClient, thread: str, **given: Any) -> list[Any]:
    given = {"stream_mode": ["custom", "updates", "values"], "durability": "sync", **given}
    return [part async for part in client.runs.stream(thread, "understudy", **given)]


async def asked(client: LangGraphClient, goal: str = GOAL) -> tuple[str, dict[str, Any]]:
    """Return a thread with an open question, and the question."""
    thread = (await client.threads.create())["thread_id"]
    await streamed(client, thread, input=said(goal))
    (question,) = (await client.threads.get_state(thread))["interrupts"]
    return thread, dict(question)


async def values_of(client: LangGraphClient, thread: str) -> dict[str, Any]:
    values: Any = (await client.threads.get_state(thread))["values"]
    return dict(values)


def delivered(folder: Path) -> list[Path]:
    return list((folder / "out").glob("**/*.md"))


async def refused(awaited: Any) -> int:
    """Return the status with which the server refuses a request."""
    with pytest.raises((APIStatusError, httpx.HTTPStatusError)) as raised:
        await awaited
    return raised.value.response.status_code


async def test_every_stream_mode_tells_of_a_run_that_stops_is_approved_and_finishes(
    client: LangGraphClient, folder: Path
) -> None:
    shutil.rmtree(folder / "out", ignore_errors=True)
    thread = (await client.threads.create())["thread_id"]
    parts = await streamed(client, thread, input=said(GOAL), stream_mode=MODES)
    assert not [part for part in parts if part.event == "error"]
    kinds = {part.data["event"]["type"] for part in parts if part.event == "custom"}
    assert {"run_started", "route_decided", "plan_proposed", "step_finished", "draft_criticised"} <= kinds

    (question,) = (await client.threads.get_state(thread))["interrupts"]
    assert question["value"]["action_request"]["action"] == "write_file"
    assert agent_chat_ui.renders(question)
    assert not delivered(folder)

    parts += await streamed(client, thread, command={"resume": APPROVE}, stream_mode=MODES)
    told = {part.event.partition("/")[0] for part in parts}
    assert {"values", "updates", "messages", "custom", "debug", "events", "tasks", "checkpoints"} <= told
    tuples = [part.data for part in parts if part.event == "messages" and isinstance(part.data, list)]
    assert any(about["langgraph_node"] == "remember" for _, about in tuples), "the answer, with where it comes from"
    nodes = {name for part in parts if part.event == "updates" for name in part.data} - {"__interrupt__"}
    assert {"intake", "supervisor", "approve_steps", "remember"} <= nodes
    assert {part.data["name"] for part in parts if part.event == "tasks"} > {"intake", "specialists"}
    assert {part.data["type"] for part in parts if part.event == "debug"} == {"checkpoint", "task", "task_result"}
    assert {part.data["event"] for part in parts if part.event == "events"} >= {"on_chain_start", "on_chain_end"}
    ends: Any = [part.data["next"] for part in parts if part.event == "checkpoints"]
    assert (ends[0], ends[-1]) == (["__start__"], [])
    ended: Any = await client.threads.get_state(thread)
    assert (ended["next"], ended["values"]["outcome"]["status"]) == ([], "done")
    assert len(delivered(folder)) == 1


async def test_history_can_be_forked_from_before_a_step(client: LangGraphClient) -> None:
    thread = (await client.threads.create())["thread_id"]
    await streamed(client, thread, input=said("Summarise the notes on wind power"))
    history: Any = await client.threads.get_history(thread, limit=50)
    assert {"intake", "recall", "supervisor", "specialists", "critic"} <= {n for s in history for n in s["next"]}
    before = next(s for s in history if s["next"] == ["specialists"])

    plan = before["values"]["plan"]
    plan["steps"][0]["task"] = "Say what the notes know about wind turbines"
    forked = await client.threads.update_state(
        thread, {"plan": plan}, as_node="approve_steps", checkpoint_id=before["checkpoint"]["checkpoint_id"]
    )
    await streamed(client, thread, input=None, checkpoint_id=forked["checkpoint"]["checkpoint_id"])
    values = await values_of(client, thread)
    assert values["plan"]["steps"][0]["task"] == "Say what the notes know about wind turbines"
    assert values["outcome"]["status"] == "done"


async def test_taking_a_result_out_of_the_state_runs_that_step_again_and_what_follows(client: LangGraphClient) -> None:
    thread, _ = await asked(client)
    stopped: Any = await client.threads.get_state(thread)
    results = {**stopped["values"]["results"]}
    kept = results["search"]
    del results["write"], results["deliver"]
    await client.threads.update_state(thread, {"results": results}, as_node="approve_steps")
    parts = await streamed(client, thread, input=None)
    told = [part.data["event"] for part in parts if part.event == "custom"]
    began = [event["step"] for event in told if event["type"] == "step_started"]
    assert began[0] == "write"
    assert not {"search", "analyse"} & set(began)
    again: Any = await client.threads.get_state(thread)
    assert again["values"]["results"]["search"] == kept
    assert len(again["interrupts"]) == 1, "the step that writes asks again"


async def test_a_typed_answer_instead_of_a_resume_is_understood(client: LangGraphClient) -> None:
    thread, _ = await asked(client, f"{GOAL} Keep it short.")
    await streamed(client, thread, input=said("no, not now"))
    outcome = (await values_of(client, thread))["outcome"]
    assert (outcome["status"], outcome["failure"]["message"]) == ("rejected", "not now")


async def test_an_edit_from_an_inbox_is_what_is_done(client: LangGraphClient, folder: Path) -> None:
    shutil.rmtree(folder / "out", ignore_errors=True)
    thread, _ = await asked(client)
    (found,) = await client.threads.search(ids=[thread])
    ((question,),) = found["interrupts"].values()
    seen = agent_inbox.shown(question["value"])
    assert seen is not None

    await streamed(client, thread, command={"resume": agent_inbox.edited(seen, nothing="known")}, stream_mode="events")
    (again,) = (await client.threads.get_state(thread))["interrupts"]
    assert "no argument 'nothing'" in str(dict(again)), "a bad answer leaves the question open and says why"
    assert not delivered(folder)

    await streamed(client, thread, command={"resume": agent_inbox.edited(seen, path="other.md")}, stream_mode="events")
    assert [path.name for path in delivered(folder)] == ["other.md"]


async def test_a_question_that_an_inbox_puts_away_is_gone_and_nothing_was_done(
    client: LangGraphClient, folder: Path
) -> None:
    shutil.rmtree(folder / "out", ignore_errors=True)
    thread, _ = await asked(client)
    await client.threads.update_state(thread, None, as_node="__end__")
    state: Any = await client.threads.get_state(thread)
    assert (state["next"], state["interrupts"], delivered(folder)) == ([], [], [])


async def test_nobody_comes_in_without_a_key_that_is_in_force(people: People) -> None:
    studio = {"Origin": "https://smith.langchain.com", "x-auth-scheme": "langsmith"}
    wrong = [{}, studio, {"Authorization": "Bearer us_no"}, {"x-api-key": people.keys["ann"][:-1]}]
    async with httpx.AsyncClient(base_url=people.address, timeout=30) as http:
        for headers in wrong:
            for path in ("/threads/search", "/assistants/search", "/store/items/search", "/runs/crons/search"):
                assert (await http.post(path, json={}, headers=headers)).status_code == 401
            assert (await http.get("/understudy/threads", headers=headers)).status_code == 401
        good = await http.post("/threads/search", json={}, headers={"x-api-key": people.keys["ann"]})
        assert good.status_code == 200


async def test_threads_runs_and_store_of_another_workspace_are_not_there(people: People) -> None:
    ann, eve = await people.client("ann"), await people.client("eve")
    created: Any = await ann.threads.create(metadata={"workspace": "beta", "note": "mine"})
    thread = created["thread_id"]
    assert created["metadata"] == {"workspace": "alpha", "owner": "ann", "note": "mine"}
    await streamed(ann, thread, input=said("Hello"), metadata={"workspace": "beta"})
    (run,) = await ann.runs.list(thread)

    assert not [each for each in await eve.threads.search(limit=100) if each["thread_id"] == thread]
    assert await eve.threads.count(metadata={"note": "mine"}) == 0
    theirs = (
        eve.threads.get(thread), eve.threads.get_state(thread), eve.threads.update(thread, metadata={}),
        eve.threads.update_state(thread, {"goal": "x"}), eve.threads.delete(thread), eve.threads.copy(thread),
        eve.runs.create(thread, "understudy", input=said("Hello")), eve.runs.join(thread, run["run_id"]),
        eve.runs.get(thread, run["run_id"]), eve.runs.delete(thread, run["run_id"]),
        eve.threads.create(thread_id=thread, if_exists="do_nothing"),
    )  # fmt: skip
    assert [await refused(each) for each in theirs] == [404, 404, 404, 404, 404, 409, 404, 404, 404, 404, 409]
    assert await refused(eve.threads.get_history(thread)) == 404

    moved: Any = await ann.threads.update(thread, metadata={"workspace": "beta"})
    assert moved["metadata"]["workspace"] == "alpha"
    await ann.store.put_item(["notes"], "one", {"text": "secret"})
    assert (await ann.store.get_item(["notes"], "one"))["value"] == {"text": "secret"}
    assert await eve.store.get_item(["alpha", "notes"], "one") is None
    assert (await eve.store.search_items([]))["items"] == []


async def test_a_run_works_in_the_workspace_of_who_asks_whatever_the_context_says(people: People) -> None:
    bob = await people.client("bob")
    thread = (await bob.threads.create())["thread_id"]
    for context in ({"workspace": "beta"}, {"user": "ann"}, {"data": "/etc"}, {"team": "/tmp/team.toml"}):
        assert await refused(bob.runs.create(thread, "understudy", input=said("Hello"), context=context)) == 403
        config: Any = {"configurable": context}
        assert await refused(bob.runs.create(thread, "understudy", input=said("Hello"), config=config)) == 403
    await streamed(bob, thread, input=said("Summarise the notes on wind power"))
    briefing = (await values_of(bob, thread))["briefing"]
    assert (briefing["workspace"], briefing["user"]) == ("alpha", "bob")
    (item, *_) = [part async for part in bob.runs.stream(None, "understudy", input=said("Hello"))]
    assert item.event == "metadata"


async def test_only_approvers_answer_and_only_who_manages_changes_a_state(people: People) -> None:
    ann, bob = await people.client("ann"), await people.client("bob")
    thread, _ = await asked(bob)
    tries = (
        bob.runs.create(thread, "understudy", command={"resume": APPROVE}),
        bob.runs.create(thread, "understudy", input=said("yes")),
        bob.runs.create(thread, "understudy", command={"goto": "specialists"}),
        bob.runs.create(thread, "understudy", command={"update": {"answer": {}}}),
        bob.threads.update_state(thread, {"answer": {}}),
        bob.assistants.create("understudy"),
        bob.crons.create("understudy", schedule="0 0 * * *", input=said("Hello")),
        ann.crons.create("understudy", schedule="0 0 * * *", input=said("Hello")),
    )
    assert [await refused(each) for each in tries] == [403] * 8
    assert (await ann.threads.get(thread))["status"] == "interrupted", "the question is still open"
    await streamed(ann, thread, command={"resume": {"decisions": [{"type": "reject", "message": "no"}]}})
    assert (await values_of(ann, thread))["outcome"]["status"] == "rejected"


async def test_assistants_belong_to_a_workspace_except_the_one_of_the_graph(people: People) -> None:
    ann, bob, eve = [await people.client(name) for name in ("ann", "bob", "eve")]
    made = await ann.assistants.create("understudy", name="ours", metadata={"created_by": "system"})
    names = [{each["name"] for each in await who.assistants.search()} for who in (ann, bob, eve)]
    assert names == [{"understudy", "ours"}, {"understudy", "ours"}, {"understudy"}]
    assert await refused(eve.assistants.get(made["assistant_id"])) == 404
    thread = (await eve.threads.create())["thread_id"]
    assert await refused(eve.runs.create(thread, made["assistant_id"], input=said("Hello"))) == 404
    (system,) = await eve.assistants.search()
    assert await refused(eve.assistants.update(system["assistant_id"], name="mine")) == 404


async def test_who_has_several_workspaces_names_one(people: People) -> None:
    unnamed, named = await people.client("dan"), await people.client("dan", **{"X-Understudy-Workspace": "beta"})
    assert await refused(unnamed.threads.create()) == 422
    assert (await named.threads.create())["metadata"]["workspace"] == "beta"  # type: ignore[index]
    foreign = await people.client("bob", **{"X-Understudy-Workspace": "beta"})
    assert await refused(foreign.threads.create()) == 403


async def test_the_service_and_the_console_stand_beside_the_routes_of_the_server(people: People) -> None:
    headers = {"Authorization": f"Bearer {people.keys['ann']}"}
    async with httpx.AsyncClient(base_url=people.address, timeout=30) as http:
        status = await http.get("/understudy/system/status", headers=headers)
        assert status.status_code == 200
        started = await http.post("/understudy/runs/stream", headers=headers, json={"goal": "Hello"}, timeout=60)
        assert "event: run_finished" in started.text
        page = await http.get("/console/", headers={"Accept": "text/html"})
        assert (page.status_code, page.headers["location"]) == (303, "/console/login")
        for path in ("/console/login", "/understudy/console/login"):
            found = await http.get(path)
            assert "Understudy" in found.text
            assert "nonce-" in found.headers["content-security-policy"], "the console's gate stands before it"
        elsewhere = await http.get("/console/login", headers={"Origin": "https://evil.example", "Host": "evil.example"})
        assert elsewhere.status_code == 200, "with keys, the address does not say who asks"
        assert (await http.get("/info")).json()["flags"]["assistants"] is True


def test_the_graph_that_the_server_opens_keeps_nothing_itself_and_says_what_it_takes() -> None:
    assert graph.checkpointer is None
    assert set(graph.get_input_jsonschema()["properties"]) == {"messages"}
    assert {"plan", "results"} <= set(graph.builder.channels)
    assert {node.__name__ for node in NODES} < set(graph.nodes)


def test_an_image_can_be_built_for_the_server(tmp_path: Path) -> None:
    command = str(Path(sys.executable).with_name("langgraph"))
    environment = {**os.environ, "LANGGRAPH_CLI_NO_ANALYTICS": "1"}
    written = tmp_path / "Dockerfile"
    subprocess.run(
        [command, "dockerfile", "--config", str(ROOT / "langgraph.json"), str(written)],
        check=True, capture_output=True, env=environment, timeout=60,
    )  # fmt: skip
    lines = written.read_text()
    assert "FROM langchain/langgraph-api:3.11" in lines
    assert '"understudy": "graph.build:graph"' in lines
    assert '"path": "understudy.service.langgraph_auth:auth"' in lines
    assert '"disable_studio_auth": true' in lines, "no header lets anybody in beside our identities"
    assert '"app": "understudy.service.langgraph_app:app"' in lines
