"""Who asks, and what roles let them do."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Role = Literal["member", "approver", "admin", "auditor"]
Permission = Literal["read", "run", "approve", "manage", "audit"]
"""See conversations and memory; start and steer runs; decide on questions; change rules, memory and keys; read the
audit."""

GRANTS: dict[Role, frozenset[Permission]] = {
    "member": frozenset({"read", "run"}),
    "approver": frozenset({"read", "approve"}),
    "admin": frozenset({"read", "run", "approve", "manage", "audit"}),
    "auditor": frozenset({"read", "audit"}),
}
"""What each role may do; who has several roles may do what any of them may."""
EVERYWHERE = "*"
"""Stands for all workspaces in memberships."""


class Principal(BaseModel):
    """Somebody who asks, as far as it was proved."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    user: str
    memberships: dict[str, frozenset[Role]]
    """Roles by workspace; those under `*` hold in all."""
    claimed: dict[str, frozenset[Role]] = Field(default_factory=dict)
    """What of it the issuer's token said; the rest is known here."""
    via: Literal["loopback", "key", "oidc"]
    key: str = ""
    """Id of the API key."""
    scopes: frozenset[Permission] | None = None
    """What a key is restricted to; None: what the roles grant."""

    def permits(self, workspace: str, permission: Permission) -> bool:
        """Return whether this may be done in a workspace."""
        roles = self.memberships.get(workspace, frozenset()) | self.memberships.get(EVERYWHERE, frozenset())
        granted = any(permission in GRANTS[role] for role in roles)
        return granted and (self.scopes is None or permission in self.scopes)

    @property
    def home(self) -> str | None:
        """The workspace that is meant where none is named: the only one; None where there are several."""
        named = [workspace for workspace in self.memberships if workspace != EVERYWHERE]
        return named[0] if len(named) == 1 else None
