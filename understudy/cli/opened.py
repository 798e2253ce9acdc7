"""Opening the orchestrator for one use of it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from understudy.orchestrator import Orchestrator

T = TypeVar("T")


def with_orchestrator(
    workspace: str | None, use: "Callable[[Orchestrator], Awaitable[T]]", **settings_given: object
) -> T:
    """Open the orchestrator of a workspace, with other settings where given, use it, and return what came out."""
    from understudy.cli.screen import starting

    with starting():
        from understudy.orchestrator import Orchestrator
        from understudy.settings import load_settings

        settings = load_settings(workspace=workspace, **settings_given)

    async def used() -> T:
        async with Orchestrator(settings) as orchestrator:
            return await use(orchestrator)

    return asyncio.run(used())
