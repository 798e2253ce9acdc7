"""Who makes a request, in which workspace, and whether it may: asked for by every route, answered in one place."""

from dataclasses import dataclass, replace
from typing import Annotated

from fastapi import Depends, Query, Request

from domain.errors import InvalidRequest
from memory.workspaces import checked_workspace
from understudy.identity.access import Identity
from understudy.identity.local import is_local_request
from understudy.identity.principals import EVERYWHERE, Permission, Principal
from understudy.orchestrator import Orchestrator
from understudy.service.document import WORKSPACE_SCHEMA
from understudy.service.idempotency import begin
from understudy.service.installation import Installation

Workspace = Annotated[
    str | None,
    Query(
        max_length=100,
        description="Where; the only one that the key belongs to where none is named.",
        json_schema_extra=WORKSPACE_SCHEMA,
    ),
]


@dataclass(frozen=True)
class Caller:
    """Whoever makes a request, in a workspace in which it may."""

    principal: Principal
    workspace: str
    orchestrator: Orchestrator
    """Of this user and workspace."""
    installation: Installation

    @property
    def may_answer(self) -> bool:
        """Whether it may decide on questions."""
        return self.principal.permits(self.workspace, "approve")


class Needs:
    """A dependency that lets through whoever has a permission in the workspace of the request."""

    def __init__(self, permission: Permission) -> None:
        self.permission = permission

    async def __call__(self, request: Request, workspace: Workspace = None) -> Caller:
        """Return who asks, or raise `Unauthenticated`, `Forbidden`, `TooManyRequests` or `AnsweredBefore`."""
        installation: Installation = request.app.state.installation
        principal = await installation.identity.identify(
            authorization=request.headers.get("authorization"),
            session=None,  # a browser sends its cookie with whatever any page has it ask for
            address=request.client.host if request.client else "",
            is_local=is_local_request(
                request.headers.get("host"), request.headers.get("origin"), request.headers.keys()
            ),
        )
        request.state.principal = principal
        caller = caller_of(installation, principal, workspace, self.permission)
        await installation.identity.charge(principal, caller.workspace)
        await begin(request, installation.replays, principal)
        return caller


def caller_of(
    installation: Installation, principal: Principal, workspace: str | None, permission: Permission
) -> Caller:
    """Return somebody as the caller in a workspace.

    Raises:
        Forbidden: It may not do this there.
        InvalidRequest: No workspace was named, and it belongs to several.
        InvalidWorkspace: No workspace can have this name.
    """
    where = checked_workspace(workspace) if workspace else _home(installation, principal)
    Identity.allow(principal, where, permission)
    ours = installation.orchestrator.context
    context = replace(ours, workspace=where, user=principal.user, key=principal.key)
    return Caller(principal, where, installation.orchestrator.within(context), installation)


def _home(installation: Installation, principal: Principal) -> str:
    if principal.home is not None:
        return principal.home
    if EVERYWHERE in principal.memberships:
        return installation.settings.workspace
    msg = "name a workspace: ?workspace=..."
    raise InvalidRequest(msg)


Reader = Annotated[Caller, Depends(Needs("read"))]
"""May see conversations and memory."""
Runner = Annotated[Caller, Depends(Needs("run"))]
"""May start and steer runs."""
Approver = Annotated[Caller, Depends(Needs("approve"))]
"""May decide on questions."""
Manager = Annotated[Caller, Depends(Needs("manage"))]
"""May change rules, memory and keys."""
Auditor = Annotated[Caller, Depends(Needs("audit"))]
"""May read the audit."""
