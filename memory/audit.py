"""The audit of a workspace: append-only and chained by hashes, so that a change of what was noted is found.

The head holds the last entry as a whole, and of many who replace it only one can: so there is one chain, without gap or
fork. The entry is then put in its own place, by whoever noted it, or after a crash by whoever notes the next: it is
noted from the moment that it is the head, and nothing is lost. Nothing of this waits on disk while the records are
away: `note` raises `StorageAway`, and what was to be noted first does not happen.

A segment is closed when it is full; its last hash is what the next one builds on. Closed segments that were exported
can be dropped: a tombstone keeps the last hash of what is gone, and an entry of the chain says that it was.

What cannot be told from inside: that somebody who can write the records has cut the end off and set the head back, or
has written the whole chain anew. Both are found with an anchor, a number and a hash kept elsewhere (`head`,
`memory.audit_check.checked`).
"""

import asyncio
import hashlib
import random
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress

from domain.audit import Anchor, AuditEntry, Link, Noted, linked, noted
from domain.audit_chain import DROPPED, export_header, export_line
from domain.errors import StorageBusy, StorageCorrupt, StorageError, UserError
from domain.secrets import Secrets
from memory.audit_places import head_key, link_in, mark_key, place, stored, tombstone, tombstone_key
from memory.records import Records
from memory.workspaces import checked_workspace

SEGMENT = 1000
"""Entries of a segment."""
PATIENCE = 20.0
"""Seconds for which an entry is tried while others append, too."""
_PAUSE = 0.004
"""Longest wait before the second try, in seconds; it grows with each further one."""
_LONGEST_PAUSE = 0.1
_PAGE = 500


class Audit:
    """The audits of all workspaces."""

    def __init__(
        self,
        records: Records,
        clock: Callable[[], float] = time.time,
        *,
        secrets: Secrets | None = None,
        segment: int = SEGMENT,
        patience: float = PATIENCE,
    ) -> None:
        """Set up the audit.

        Args:
            records: Where it is kept.
            clock: Returns unix time in seconds.
            secrets: What must not be kept.
            segment: Entries after which a segment is closed.
            patience: Seconds for which an entry is tried.
        """
        self.records = records
        self._clock = clock
        self._secrets = secrets or Secrets()
        self.segment = segment
        self._patience = patience
        self._appending = asyncio.Lock()  # within a process nobody needs to try twice

    async def note(self, workspace: str, entry: AuditEntry, *, once: str = "") -> int:
        """Append an entry and return its number: 1, 2, 3, ...; it survives a loss of power when this returns.

        Args:
            workspace: Whose audit.
            entry: What happened, or is about to.
            once: An id under which the same is noted only once, as long as its segment is kept; again, the number of
                the first entry is returned.

        Raises:
            StorageAway: The records cannot be reached; without `once` nobody knows whether it was noted.
            StorageBusy: Others append so much that this did not come to its turn.
            StorageCorrupt: The end of the chain was changed from outside.
        """
        checked_workspace(workspace)
        entry, mark = self._secrets.model(entry), hashlib.sha256(once.encode()).hexdigest() if once else ""
        async with self._appending:
            return await self._appended(workspace, entry, mark)

    async def head(self, workspace: str) -> Anchor:
        """Return the number and hash of the last entry; 0 where there is none."""
        link = await self.head_link(workspace)
        return Anchor(noted(link).seq, link.hash) if link else Anchor()

    async def first(self, workspace: str) -> Anchor:
        """Return the last entry that was dropped; 0 where none was."""
        return tombstone(await self.records.get(tombstone_key(workspace)))

    async def pages(self, workspace: str, *, latest_first: bool = False) -> AsyncIterator[list[Noted]]:
        """Yield the entries that are kept, in parts.

        Raises:
            StorageCorrupt: An entry cannot be read.
        """
        async for links in self._link_pages(workspace, latest_first=latest_first):
            yield [noted(link) for link in links]

    async def exported(self, workspace: str) -> AsyncIterator[list[str]]:
        """Yield the lines of an export, in parts; `domain.audit_chain.checked_export` checks them anywhere.

        Raises:
            StorageCorrupt: An entry is missing or cannot be read.
        """
        first, head = await self.first(workspace), await self.head(workspace)
        yield [export_header(workspace, first, head)]
        before = first.hash
        async for links in self._link_pages(workspace, until=head.seq):
            befores = [before, *(link.hash for link in links)]
            yield [export_line(prev, link) for prev, link in zip(befores, links, strict=False)]
            before = befores[-1]

    async def drop(self, workspace: str, exported: Anchor, *, who: str) -> Anchor:
        """Drop the closed segments up to an entry that was exported, and return the last entry that is gone.

        Broken off, it can be done again. The entry that says so comes first, then the tombstone, then the deletion.

        Args:
            workspace: Whose audit.
            exported: The last entry of a sound export.
            who: The user who wants it.

        Raises:
            UserError: The export is not of this chain.
            StorageBusy: Somebody else is dropping, too.
        """
        known = await self.records.get(tombstone_key(workspace))
        first, head = tombstone(known), await self.head(workspace)
        through = min(exported.seq, head.seq - 1) // self.segment * self.segment
        await self._refuse_foreign(workspace, exported, first, head)
        if through > first.seq:
            last = link_in(await self.records.get(place(workspace, through)))
            if last is None:
                raise _broken(workspace)
            gone = Anchor(through, last.hash)
            entry = AuditEntry(kind="export", who=who, why="closed segments dropped", data={DROPPED: str(gone)})
            await self.note(workspace, entry, once=f"dropped:{gone}")
            if not await self.records.compare_and_set(tombstone_key(workspace), known, gone._asdict()):
                raise _moved(workspace)
            first = gone
        await self._delete_up_to(workspace, first.seq)
        return first

    async def head_link(self, workspace: str) -> Link | None:
        """Return the last entry as it is kept."""
        return link_in(await self.records.get(head_key(workspace)))

    async def links(self, workspace: str, numbers: Sequence[int]) -> list[Link | None]:
        """Return entries as they are kept in their own places, None where there is none."""
        return [link_in(value) for value in await self.records.get_many([place(workspace, seq) for seq in numbers])]

    async def _appended(self, workspace: str, entry: AuditEntry, mark: str) -> int:
        started, pause = time.monotonic(), _PAUSE
        while True:
            try:
                if seq := await self._tried(workspace, entry, mark):
                    return seq
            except StorageBusy:
                pass
            if time.monotonic() - started > self._patience:
                msg = f"the audit of workspace {workspace!r} is in such use that an entry did not come to its turn"
                raise StorageBusy(msg)
            await asyncio.sleep(random.uniform(0, pause))
            pause = min(pause * 1.3, _LONGEST_PAUSE)

    async def _tried(self, workspace: str, entry: AuditEntry, mark: str) -> int:
        """Append the entry if nobody else appends meanwhile, and return its number, else 0."""
        keys = [head_key(workspace), *([mark_key(workspace, mark)] if mark else [])]
        value, *marked = await self.records.get_many(keys)  # as they are at one moment
        last, latest = link_in(value), Anchor()
        if marked and marked[0] is not None:
            return int(marked[0]["seq"])
        if last is not None:
            before = noted(last)
            if mark and before.once == mark:
                return before.seq
            if await self.records.get(place(workspace, before.seq)) != value:
                await self._settle(workspace, before.seq, before.once, last)
            latest = Anchor(before.seq, last.hash)
        link, seq = linked(latest, workspace, self._clock(), entry, mark), latest.seq + 1
        if not await self.records.compare_and_set(head_key(workspace), value, stored(link)):
            return 0
        with suppress(StorageError):  # it is noted; whoever comes next puts it in its place
            await self._settle(workspace, seq, mark, link)
        return seq

    async def _settle(self, workspace: str, seq: int, mark: str, link: Link) -> None:
        """Put the head's entry in its own place, its mark first; whoever did it before has done the same.

        A comparison, although nobody can have put another there: it is the one write that is never queued.
        """
        if mark:
            await self.records.compare_and_set(mark_key(workspace, mark), None, {"seq": seq})
        key, value = place(workspace, seq), stored(link)
        if not await self.records.compare_and_set(key, None, value) and await self.records.get(key) != value:
            raise _broken(workspace)

    async def _link_pages(
        self, workspace: str, *, latest_first: bool = False, until: int | None = None
    ) -> AsyncIterator[list[Link]]:
        head, first = await self.head_link(workspace), await self.first(workspace)
        if head is None:
            return
        end = min(noted(head).seq, until or noted(head).seq)
        starts = range(first.seq + 1, end + 1, _PAGE)
        for start in reversed(starts) if latest_first else starts:
            found = await self.links(workspace, range(start, min(start + _PAGE, end + 1)))
            if found[-1] is None and start + len(found) - 1 == noted(head).seq:
                found[-1] = head
            links = [link for link in found if link is not None]
            if len(links) < len(found):
                raise _broken(workspace) if await self.first(workspace) == first else _moved(workspace)
            yield links[::-1] if latest_first else links

    async def _refuse_foreign(self, workspace: str, exported: Anchor, first: Anchor, head: Anchor) -> None:
        known = [first, head]
        if link := (await self.links(workspace, [exported.seq]))[0]:
            known.append(Anchor(exported.seq, link.hash))
        if exported not in known:
            msg = f"the export ends with an entry {exported.seq} that is not in the audit of workspace {workspace!r}"
            raise UserError(msg)

    async def _delete_up_to(self, workspace: str, last: int) -> None:
        """Delete the entries up to a number with their marks, the oldest first, so that those left have no gap."""
        left = last
        while left and (await self.links(workspace, [left]))[0]:
            left -= 1
        for seq in range(left + 1, last + 1):
            link = (await self.links(workspace, [seq]))[0]
            if link is not None and (mark := noted(link).once):
                await self.records.delete(mark_key(workspace, mark))
            await self.records.delete(place(workspace, seq))


def _broken(workspace: str) -> StorageCorrupt:
    return StorageCorrupt(
        f"the audit of workspace {workspace!r} was changed from outside; see what with: understudy audit verify"
    )


def _moved(workspace: str) -> StorageBusy:
    return StorageBusy(f"old entries of the audit of workspace {workspace!r} are being dropped; try again")
