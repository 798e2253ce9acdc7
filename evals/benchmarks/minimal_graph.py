"""What somebody would write by hand for one fixed plan: the comparison for our own overhead."""

from pathlib import Path
from typing import Any

import aiosqlite
import openai
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.graph import END, START, StateGraph
from pydantic import SecretStr
from typing_extensions import TypedDict


class Notes(TypedDict, total=False):
    """The state: one text per agent."""

    goal: str
    research: str
    figures: str
    content: str
    critique: str


class MinimalGraph:
    """Three agents and a critic as four nodes, one client, checkpoints in SQLite; nothing else."""

    def __init__(self, base_url: str) -> None:
        self._http = openai.DefaultAsyncHttpxClient(timeout=30)
        self._model = ChatOpenAI(
            model="scripted", base_url=base_url, api_key=SecretStr("none"), timeout=30, http_async_client=self._http
        )

    async def open(self, folder: Path) -> None:
        """Open the checkpoints in a folder."""
        connection = await aiosqlite.connect(folder / "minimal.sqlite")
        # As durable as the other side: every write is on its way to the disk, none waits for the platter.
        await connection.execute("PRAGMA synchronous=NORMAL")
        self._saver = AsyncSqliteSaver(connection)
        graph = StateGraph(Notes)
        graph.add_node("research", self._agent("research", "goal"))
        graph.add_node("figures", self._agent("figures", "goal"))
        graph.add_node("content", self._agent("content", "research", "figures"))
        graph.add_node("critique", self._agent("critique", "content"))
        graph.add_edge(START, "research")
        graph.add_edge(START, "figures")
        graph.add_edge(["research", "figures"], "content")
        graph.add_edge("content", "critique")
        graph.add_edge("critique", END)
        self._graph = graph.compile(checkpointer=self._saver)

    def _agent(self, name: str, *reads: str) -> Any:  # LangGraph reads the signature of the inner function
        async def call(notes: Notes) -> Notes:
            material = "\n\n".join(str(notes.get(key, "")) for key in reads)
            answer = await self._model.ainvoke([("system", f"You are {name}."), ("user", f"role={name}\n{material}")])
            return {name: answer.text}  # type: ignore[misc]

        return call

    async def run(self, goal: str, thread: str) -> None:
        """Do one task in a thread of its own."""
        await self._graph.ainvoke({"goal": goal}, {"configurable": {"thread_id": thread}}, durability="sync")

    async def close(self) -> None:
        """Close the checkpoints and the client."""
        await self._http.aclose()
        await self._saver.conn.close()
