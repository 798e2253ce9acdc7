"""Who looks at a page: found by the guard before anything is built, and looked for again before anything is done."""

import asyncio
from dataclasses import dataclass
from typing import cast

from nicegui import ui
from starlette.types import Scope

from domain.errors import Forbidden, Unauthenticated
from understudy.identity.principals import EVERYWHERE, Permission, Principal
from understudy.service.caller import Caller, caller_of
from understudy.service.installation import Installation

SESSION_COOKIE = "understudy_session"
VISIT = "understudy.visit"
"""Under which a request's scope holds its visit."""


@dataclass(frozen=True)
class Visit:
    """One request of somebody whom we know."""

    installation: Installation
    principal: Principal
    session: str | None
    """Token of the session; None on loopback, where no identity is configured."""
    csrf: str
    """What a request that changes something must carry."""
    address: str
    """Of the one at the other end of the socket."""
    tasks: set[asyncio.Task[None]]
    """What goes on for open pages of this service; it ends before the service closes."""


def visit_of(scope: Scope) -> Visit:
    """Return the visit of a request that the guard let through."""
    if VISIT not in scope:
        msg = "sign in first"
        raise Unauthenticated(msg)
    return cast(Visit, scope[VISIT])


async def caller_for(visit: Visit, workspace: str | None, permission: Permission) -> Caller:
    """Return who acts, proved anew: a key that was revoked or a session that ended counts at once.

    Args:
        visit: When the page was opened.
        workspace: The workspace that is meant; None takes the one where the visitor is at home.
        permission: What is to be done.

    Raises:
        Unauthenticated: The session is over.
        Forbidden: Others may do this.
    """
    installation = visit.installation
    principal = await installation.identity.identify(authorization=None, session=visit.session, address=visit.address)
    if not principal.memberships:
        msg = "you belong to no workspace yet"
        raise Forbidden(msg)
    return caller_of(installation, principal, workspace or _first(principal), permission)


def _first(principal: Principal) -> str | None:
    """Return where somebody looks first who belongs to several workspaces; None where there is no such question."""
    named = sorted({*principal.memberships} - {EVERYWHERE})
    return named[0] if named and principal.home is None and principal.via != "loopback" else None


async def caller_here(permission: Permission) -> Caller:
    """Return who acts on the page at hand, proved anew; every handler that shows or changes something begins so.

    Raises:
        Unauthenticated: The session is over.
        Forbidden: Others may do this.
    """
    request = ui.context.client.request
    return await caller_for(visit_of(request.scope), request.query_params.get("workspace") or None, permission)
