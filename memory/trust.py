"""Trust tiers: how much the system may do by itself for a user of a workspace; only a person sets one.

Every change is kept in an append-only log. What cannot be read counts as the least trust.
"""

import time
from collections.abc import Callable
from typing import get_args

from pydantic import BaseModel, ConfigDict, ValidationError

from domain.audit import AuditEntry
from domain.autonomy import Tier
from domain.errors import InvalidRule, StorageError
from memory.audit import Audit
from memory.provenance import Provenance
from memory.records import Records, Value
from memory.workspaces import checked_workspace

LEAST: Tier = get_args(Tier)[0]


class TrustChange(BaseModel):
    """One change of a user's tier."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    user: str
    tier: Tier
    time: float
    """Unix time in seconds."""
    provenance: Provenance


class Trust:
    """The tiers of every workspace."""

    def __init__(self, records: Records, *, clock: Callable[[], float] = time.time, audit: Audit | None = None) -> None:
        """Set up the tiers.

        Args:
            records: Where they are kept.
            clock: Returns unix time in seconds.
            audit: Where each change is noted before it is made; None notes nothing.
        """
        self._records = records
        self._clock = clock
        self._audit = audit

    async def set(self, workspace: str, user: str, tier: Tier, by: Provenance) -> TrustChange:
        """Give a user a tier.

        Raises:
            InvalidRule: It is not a person who gives it, there is no such tier, or no user is named.
        """
        if not by.trusted:
            msg = f"only a person may say how far a user is trusted, not {by.writer!r}"
            raise InvalidRule(msg)
        if tier not in get_args(Tier) or not user.strip():
            msg = f"a user gets one of {', '.join(get_args(Tier))}; not {tier!r:.40} for {user!r:.60}"
            raise InvalidRule(msg)
        change = TrustChange(user=user, tier=tier, time=self._clock(), provenance=by)
        if self._audit is not None:
            entry = AuditEntry(
                kind="trust",
                who=by.who,
                why="a person set a tier",
                data={"user": user[:200], "tier": tier},
            )
            await self._audit.note(workspace, entry)
        await self._records.append(_log(workspace), change.model_dump(mode="json"))
        return change

    async def tier(self, workspace: str, user: str, default: Tier) -> Tier:
        """Return a user's tier: what a person gave last, else the default; the least where that cannot be read."""
        try:
            log = await self._records.read(_log(workspace))
        except StorageError:
            return LEAST
        found = default
        for _, value in log:
            found = _after(found, value, user)
        return found

    async def listed(self, workspace: str) -> dict[str, Tier]:
        """Return the users who were given a tier, with what they have now."""
        users = {
            user for _, value in await self._records.read(_log(workspace)) if isinstance(user := value.get("user"), str)
        }
        return {user: await self.tier(workspace, user, LEAST) for user in sorted(users)}


def _after(tier: Tier, value: Value, user: str) -> Tier:
    """Return a user's tier after a change; one that cannot be read, and may be about the user, leaves the least."""
    try:
        change = TrustChange.model_validate(value)
    except ValidationError:
        known = value.get("user")
        return tier if isinstance(known, str) and known != user else LEAST
    return change.tier if change.user == user else tier


def _log(workspace: str) -> str:
    return f"autonomy:trust:{checked_workspace(workspace)}"
