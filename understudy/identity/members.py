"""Who belongs to which workspace, for people who sign in at an issuer; an API key carries its memberships itself."""

from collections.abc import Iterable
from typing import NamedTuple, cast, get_args

import sqlalchemy as sa

from domain.audit import AuditEntry
from domain.errors import InvalidMember
from memory.audit import Audit
from memory.workspaces import checked_workspace
from understudy.durable.database import Database
from understudy.durable.questions import insert_new
from understudy.identity.names import checked_memberships, checked_user
from understudy.identity.principals import EVERYWHERE, Role
from understudy.identity.tables import MEMBERS


class Member(NamedTuple):
    """A user's roles in a workspace."""

    user: str
    workspace: str
    roles: frozenset[Role]


class Members:
    """The members of all workspaces."""

    def __init__(self, database: Database, audit: Audit, *, home: str) -> None:
        """Set up the members.

        Args:
            database: Where they are kept.
            audit: Where changes are noted.
            home: The workspace whose audit has memberships in all workspaces.
        """
        self._database, self._audit, self._home = database, audit, home

    async def add(self, user: str, workspace: str, roles: Iterable[str], *, by: str) -> Member:
        """Give a user roles in a workspace beside those that it has, and return all of them; `*` means everywhere.

        Raises:
            InvalidMember: The name is none, or there is no such role.
            InvalidWorkspace: No workspace can have this name.
            StorageError: It could not be noted or kept; then nothing was changed.
        """
        checked_user(user)
        given = checked_memberships({workspace: roles})[workspace]
        await self._note(user, workspace, "added", given, by)
        await self._database.write(lambda connection: _insert(connection, user, workspace, given))
        return Member(user, workspace, (await self.of(user)).get(workspace, frozenset()))

    async def remove(self, user: str, workspace: str, roles: Iterable[str] | None = None, *, by: str) -> Member:
        """Take roles from a user, all of them where none is named, and return those that are left.

        It holds from the next request on, also for who is signed in. It comes first and is noted then, as with keys.

        Raises:
            InvalidMember: The user has none of them there.
        """
        checked_user(user)
        given = checked_memberships({workspace: get_args(Role) if roles is None else roles})[workspace]
        gone = await self._database.write(lambda connection: _delete(connection, user, workspace, given))
        if not gone:
            msg = f"{user!r:.60} has no such role in workspace {workspace!r:.80}; see: understudy members list"
            raise InvalidMember(msg)
        await self._note(user, workspace, "removed", gone, by)
        return Member(user, workspace, (await self.of(user)).get(workspace, frozenset()))

    async def of(self, user: str) -> dict[str, frozenset[Role]]:
        """Return a user's roles by workspace."""
        return {member.workspace: member.roles for member in await self._found(MEMBERS.c.user == user)}

    async def listed(self, workspace: str | None = None) -> list[Member]:
        """Return the members of a workspace, with those that are so everywhere; None: of all workspaces."""
        if workspace not in (None, EVERYWHERE):
            checked_workspace(workspace)
        where = [] if workspace is None else [MEMBERS.c.workspace.in_([workspace, EVERYWHERE])]
        return await self._found(*where)

    async def _found(self, *where: sa.ColumnElement[bool]) -> list[Member]:
        query = sa.select(MEMBERS).where(*where).order_by(MEMBERS.c.workspace, MEMBERS.c.user)
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        found: dict[tuple[str, str], set[Role]] = {}
        for row in rows:
            found.setdefault((row.user, row.workspace), set()).add(cast(Role, row.role))
        return [Member(user, workspace, frozenset(roles)) for (user, workspace), roles in found.items()]

    async def _note(self, user: str, workspace: str, move: str, roles: Iterable[Role], by: str) -> None:
        data = {"member": user, "move": move, "workspace": workspace, "roles": sorted(roles)}
        entry = AuditEntry(kind="member", who=by, why=f"{user}: {', '.join(sorted(roles))} {move}", data=data)
        await self._audit.note(self._home if workspace == EVERYWHERE else workspace, entry)


def _insert(connection: sa.Connection, user: str, workspace: str, roles: Iterable[Role]) -> None:
    for role in roles:
        insert_new(connection, MEMBERS, user=user, workspace=workspace, role=role)


def _delete(connection: sa.Connection, user: str, workspace: str, roles: frozenset[Role]) -> frozenset[Role]:
    """Delete roles, and return those that were there."""
    where = (MEMBERS.c.user == user, MEMBERS.c.workspace == workspace, MEMBERS.c.role.in_(roles))
    gone = connection.execute(sa.delete(MEMBERS).where(*where).returning(MEMBERS.c.role)).scalars()
    return frozenset(cast(Role, role) for role in gone)
