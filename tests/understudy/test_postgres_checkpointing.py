"""Checkpoints in a real PostgreSQL: fenced, in order, trimmed, forgotten, and there again after a restart."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.checkpoint.base import empty_checkpoint
from langgraph.graph import START, StateGraph, add_messages
from langgraph.types import interrupt
from pydantic import SecretStr
from typing_extensions import TypedDict

from domain.errors import RunFenced, StorageAway
from evals.benchmarks.private_servers import PostgresServer
from tests.postgres import new_database
from tests.understudy.test_checkpointing import CRAFTED
from understudy.durable.database import open_database
from understudy.durable.fence_rows import Holder
from understudy.durable.fences import Fences
from understudy.postgres_checkpointing import PostgresSaver, open_postgres_checkpointer

THREAD = "default:t"
CONFIG: Any = {"configurable": {"thread_id": THREAD}}


class Talk(TypedDict):
    messages: Annotated[list[Any], add_messages]


def said(state: Talk) -> Talk:
    answer = interrupt("more?") if state["messages"][-1].text == "ask" else "yes"
    return {"messages": [AIMessage(answer)]}


def graph(saver: PostgresSaver) -> Any:
    built = StateGraph(Talk)
    built.add_node("said", said)
    built.add_edge(START, "said")
    return built.compile(checkpointer=saver)


@asynccontextmanager
async def opened(
    folder: Path, url: SecretStr, home: str = "a", *, patience: float = 20.0, ttl: float = 60.0
) -> AsyncIterator[tuple[PostgresSaver, Fences]]:
    async with open_database(folder, url) as database:
        fences = Fences(database, Holder.of(home), lambda: 0.0, ttl=ttl)
        async with open_postgres_checkpointer(url, fences, database.place, patience=patience) as saver:
            yield saver, fences


@pytest.fixture
def url() -> Any:
    with new_database() as created:
        yield created


@pytest.fixture
def server() -> Any:
    running = PostgresServer()
    yield running
    running.remove()


async def talk(saver: PostgresSaver, words: str) -> list[str]:
    state = await graph(saver).ainvoke({"messages": [HumanMessage(words)]}, CONFIG, durability="sync")
    return [message.text for message in state["messages"]]


async def test_a_thread_goes_on_where_another_process_left_it(tmp_path: Path, url: SecretStr) -> None:
    async with opened(tmp_path, url) as (saver, fences), fences.held(THREAD):
        assert await talk(saver, "one") == ["one", "yes"]
        await talk(saver, "ask")
    async with opened(tmp_path, url, "b") as (saver, fences), fences.held(THREAD):
        snapshot = await graph(saver).aget_state(CONFIG)
        assert [each.value for each in snapshot.interrupts] == ["more?"]
        assert len([each async for each in saver.alist(CONFIG)]) == 5


async def test_an_interrupt_is_there_when_the_stream_has_ended(tmp_path: Path, url: SecretStr) -> None:
    """Not before: the graph tells of it while it is being stored, so questions are opened at the end of the stream."""
    async with opened(tmp_path, url) as (saver, fences):
        for number in range(10):
            thread = f"default:{number}"
            config: Any = {"configurable": {"thread_id": thread}}
            async with fences.held(thread):
                given = {"messages": [HumanMessage("ask")]}
                async for _ in graph(saver).astream(given, config, stream_mode="updates", durability="sync"):
                    pass
                assert (await graph(saver).aget_state(config)).interrupts


async def test_whoever_does_not_have_the_fence_writes_nothing(tmp_path: Path, url: SecretStr) -> None:
    async with (
        opened(tmp_path, url, "a", ttl=0.0) as (paused, lapsing),
        opened(tmp_path, url, "b") as (saver, fences),
    ):
        with pytest.raises(RunFenced):
            await talk(saver, "without a fence")
        await lapsing.take(THREAD)
        await talk(paused, "one")
        async with fences.held(THREAD):
            for late in (
                paused.aput({"configurable": {"thread_id": THREAD, "checkpoint_ns": ""}}, empty_checkpoint(), {}, {}),
                paused.aput_writes(
                    {"configurable": {"thread_id": THREAD, "checkpoint_ns": "", "checkpoint_id": "1"}}, [("a", 1)], "x"
                ),
            ):
                with pytest.raises(RunFenced):
                    await late
            assert await talk(saver, "two") == ["one", "yes", "two", "yes"]


async def test_the_latest_checkpoint_is_the_one_written_last_though_clocks_differ(
    tmp_path: Path, url: SecretStr
) -> None:
    async with opened(tmp_path, url) as (saver, fences), fences.held(THREAD):
        await talk(saver, "one")
        found = await saver.aget_tuple(CONFIG)
        assert found is not None
        earlier: Any = {**found.checkpoint, "id": "0" * 8 + found.checkpoint["id"][8:]}  # of a clock that is behind
        await saver.aput({"configurable": {"thread_id": THREAD, "checkpoint_ns": ""}}, earlier, found.metadata, {})
        latest = await saver.aget_tuple(CONFIG)
        assert latest is not None and latest.checkpoint["id"] == earlier["id"]


async def test_trimming_keeps_the_newest_with_all_that_they_need(tmp_path: Path, url: SecretStr) -> None:
    async with opened(tmp_path, url) as (saver, fences), fences.held(THREAD):
        for turn in range(8):
            words = await talk(saver, f"turn {turn}")
        assert await saver.trim(THREAD, 100) == 0
        assert await saver.trim(THREAD, 3, slack=100) == 0
        assert await saver.trim(THREAD, 3) == 8 * 3 - 3
        await saver.compact()
        assert await talk(saver, "once more") == [*words, "once more", "yes"]
        assert await count(saver, "checkpoint_blobs") < 8 * 3
        await saver.adelete_thread(THREAD)
        assert [await count(saver, name) for name in ("checkpoints", "checkpoint_blobs", "checkpoint_writes")] == [
            0
        ] * 3
        assert await saver.size() > 0


async def count(saver: PostgresSaver, table: str) -> int:
    async with saver._pool.connection() as connection:
        row = await (await connection.execute(f"SELECT count(*) AS n FROM {table}")).fetchone()
    assert row is not None
    return int(row["n"])


async def test_several_who_start_at_once_create_the_tables_once(tmp_path: Path, url: SecretStr) -> None:
    async with AsyncExitStack() as stack:
        found = await asyncio.gather(
            *(stack.enter_async_context(opened(tmp_path, url, f"home{number}")) for number in range(4))
        )
        assert [await count(saver, "checkpoints") for saver, _ in found] == [0] * 4


async def test_a_restarted_server_is_waited_for(tmp_path: Path, server: PostgresServer) -> None:
    async with opened(tmp_path, SecretStr(server.url)) as (saver, fences), fences.held(THREAD):
        await talk(saver, "one")
        server.kill()
        going = asyncio.create_task(talk(saver, "two"))
        await asyncio.to_thread(server.start)
        assert await going == ["one", "yes", "two", "yes"]


async def test_a_server_that_stays_away_is_an_error_without_a_password(tmp_path: Path, server: PostgresServer) -> None:
    url = SecretStr(server.url.replace("postgres@", "postgres:hidden-word@"))
    async with opened(tmp_path, url, patience=0.5) as (saver, fences):
        fence = await fences.take(THREAD)
        server.kill()
        with pytest.raises(StorageAway, match="cannot be used now") as away:
            await saver.aget_tuple(CONFIG)
        assert "hidden-word" not in str(away.value)
        await fences.give_back(fence)


async def test_a_crafted_checkpoint_runs_nothing(
    tmp_path: Path, url: SecretStr, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with opened(tmp_path, url) as (saver, _):
        compiled = graph(saver)  # with the types that the graph itself lets be read
        compiled.checkpointer.serde.loads_typed(("msgpack", CRAFTED))
    assert not (tmp_path / "harm").exists()
