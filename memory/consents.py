"""Consents: what the people of a workspace have agreed to, every move kept in an append-only log.

A consent holds for one person in one workspace until that person takes it back or says something else. "This time" is
not kept here: it ends with its run.
"""

import time
from collections.abc import Callable

from domain.audit import AuditEntry
from domain.consent import Consent, Move, Standing, checked_scope, standing
from memory.audit import Audit
from memory.records import Records
from memory.workspaces import checked_workspace


class Consents:
    """The consents of every workspace."""

    def __init__(self, records: Records, *, clock: Callable[[], float] = time.time, audit: Audit | None = None) -> None:
        self._records = records
        self._clock = clock
        self._audit = audit

    async def standing(self, workspace: str, user: str) -> dict[str, Standing]:
        """Return what holds for a person: by scope `always` or `never`.

        Raises:
            StorageAway: Nobody can tell now.
        """
        return standing(await self.history(workspace), user)

    async def history(self, workspace: str) -> list[Consent]:
        """Return every move of everybody, oldest first."""
        log = await self._records.read(_log(workspace))
        return [Consent.model_validate(value | {"number": number}) for number, value in log]

    async def give(self, workspace: str, user: str, scope: str, *, by: str, run: str = "") -> Consent | None:
        """Note that a person agrees for good; None where that held already."""
        return await self._moved(workspace, user, scope, "always", by, run)

    async def refuse(self, workspace: str, user: str, scope: str, *, by: str, run: str = "") -> Consent | None:
        """Note that a person refuses for good; None where that held already."""
        return await self._moved(workspace, user, scope, "never", by, run)

    async def revoke(self, workspace: str, user: str, scope: str, *, by: str) -> Consent | None:
        """Take back what a person has said of a scope, so that it is asked again; None where nothing was said."""
        return await self._moved(workspace, user, scope, "revoked", by, "")

    async def _moved(self, workspace: str, user: str, scope: str, move: Move, by: str, run: str) -> Consent | None:
        """Append a move that changes something, so that an answer which is taken twice is noted once.

        It is in the audit before it holds: a consent that nobody could look up would be worth nothing.
        """
        present = (await self.standing(workspace, user)).get(checked_scope(scope))
        if present == (None if move == "revoked" else move):
            return None
        consent = Consent(user=user, scope=scope, move=move, by=by, time=self._clock(), run=run)
        if self._audit is not None:
            data = {"user": user, "scope": scope, "move": move}
            why = "a person took it back" if move == "revoked" else "a person said so"
            await self._audit.note(workspace, AuditEntry(kind="consent", who=by, why=why, run=run, data=data))
        number = await self._records.append(_log(workspace), consent.model_dump(mode="json", exclude={"number"}))
        return consent.model_copy(update={"number": number})


def _log(workspace: str) -> str:
    return f"memory:consents:{checked_workspace(workspace)}"
