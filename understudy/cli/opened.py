"""Opening the orchestrator, or the front desk, for one use of it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from understudy.auditing import WorkspaceAudit
    from understudy.front_desk import FrontDesk
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


def with_front_desk(workspace: str | None, use: "Callable[[FrontDesk], Awaitable[T]]") -> T:
    """Open the front desk of a workspace, also while another process has the data folder, and return what came out."""
    from understudy.cli.screen import starting

    with starting():
        from understudy.front_desk import open_front_desk
        from understudy.settings import load_settings

        settings = load_settings(workspace=workspace)

    async def used() -> T:
        async with open_front_desk(settings) as desk:
            return await use(desk)

    return asyncio.run(used())


def with_audit(workspace: str | None, use: "Callable[[WorkspaceAudit], Awaitable[T]]") -> T:
    """Open the audit of a workspace, also while another process has the data folder, and return what came out."""

    async def used(desk: "FrontDesk") -> T:
        from understudy.auditing import WorkspaceAudit

        return await use(WorkspaceAudit(desk.audit, desk.settings.workspace, desk.settings.user))

    return with_front_desk(workspace, used)
