from pathlib import Path
from typing import Annotated, Any

import ormsgpack
import pytest
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import Checkpoint
from langgraph.checkpoint.base.id import uuid6
from langgraph.checkpoint.serde.jsonplus import EXT_CONSTRUCTOR_POS_ARGS, JsonPlusSerializer
from langgraph.graph import START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Command, interrupt
from typing_extensions import TypedDict

from domain.errors import StorageCorrupt
from memory.blobs import BlobStore
from understudy.checkpointing import ThreadedSqliteSaver, open_checkpointer

ANSWER = "An answer of some length. " * 20
LARGE = "row,of,a,table\n" * 2000


class Talk(TypedDict, total=False):
    messages: Annotated[list[AnyMessage], add_messages]
    results: dict[str, Any]


def graph(saver: ThreadedSqliteSaver) -> CompiledStateGraph[Talk, None, Talk, Talk]:
    def reply(state: Talk) -> Talk:
        return {
            "messages": [AIMessage(f"{len(state['messages'])} {ANSWER}")],
            "results": {"a": {"text": LARGE}, "b": 1},
        }

    return StateGraph(Talk).add_node("reply", reply).add_edge(START, "reply").compile(checkpointer=saver)


def thread(name: str = "acme:1") -> RunnableConfig:
    return {"configurable": {"thread_id": name}}


async def say(saver: ThreadedSqliteSaver, turns: int, name: str = "acme:1") -> None:
    for turn in range(turns):
        await graph(saver).ainvoke({"messages": [HumanMessage(f"question {turn}")]}, thread(name), durability="sync")


def used(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def holding(folder: Path, words: bytes) -> list[Path]:
    return [file for file in folder.rglob("*") if file.is_file() and words in file.read_bytes()]


async def test_what_is_large_lies_in_blobs_and_comes_back_whole(tmp_path: Path) -> None:
    async with open_checkpointer(tmp_path / "c.sqlite") as saver:
        await say(saver, 40)
    assert LARGE.encode()[:200] not in (tmp_path / "c.sqlite").read_bytes()
    async with open_checkpointer(tmp_path / "c.sqlite") as saver:
        state = await graph(saver).aget_state(thread())
        history = [snapshot async for snapshot in graph(saver).aget_state_history(thread(), limit=30)]
    assert [m.text.split()[0] for m in state.values["messages"][1::2]] == [str(i) for i in range(1, 80, 2)]
    assert state.values["results"] == {"a": {"text": LARGE}, "b": 1}
    assert [len(snapshot.values["messages"]) for snapshot in history[:5]] == [80, 79, 78, 78, 77]


async def test_a_long_conversation_takes_space_as_it_grows_not_as_its_square(tmp_path: Path) -> None:
    async with open_checkpointer(tmp_path / "c.sqlite") as saver:
        await say(saver, 150)
        await saver.trim("acme:1", 20)
        await saver.compact()
        shorter = used(tmp_path)
        await say(saver, 150)
        await saver.trim("acme:1", 20)
        await saver.compact()
    text = 300 * len(ANSWER)
    assert used(tmp_path) < shorter + 2 * text


async def test_trimming_keeps_the_latest_and_the_blobs_that_it_needs(tmp_path: Path) -> None:
    async with open_checkpointer(tmp_path / "c.sqlite") as saver:
        await say(saver, 40)
        before = (await graph(saver).aget_state(thread())).values
        assert await saver.trim("acme:1", 1) > 100
        assert (await graph(saver).aget_state(thread())).values == before
        await say(saver, 1)
        assert len((await graph(saver).aget_state(thread())).values["messages"]) == 82
        assert await saver.trim("acme:1", 1000) == 0


async def test_a_forgotten_thread_leaves_no_bytes(tmp_path: Path) -> None:
    async with open_checkpointer(tmp_path / "c.sqlite") as saver:
        await say(saver, 40)
        await say(saver, 1, "other:1")
        await saver.adelete_thread("acme:1")
        assert (await graph(saver).aget_state(thread("other:1"))).values["results"]["a"]["text"] == LARGE
    assert not holding(tmp_path, b"question 7")


CRAFTED = ormsgpack.packb(ormsgpack.Ext(EXT_CONSTRUCTOR_POS_ARGS, ormsgpack.packb(("os", "mkdir", ("harm",)))))


@pytest.mark.filterwarnings("ignore")
def test_a_lenient_reader_would_run_what_a_crafted_checkpoint_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    JsonPlusSerializer(allowed_msgpack_modules=True).loads_typed(("msgpack", CRAFTED))
    assert Path("harm").is_dir()


@pytest.mark.parametrize("place", ["inline", "blob"])
async def test_a_crafted_checkpoint_runs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, place: str
) -> None:
    monkeypatch.chdir(tmp_path)
    async with open_checkpointer(tmp_path / "c.sqlite") as saver:
        compiled = graph(saver)
        digest = BlobStore(tmp_path / "blobs").put("acme:1", b"msgpack\n" + CRAFTED)
        stored = ("msgpack", CRAFTED) if place == "inline" else ("blob", f"acme:1\n{digest}".encode())
        assert isinstance(compiled.checkpointer, ThreadedSqliteSaver)
        compiled.checkpointer.serde.loads_typed(stored)
    assert not (tmp_path / "harm").exists()
    assert "does not support" not in caplog.text


async def test_a_lost_blob_is_a_clear_error(tmp_path: Path) -> None:
    async with open_checkpointer(tmp_path / "c.sqlite") as saver:
        await say(saver, 1)
        for file in (tmp_path / "blobs").rglob("*"):
            if file.is_file():
                file.unlink()
        with pytest.raises(StorageCorrupt, match="gone"):
            await graph(saver).aget_state(thread())


def asking(saver: ThreadedSqliteSaver) -> CompiledStateGraph[Talk, None, Talk, Talk]:
    """A graph that asks its question within a sub-graph, which checkpoints for itself."""

    def ask(state: Talk) -> Talk:
        return {"messages": [AIMessage(f"You said {interrupt('what?')}.")]}

    def look(state: Talk) -> Talk:
        return {"results": {"looked": True}}

    inner = StateGraph(Talk).add_node(look).add_node(ask).add_edge(START, "look").add_edge("look", "ask").compile()
    return StateGraph(Talk).add_node("inner", inner).add_edge(START, "inner").compile(checkpointer=saver)


async def test_an_open_question_outlives_trimming(tmp_path: Path) -> None:
    async with open_checkpointer(tmp_path / "c.sqlite") as saver:
        asked = asking(saver)
        await asked.ainvoke({"messages": [HumanMessage("hello")]}, thread(), durability="sync")
        await saver.trim("acme:1", 1)
        [question] = (await asked.aget_state(thread())).interrupts
        assert question.value == "what?"
        after = await asked.ainvoke(Command(resume={question.id: "that"}), thread(), durability="sync")
    assert [m.text for m in after["messages"]] == ["hello", "You said that."]


async def test_what_sub_graphs_checkpointed_goes_with_the_run_that_it_belongs_to(tmp_path: Path) -> None:
    async with open_checkpointer(tmp_path / "c.sqlite") as saver:
        for _ in range(3):
            asked = asking(saver)
            await asked.ainvoke({"messages": [HumanMessage("hello")]}, thread(), durability="sync")
            [question] = (await asked.aget_state(thread())).interrupts
            await asked.ainvoke(Command(resume={question.id: "that"}), thread(), durability="sync")
        await saver.trim("acme:1", 1)
        kept = [found async for found in saver.alist(thread())]
    assert [found.config["configurable"]["checkpoint_ns"] for found in kept] == [""]


async def test_a_clock_that_is_set_back_hides_no_checkpoint(tmp_path: Path) -> None:
    """A checkpoint's id follows the clock; a process that starts after it was set back makes smaller ones."""
    async with open_checkpointer(tmp_path / "c.sqlite") as saver:
        await say(saver, 1)
        found = await saver.aget_tuple(thread())
        assert found is not None
        earlier = uuid6(node=1, clock_seq=1)
        values = found.checkpoint["channel_values"] | {"messages": [HumanMessage("later, by an earlier clock")]}
        checkpoint: Checkpoint = {**found.checkpoint, "id": f"0{str(earlier)[1:]}", "channel_values": values}
        await saver.aput(found.config, checkpoint, found.metadata, {})
        for _ in range(2):
            state = await graph(saver).aget_state(thread())
            assert [m.text for m in state.values["messages"]] == ["later, by an earlier clock"]
            await saver.trim("acme:1", 1)
            await saver.compact()


async def test_a_conversation_is_taken_up_anew_from_an_earlier_checkpoint_after_trimming(tmp_path: Path) -> None:
    async with open_checkpointer(tmp_path / "c.sqlite") as saver:
        await say(saver, 40)
        await saver.trim("acme:1", 9)
        history = [snapshot async for snapshot in graph(saver).aget_state_history(thread())]
        assert len(history) == 9
        oldest = history[-1]
        fork = await graph(saver).aupdate_state(oldest.config, {"messages": [AIMessage("another")]}, as_node="reply")
        assert len((await graph(saver).aget_state(thread())).values["messages"]) == len(oldest.values["messages"]) + 1
        assert (await graph(saver).aget_state(thread())).config == fork
        await saver.trim("acme:1", 1)
        await say(saver, 1)
        state = await graph(saver).aget_state(thread())
    assert [m.text for m in state.values["messages"]][-3:-1] == ["another", "question 0"]
    assert state.values["results"]["a"]["text"] == LARGE


async def test_the_history_of_a_channel_begins_with_what_is_folded(tmp_path: Path) -> None:
    async with open_checkpointer(tmp_path / "c.sqlite") as saver:
        await say(saver, 2)
        found = saver.get_delta_channel_history(config=thread(), channels=["results"])
        assert found == await saver.aget_delta_channel_history(config=thread(), channels=["results"])
    assert found["results"]["seed"]["a"]["text"] == LARGE
