"""API keys: made and shown once, kept as hashes, restricted, expiring, revoked at once everywhere.

A key reads `us_ID_SECRET`. The id may be seen by anybody: the audit, the log and `understudy keys list` name it. Every
request looks its key up in the database, so that a key that was revoked in one process is refused by the next request
to any other.
"""

import logging
import re
import secrets
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

import sqlalchemy as sa
from pydantic import SecretStr

from domain.audit import AuditEntry
from domain.budgets import Budget
from domain.errors import InvalidMember, StorageError, Unauthenticated, UnknownKey
from memory.audit import Audit
from understudy.durable.database import Database
from understudy.identity import key_rows
from understudy.identity.hashing import SECRET_CHARS, drawn, hashed, matches
from understudy.identity.key_rows import KEY_ID, ApiKey, KeyRow
from understudy.identity.names import checked_memberships, checked_scopes, checked_user
from understudy.identity.principals import EVERYWHERE, Principal
from understudy.identity.tables import KEYS

PREFIX = "us_"
REFUSED = "this key is not accepted"
"""Said of every key that does not work, so that nobody learns which ones exist."""
_FORM = re.compile(rf"us_(?P<id>[0-9a-f]{{12}})_(?P<secret>[A-Za-z0-9]{{{SECRET_CHARS}}})")
_DAY = 86_400.0
_MOST_DAYS = 3650
_USED_EVERY = 60.0
"""Seconds after which the time of the last use is written again."""


class Created(NamedTuple):
    """A new key, and the one time that its secret is there."""

    key: ApiKey
    token: SecretStr


class Keys:
    """The API keys of an installation."""

    def __init__(
        self, database: Database, clock: Callable[[], float], audit: Audit, *, home: str, days: int = 90
    ) -> None:
        """Set up the keys.

        Args:
            database: Where they are kept.
            clock: Returns unix time in seconds.
            audit: Where what is done with them is noted, in every workspace that a key is for.
            home: The workspace whose audit has the keys that are for all workspaces.
            days: How long a key is good for where nothing else is said.
        """
        self._database, self._clock, self._audit = database, clock, audit
        self._home, self._days = home, days

    async def create(
        self,
        user: str,
        memberships: Mapping[str, Iterable[str]],
        *,
        scopes: Iterable[str] | None = None,
        days: float | None = None,
        budget: Budget | None = None,
        by: str,
    ) -> Created:
        """Make a key; its secret is returned here and nowhere else, ever.

        Args:
            user: Whose it is.
            memberships: Roles by workspace; `*` stands for all.
            scopes: Permissions that it is restricted to; None: what the roles grant.
            days: How long it is good for.
            budget: What may be consumed with it in a day.
            by: Who makes it.

        Raises:
            InvalidMember: There is no such role or permission, the name is none, or the time is not possible.
            StorageError: It could not be noted or kept; then there is no key.
        """
        now, lasts = self._clock(), self._days if days is None else days
        if not 0 < lasts <= _MOST_DAYS:
            msg = f"a key is good for more than 0 and at most {_MOST_DAYS} days"
            raise InvalidMember(msg)
        restricted = None if scopes is None else checked_scopes(scopes)
        if restricted is not None and not restricted:
            raise InvalidMember("a key that is restricted to no permission at all would do nothing")
        secret = drawn()
        key = ApiKey(
            id=secrets.token_hex(6), user=checked_user(user), memberships=checked_memberships(memberships),
            scopes=restricted, budget=budget or Budget(), created=now, created_by=by, expires=now + lasts * _DAY,
        )  # fmt: skip
        await self._note(key, "created", by)
        await self._database.write(lambda connection: key_rows.insert(connection, key, hashed(secret)))
        return Created(key, SecretStr(f"{PREFIX}{key.id}_{secret}"))

    async def listed(self) -> list[ApiKey]:
        """Return all keys, the newest first."""
        order = (KEYS.c.created.desc(), KEYS.c.id)
        return [
            row.key for row in await self._database.read(lambda connection: key_rows.found(connection, order=order))
        ]

    async def get(self, key: str) -> ApiKey:
        """Return a key by its id, or raise `UnknownKey`."""
        if (row := await self._row(key)) is None:
            raise _unknown(key)
        return row.key

    async def exist(self) -> bool:
        """Return whether there is any key, in force or not; one that was deleted is none."""
        query = sa.select(KEYS.c.id).limit(1)
        return await self._database.read(lambda connection: connection.execute(query).first() is not None)

    async def revoke(self, key: str, *, by: str) -> ApiKey:
        """Put a key out of force with every session that was begun with it; a key that is so already stays so.

        It comes first and is noted then: a key that has leaked must not stay in force because the audit is away.

        Raises:
            UnknownKey: There is none with this id.
            StorageError: It could not be done; or it was, and could not be noted, in which case it can be done again.
        """
        await self.get(key)
        now = self._clock()
        row = await self._database.write(lambda connection: key_rows.revoke(connection, key, now))
        if row is None:
            raise _unknown(key)
        await self._note(row.key, "revoked", by)
        return row.key

    async def delete(self, key: str, *, by: str) -> None:
        """Delete a key that was revoked; with the last one gone, nobody on this machine needs one any more.

        Raises:
            UnknownKey: There is none with this id.
            InvalidMember: It is not revoked.
        """
        found = await self.get(key)
        if found.revoked is None:
            msg = f"key {key} is not revoked; only what is out of force is deleted"
            raise InvalidMember(msg)
        await self._note(found, "deleted", by)
        query = sa.delete(KEYS).where(KEYS.c.id == key, KEYS.c.revoked.is_not(None))
        await self._database.write(lambda connection: connection.execute(query).close())

    async def identify(self, token: str) -> Principal:
        """Return who asks with a key.

        Raises:
            Unauthenticated: It is malformed, unknown, revoked or expired; which of these only the log says.
        """
        match = _FORM.fullmatch(token)
        row = await self._row(match["id"]) if match else None
        is_right = matches(match["secret"] if match else "", row.hash if row else None)
        if match is None or row is None or not is_right:
            raise _refused(match["id"] if match else "", "malformed" if match is None else "unknown or wrong")
        now = self._clock()
        if (status := row.key.status(now)) != "active":
            raise _refused(row.key.id, status)
        await self._mark_used(row.key, now)
        return row.key.principal

    async def current(self, key: str) -> Principal | None:
        """Return who asks with a key that was checked before, None where it is not in force any more."""
        row = await self._row(key)
        return row.key.principal if row and row.key.status(self._clock()) == "active" else None

    async def _row(self, key: str) -> KeyRow | None:
        if not KEY_ID.fullmatch(key):
            return None
        rows = await self._database.read(lambda connection: key_rows.found(connection, KEYS.c.id == key))
        return rows[0] if rows else None

    async def _mark_used(self, key: ApiKey, now: float) -> None:
        if key.used is not None and now - key.used < _USED_EVERY:
            return
        query = sa.update(KEYS).where(
            KEYS.c.id == key.id, sa.or_(KEYS.c.used.is_(None), KEYS.c.used <= now - _USED_EVERY)
        )
        try:
            await self._database.write(lambda connection: connection.execute(query.values(used=now)).close())
        except StorageError as error:  # who asks is known; when somebody asked last may be told late
            logging.getLogger(__name__).warning("the last use of key %s could not be kept: %s", key.id, error)

    async def _note(self, key: ApiKey, move: str, by: str) -> None:
        for workspace, roles in key.memberships.items():
            data = {
                "key": key.id, "move": move, "user": key.user, "workspace": workspace, "roles": sorted(roles),
                "scopes": None if key.scopes is None else sorted(key.scopes), "expires": key.expires,
            }  # fmt: skip
            where = self._home if workspace == EVERYWHERE else workspace
            entry = AuditEntry(kind="key", who=by, why=f"key {key.id} {move}", data=data)
            await self._audit.note(where, entry, once=f"key:{key.id}:{move}:{workspace}")


def _refused(key: str, reason: str) -> Unauthenticated:
    logging.getLogger(__name__).info("key %s was refused: %s", key or "(none)", reason)
    return Unauthenticated(REFUSED)


def _unknown(key: str) -> UnknownKey:
    return UnknownKey(f"no key has the id {key!r:.40}; see: understudy keys list")
