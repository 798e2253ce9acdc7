"""The audit of one workspace, as its people see it: shown, checked, exported and shortened."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from domain.audit import Anchor, AuditEntry, Noted, digest
from domain.audit_chain import Checked, checked_export
from domain.errors import UserError
from memory.audit import Audit
from memory.audit_check import checked


class Wanted(NamedTuple):
    """Which entries are to be shown."""

    run: str = ""
    thread: str = ""
    kind: str = ""
    who: str = ""
    since: float = 0.0
    """Unix time in seconds."""
    limit: int = 50

    def fits(self, noted: Noted) -> bool:
        """Return whether an entry is wanted; what is empty asks for nothing."""
        entry = noted.entry
        told = ((self.run, entry.run), (self.thread, entry.thread), (self.kind, entry.kind), (self.who, entry.who))
        return noted.time >= self.since and all(not wanted or wanted == found for wanted, found in told)


@dataclass(frozen=True)
class WorkspaceAudit:
    """What one user may do with the audit of a workspace."""

    audit: Audit
    workspace: str
    user: str

    async def head(self) -> Anchor:
        """Return the number and hash of the last entry, to keep elsewhere."""
        return await self.audit.head(self.workspace)

    async def shown(self, wanted: Wanted) -> list[Noted]:
        """Return the latest entries that are wanted, the newest first."""
        found: list[Noted] = []
        async for page in self.audit.pages(self.workspace, latest_first=True):
            found += [noted for noted in page if wanted.fits(noted)]
            if len(found) >= wanted.limit:
                break
        return found[: wanted.limit]

    async def verified(self, against: Sequence[Anchor] = ()) -> Checked:
        """Return what a check of the audit came to."""
        return await checked(self.audit, self.workspace, against)

    async def exported(self) -> AsyncIterator[str]:
        """Yield the lines of an export; that it was made is its last entry."""
        await self.note_export("audit")
        async for lines in self.audit.exported(self.workspace):
            for line in lines:
                yield line

    async def drop(self, lines: Sequence[str]) -> Anchor:
        """Drop the closed segments that an export holds, and return the last entry that is gone; 0 where none is.

        Raises:
            UserError: The export is not sound, or of another audit.
        """
        workspace, found = checked_export(lines)
        if not found.sound or workspace != self.workspace:
            msg = f"this is no sound export of workspace {self.workspace!r}: {'; '.join(found.problems) or workspace}"
            raise UserError(msg)
        return await self.audit.drop(self.workspace, found.head, who=self.user)

    async def note_export(self, what: str, lines: Sequence[str] = (), *, run: str = "") -> None:
        """Note that something leaves: what, how much, and the hash of it.

        Raises:
            StorageError: It cannot be noted, so it must not leave.
        """
        data = {"what": what} | ({"lines": len(lines), "hash": digest(list(lines))} if lines else {})
        entry = AuditEntry(kind="export", who=self.user, why=f"{what} exported", run=run, data=data)
        await self.audit.note(self.workspace, entry)
