"""Who asks, and whether that person may: the one place where credentials become a principal that is let through or not.

A credential that is shown is the one that counts: a wrong one is refused, also on this machine. Without any, somebody
who connects from this machine is its one person, who may do everything; but only as long as neither an issuer is
configured nor any API key kept. A key that was revoked, or has expired, still is one: taking the last key out of force
locks the service and does not open it. `understudy keys delete` opens it again.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from domain.errors import Forbidden, StorageError, Unauthenticated
from memory.audit import Audit
from understudy.durable.database import Database
from understudy.identity.keys import PREFIX, Keys
from understudy.identity.limits import Limits, open_limits
from understudy.identity.members import Members
from understudy.identity.oidc import Oidc, open_oidc
from understudy.identity.principals import EVERYWHERE, Permission, Principal, Role
from understudy.identity.sessions import Sessions
from understudy.identity.settings import is_loopback
from understudy.identity.tables import create_tables
from understudy.identity.tokens import MOST_CHARS, refused
from understudy.settings import Settings

_ADMIN: frozenset[Role] = frozenset({"admin"})


class Identity:
    """The identities of an installation. Open it with `open_identity`."""

    def __init__(
        self, settings: Settings, *, keys: Keys, members: Members, sessions: Sessions, oidc: Oidc | None,
        limits: Limits, has_keys: bool,
    ) -> None:  # fmt: skip
        self.keys, self.members, self.sessions = keys, members, sessions
        self.oidc = oidc
        """Where people sign in; None where no issuer is configured."""
        self._settings, self._limits, self._has_keys = settings, limits, has_keys

    @property
    def is_configured(self) -> bool:
        """Whether credentials are asked for, as it was seconds ago; `identify` goes by how it is."""
        return self._has_keys or self.oidc is not None

    async def identify(
        self, *, authorization: str | None, session: str | None, address: str, is_local: bool = True
    ) -> Principal:
        """Return who asks.

        Args:
            authorization: The header of that name.
            session: Token of a session.
            address: The socket's peer. What headers say of where a request came from is not believed.
            is_local: Whether the request comes from the person's own doing (`local.is_local_request`).

        Raises:
            Unauthenticated: Nobody is known by this.
            IssuerAway: A token cannot be checked now.
        """
        if authorization is not None:
            return await self._bearer(authorization)
        if session and (principal := await self.sessions.find(session)) is not None:
            return principal
        if is_local and is_loopback(address) and not await self._asks_for_credentials():
            return self._one_person()
        raise Unauthenticated("sign in, or send an API key or a token: Authorization: Bearer ...")

    @staticmethod
    def allow(principal: Principal, workspace: str, permission: Permission) -> None:
        """Return where somebody may do this in a workspace, else raise `Forbidden`, also where there is none such."""
        if principal.permits(workspace, permission):
            return
        told = "%s %r may not %s in workspace %r"
        logging.getLogger(__name__).info(told, principal.via, principal.key or principal.user, permission, workspace)
        msg = f"you may not {permission} in workspace {workspace!r:.80}"
        raise Forbidden(msg)

    async def charge(self, principal: Principal, workspace: str) -> None:
        """Count a request, or raise `TooManyRequests`; the one person on this machine asks as often as wanted."""
        if principal.via != "loopback":
            await self._limits.charge(principal, workspace)

    async def _bearer(self, authorization: str) -> Principal:
        scheme, _, token = authorization.partition(" ")
        token = token.strip(" ")
        if scheme.lower() != "bearer" or not 0 < len(token) <= MOST_CHARS or not token.isprintable():
            raise refused("malformed")
        if token.startswith(PREFIX):
            return await self.keys.identify(token)
        if self.oidc is None:
            raise refused("no issuer is configured")
        return await self.oidc.identify(token)

    async def keep_up(self, seconds: float) -> None:
        """Look for ever, every so often, whether there are keys by now: other processes make and delete them."""
        while True:
            await asyncio.sleep(seconds)
            with suppress(StorageError):
                await self._asks_for_credentials()

    async def _asks_for_credentials(self) -> bool:
        if self.oidc is None:
            self._has_keys = await self.keys.exist()
        return self.is_configured

    def _one_person(self) -> Principal:
        memberships = {EVERYWHERE: _ADMIN, self._settings.workspace: _ADMIN}
        return Principal(user=self._settings.user, memberships=memberships, via="loopback")


@asynccontextmanager
async def open_identity(
    settings: Settings, database: Database, clock: Callable[[], float], *, audit: Audit, look_every: float = 5.0
) -> AsyncIterator[Identity]:
    """Open who may use an installation.

    Args:
        settings: What is configured.
        database: Where keys, members and sessions are kept.
        clock: Returns unix time in seconds.
        audit: Where changes are noted.
        look_every: Seconds after which it is looked whether there are keys by now.

    Raises:
        StorageError: The database cannot be used.
    """
    await create_tables(database)
    configured, home = settings.identity, settings.workspace
    keys = Keys(database, clock, audit, home=home, days=configured.key_days)
    members = Members(database, audit, home=home)
    sessions = Sessions(database, clock, configured, keys, members)
    has_keys = await keys.exist()
    async with (
        open_oidc(configured.oidc, database, members, clock) as oidc,
        open_limits(configured, settings.redis_url) as limits,
    ):
        identity = Identity(
            settings, keys=keys, members=members, sessions=sessions, oidc=oidc, limits=limits, has_keys=has_keys
        )  # fmt: skip
        looking = asyncio.create_task(identity.keep_up(look_every))
        try:
            yield identity
        finally:
            looking.cancel()
            await asyncio.wait({looking})
