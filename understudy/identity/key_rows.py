"""API keys as they are kept: their rows, and statements for use in one transaction."""

import json
import re
from collections.abc import Iterable
from typing import Literal, NamedTuple

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict

from domain.budgets import Budget
from understudy.identity.principals import Permission, Principal, Role
from understudy.identity.tables import KEYS, SESSIONS

KEY_ID = re.compile("[0-9a-f]{12}")

KeyStatus = Literal["active", "expired", "revoked"]


class ApiKey(BaseModel):
    """A key without its secret."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    user: str
    memberships: dict[str, frozenset[Role]]
    scopes: frozenset[Permission] | None = None
    """What it is restricted to; None: what the roles grant."""
    budget: Budget = Budget()
    """What may be consumed with it in one day (UTC)."""
    created: float
    created_by: str
    expires: float
    revoked: float | None = None
    used: float | None = None
    """When it was last used, to the minute."""

    def status(self, now: float) -> KeyStatus:
        """Return how it stands."""
        if self.revoked is not None:
            return "revoked"
        return "active" if now < self.expires else "expired"

    @property
    def principal(self) -> Principal:
        """Who asks with it."""
        return Principal(
            user=self.user, memberships=self.memberships, via="key", key=self.id, scopes=self.scopes
        )  # fmt: skip


class KeyRow(NamedTuple):
    """A key with the hash of its secret."""

    key: ApiKey
    hash: str


def budget_of(connection: sa.Connection, key: str) -> Budget:
    """Return what may be consumed with a key in a day; nothing is bounded where there is no such key."""
    rows = found(connection, KEYS.c.id == key) if KEY_ID.fullmatch(key) else []
    return rows[0].key.budget if rows else Budget()


def insert(connection: sa.Connection, key: ApiKey, hash_of_secret: str) -> None:
    """Keep a new key."""
    told = key.model_dump(mode="json", exclude={"memberships", "scopes", "budget"})
    texts = {
        "memberships": json.dumps({workspace: sorted(roles) for workspace, roles in key.memberships.items()}),
        "scopes": None if key.scopes is None else json.dumps(sorted(key.scopes)),
        "budget": key.budget.model_dump_json(exclude_none=True),
    }
    connection.execute(sa.insert(KEYS).values(told | texts | {"hash": hash_of_secret}))


def revoke(connection: sa.Connection, key: str, now: float) -> KeyRow | None:
    """Revoke a key where it is not revoked, end its sessions, and return it as it is now."""
    connection.execute(sa.update(KEYS).where(KEYS.c.id == key, KEYS.c.revoked.is_(None)).values(revoked=now))
    connection.execute(sa.delete(SESSIONS).where(SESSIONS.c.key == key, SESSIONS.c.key != ""))
    rows = found(connection, KEYS.c.id == key)
    return rows[0] if rows else None


def found(
    connection: sa.Connection, *where: sa.ColumnElement[bool], order: Iterable[sa.ColumnElement[object]] = ()
) -> list[KeyRow]:
    """Return keys."""
    return [_row(row) for row in connection.execute(sa.select(KEYS).where(*where).order_by(*order)).mappings()]


def _row(row: sa.RowMapping) -> KeyRow:
    fields = dict(row)
    parsed = {name: json.loads(fields[name]) for name in ("memberships", "scopes", "budget") if fields[name]}
    return KeyRow(ApiKey.model_validate({k: v for k, v in fields.items() if k != "hash"} | parsed), fields["hash"])
