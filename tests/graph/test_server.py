"""The same graph in the LangGraph server that `make studio` starts, driven as other people's clients do."""

import os
import re
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from langgraph_sdk import get_client
from langgraph_sdk.client import LangGraphClient

ROOT = Path(__file__).parents[2]
GOAL = "How did Iowa's electricity mix change between 2001 and 2017, and what explains it? Write a brief."
APPROVE = {"decisions": [{"type": "approve"}]}


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("server")


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    port = free_port()
    environment = {
        **os.environ,
        "UNDERSTUDY_HOME": str(folder / "home"),
        "UNDERSTUDY_DATA": str(ROOT / "examples" / "energy"),
        "UNDERSTUDY_OUT": str(folder / "out"),
        "LANGGRAPH_STRICT_MSGPACK": "true",
        "LANGGRAPH_CLI_NO_ANALYTICS": "1",
        "LANGSMITH_TRACING": "false",
    }
    command = [str(Path(sys.executable).with_name("langgraph")), "dev", "--no-browser", "--no-reload"]
    command += ["--port", str(port), "--config", str(ROOT / "langgraph.json")]
    log = folder / "log"
    with (
        log.open("w") as output,
        subprocess.Popen(
            command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as server,
    ):
        assert server.stdout is not None
        try:
            for line in server.stdout:
                output.write(line)
                if re.search(r"Application started up|Server started|startup complete", line):
                    break
            else:
                pytest.fail(f"the server did not start:\n{log.read_text()}")
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            output.write(server.stdout.read())


@pytest.fixture
async def client(address: str) -> AsyncIterator[LangGraphClient]:
    async with get_client(url=address) as opened:
        yield opened


def said(text: str) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": text}]}


async def streamed(client: LangGraphClient, thread: str, **given: Any) -> list[Any]:
    return [
        part
        async for part in client.runs.stream(
            thread, "understudy", stream_mode=["custom", "updates", "values"], durability="sync", **given
        )
    ]


async def test_a_thread_streams_stops_at_a_checkpoint_is_approved_and_finishes(
    client: LangGraphClient, folder: Path
) -> None:
    thread = (await client.threads.create())["thread_id"]
    parts = await streamed(client, thread, input=said(GOAL))
    assert not [part for part in parts if part.event == "error"]
    kinds = {part.data["event"]["type"] for part in parts if part.event == "custom"}
    assert {"run_started", "route_decided", "plan_proposed", "step_finished", "draft_criticised"} <= kinds

    state = await client.threads.get_state(thread)
    (question,) = state["interrupts"]
    assert question["value"]["action_request"]["action"] == "write_file"
    assert not list((folder / "out").glob("**/*.md"))

    await streamed(client, thread, command={"resume": APPROVE})
    ended: Any = await client.threads.get_state(thread)
    assert ended["next"] == []
    assert ended["values"]["outcome"]["status"] == "done"
    assert len(list((folder / "out").glob("**/*.md"))) == 1


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
    values: Any = (await client.threads.get_state(thread))["values"]
    assert values["plan"]["steps"][0]["task"] == "Say what the notes know about wind turbines"
    assert values["outcome"]["status"] == "done"


async def test_a_typed_answer_instead_of_a_resume_is_understood(client: LangGraphClient, folder: Path) -> None:
    thread = (await client.threads.create())["thread_id"]
    await streamed(client, thread, input=said(f"{GOAL} Keep it short."))
    await streamed(client, thread, input=said("no, not now"))
    values: Any = (await client.threads.get_state(thread))["values"]
    assert (values["outcome"]["status"], values["outcome"]["failure"]["message"]) == ("rejected", "not now")
