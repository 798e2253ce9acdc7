"""Runs are traced nowhere but here: what the environment tells LangChain about LangSmith does not count for them.

LangSmith would be sent the state of every node and all messages as they are, private ones included. What happened in a
run is in its own trace (`understudy trace`).
"""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any, TypeVar, cast

from langsmith import tracing_context

T = TypeVar("T")


async def untraced(stream: AsyncIterator[T]) -> AsyncGenerator[T]:
    """Yield what a graph streams, and have it work where nothing is sent to LangSmith.

    That holds for each step by itself: whoever listens stays as it was, and may ask from another task each time.
    """
    async with aclosing(cast("AsyncGenerator[T, Any]", stream)) as graph:
        while True:
            with tracing_context(enabled=False):
                try:
                    told = await anext(graph)
                except StopAsyncIteration:
                    return
            yield told
