"""What somebody would write by hand without any of the service: a LangGraph on PostgreSQL, asked as often as it can be.

    python -m evals.benchmarks.serve_bare CALLS STEPS AT_ONCE SECONDS

makes so many model calls in so many supersteps a turn, in conversations of their own. It prints a line when it is
ready, begins when it reads one, and prints how many turns it did.
"""

import asyncio
import json
import os
import sys
import time
import uuid
from typing import Annotated, Any

import openai
from langchain_core.messages import AnyMessage
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.graph import START, StateGraph, add_messages
from psycopg import AsyncConnection
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool
from pydantic import SecretStr
from typing_extensions import TypedDict

from evals.benchmarks.serve_effects import GREETING

_CONNECTIONS = 5
_SYSTEM = "You write the team's answer."
_FORM = {"name": "RouteAnswer", "schema": {"type": "object"}}
"""Has the model answer a greeting as it answers the service."""


class Notes(TypedDict, total=False):
    """The state."""

    messages: Annotated[list[AnyMessage], add_messages]
    done: int


def graph(model: Any, calls: int, steps: int, saver: AsyncPostgresSaver) -> Any:  # LangGraph's types are long
    """Return a graph of so many nodes in a row, the first of which call the model."""
    built = StateGraph(Notes)
    last = START
    for number in range(steps):
        built.add_node(f"step{number}", _calling(model) if number < calls else _passing(number))
        built.add_edge(last, f"step{number}")
        last = f"step{number}"
    return built.compile(checkpointer=saver)


def _calling(model: Any) -> Any:
    async def call(notes: Notes) -> Notes:
        asked = [("system", _SYSTEM), *notes["messages"]]
        return {"messages": [await model.ainvoke(asked)]}

    return call


def _passing(number: int) -> Any:
    async def go_on(notes: Notes) -> Notes:
        return {"done": number}

    return go_on


async def main(calls: int, steps: int, at_once: int, seconds: float) -> None:
    """Do turns for so long, and print how many."""
    http = openai.DefaultAsyncHttpxClient(timeout=30)
    chat = ChatOpenAI(
        model="bench", base_url=os.environ["BENCH_MODEL"], api_key=SecretStr("none"), http_async_client=http
    ).bind(response_format={"type": "json_schema", "json_schema": _FORM})
    kept: dict[str, Any] = {"autocommit": True, "prepare_threshold": 0, "row_factory": dict_row}
    pool: AsyncConnectionPool[AsyncConnection[DictRow]] = AsyncConnectionPool(
        os.environ["BENCH_DATABASE"], min_size=_CONNECTIONS, max_size=_CONNECTIONS, kwargs=kept, open=False
    )
    async with pool:
        compiled = graph(chat, calls, steps, AsyncPostgresSaver(pool))
        await _turn(compiled)
        print(json.dumps({"ready": True}), flush=True)  # noqa: T201 - read by the benchmark
        await asyncio.to_thread(sys.stdin.readline)
        until, cpu = time.monotonic() + seconds, time.process_time()
        done = {"turns": 0, "in_time": 0}

        async def ask() -> None:
            while time.monotonic() < until:
                await _turn(compiled)
                done["turns"] += 1
                done["in_time"] += time.monotonic() < until

        await asyncio.gather(*(ask() for _ in range(at_once)))
        cpu = time.process_time() - cpu
    await http.aclose()
    print(json.dumps({**done, "cpu": cpu}), flush=True)  # noqa: T201 - read by the benchmark


async def _turn(compiled: Any) -> None:
    config = {"configurable": {"thread_id": uuid.uuid4().hex}}
    await compiled.ainvoke({"messages": [("user", GREETING)]}, config, durability="sync")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])))
