"""Sessions of people in the console: a random token in a cookie, and everything else here.

A session says who began it. What that person may do is looked up anew at each request: a key that was revoked or has
expired ends its sessions, and a role that was taken away is gone at once.
"""

import json
from collections.abc import Callable
from typing import Any, NamedTuple

import sqlalchemy as sa

from understudy.durable.database import Database
from understudy.identity.hashing import SECRET_CHARS, csrf_of, drawn, hashed
from understudy.identity.keys import Keys
from understudy.identity.members import Members
from understudy.identity.names import joined
from understudy.identity.principals import Principal
from understudy.identity.settings import IdentitySettings
from understudy.identity.tables import SESSIONS

_HOUR = 3600.0
_MOVED_EVERY = 60.0
"""Seconds of use after which a session's end is moved on."""


class Session(NamedTuple):
    """A new session."""

    token: str
    """For a cookie that scripts cannot read."""
    csrf: str
    """For the forms of its pages (`hashing.is_csrf`)."""


class Sessions:
    """The sessions of an installation."""

    def __init__(
        self, database: Database, clock: Callable[[], float], settings: IdentitySettings, keys: Keys, members: Members
    ) -> None:
        """Set up the sessions; they are for whoever was identified with a key or by an issuer."""
        self._database, self._clock, self._settings = database, clock, settings
        self._keys, self._members = keys, members

    async def create(self, principal: Principal) -> Session:
        """Begin a session of somebody who was identified; sessions that are over are cleared away."""
        token, now = drawn(), self._clock()
        row = {
            "hash": hashed(token), "user": principal.user, "via": principal.via, "key": principal.key,
            "claimed": json.dumps({workspace: sorted(roles) for workspace, roles in principal.claimed.items()}),
            "expires": now + self._settings.session_hours * _HOUR,
            "ends": now + self._settings.session_most_hours * _HOUR,
        }  # fmt: skip
        await self._database.write(lambda connection: _insert(connection, row, now))
        return Session(token, csrf_of(token))

    async def find(self, token: str) -> Principal | None:
        """Return who has begun a session, as far as it still holds, and move its end on."""
        if len(token) != SECRET_CHARS:
            return None
        now = self._clock()
        query = sa.select(SESSIONS).where(SESSIONS.c.hash == hashed(token), SESSIONS.c.expires > now)
        row = await self._database.read(lambda connection: connection.execute(query).mappings().first())
        if row is None:
            return None
        principal = await self._principal(row)
        if principal is None:
            await self.drop(token)
        else:
            await self._move(row, now)
        return principal

    async def drop(self, token: str) -> None:
        """End a session, if there is one."""
        query = sa.delete(SESSIONS).where(SESSIONS.c.hash == hashed(token))
        await self._database.write(lambda connection: connection.execute(query).close())

    async def drop_all(self, user: str) -> int:
        """End every session of a user, and return how many there were."""
        query = sa.delete(SESSIONS).where(SESSIONS.c.user == user)
        return await self._database.write(lambda connection: connection.execute(query).rowcount)

    async def _principal(self, row: sa.RowMapping) -> Principal | None:
        if row["via"] == "key":
            return await self._keys.current(row["key"])
        if row["via"] == "oidc" and self._settings.oidc is not None:
            claimed = {workspace: frozenset(roles) for workspace, roles in json.loads(row["claimed"]).items()}
            memberships = joined(claimed, await self._members.of(row["user"]))
            return Principal(user=row["user"], memberships=memberships, claimed=claimed, via="oidc")
        return None

    async def _move(self, row: sa.RowMapping, now: float) -> None:
        """Move the end of a session on, at most once a minute and never beyond the time that it has at most."""
        expires = min(now + self._settings.session_hours * _HOUR, row["ends"])
        if expires - row["expires"] < _MOVED_EVERY:
            return
        query = sa.update(SESSIONS).where(SESSIONS.c.hash == row["hash"]).values(expires=expires)
        await self._database.write(lambda connection: connection.execute(query).close())


def _insert(connection: sa.Connection, row: dict[str, Any], now: float) -> None:
    connection.execute(sa.delete(SESSIONS).where(SESSIONS.c.expires <= now))
    connection.execute(sa.insert(SESSIONS).values(row))
