"""Checking a workspace's audit where it is kept: the chain, what stands beside it, and anchors kept elsewhere."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from domain.audit import Anchor, Link, Noted, noted
from domain.audit_chain import Chain, Checked
from domain.errors import StorageAway, StorageBusy, StorageError, StorageFull
from memory.audit import Audit
from memory.audit_places import mark_key, marks, place, places

PAGE = 1000
"""Entries that are read at once."""
_PASSING = (StorageAway, StorageBusy, StorageFull)
_DAMAGE = (StorageError, ValueError, TypeError)
"""What reading a value raises that is no JSON object, or no text at all."""


async def checked(audit: Audit, workspace: str, against: Sequence[Anchor] = ()) -> Checked:
    """Return what a check of an audit came to; others may append meanwhile.

    Every byte of every entry, of the head, of the marks of what is noted once and of the tombstone counts. What an
    attacker who can write the records can do unseen is told in `memory.audit`; `against` finds that, too.

    Raises:
        StorageAway: The records cannot be reached.
    """
    return await _Check(audit, workspace, against).run()


class _Check:
    def __init__(self, audit: Audit, workspace: str, against: Sequence[Anchor]) -> None:
        self._audit, self._records, self._workspace = audit, audit.records, workspace
        self._chain = Chain(workspace, against=against)
        self._expected_marks = 0
        self._in_place = 0

    async def run(self) -> Checked:
        chain = self._chain
        try:
            first = await self._audit.first(self._workspace)
        except _PASSING:
            raise
        except _DAMAGE:
            chain.blame("the note of what was dropped cannot be read")
            return chain.checked()
        self._chain = chain = Chain(self._workspace, first, chain.against)
        head = await self._head()
        if head is not None:
            await self._walk(first.seq + 1, head.seq)
            await self._follow_head(head)
        await self._count(head)
        if first.seq and str(first) not in chain.dropped:
            chain.blame(f"no entry says that the audit was dropped up to entry {first.seq}: its beginning is gone")
        return chain.checked()

    async def _head(self) -> Noted | None:
        """Return the last entry; where that cannot be read, what can be told of the others is told."""
        try:
            link = await self._audit.head_link(self._workspace)
            head = noted(link) if link else None
        except _PASSING:
            raise
        except _DAMAGE:
            self._chain.blame("the last entry cannot be read")
            return None
        if head is not None and head.seq <= self._chain.first.seq:
            self._chain.blame(f"the last entry says that it is entry {head.seq}, which was dropped")
            return None
        return head

    async def _walk(self, start: int, end: int) -> None:
        """Follow the entries in their own places, those before `end`."""
        for at in range(start, end, PAGE):
            numbers = range(at, min(at + PAGE, end))
            links = await self._links(numbers)
            if not any(links):
                self._chain.blame(f"the entries {numbers[0]} to {end - 1} are missing")
                self._chain.at = Anchor(end - 1, "")
                return
            await self._check_marks([(seq, self._chain.follow(link)) for seq, link in zip(numbers, links, strict=True)])

    async def _links(self, numbers: Sequence[int]) -> list[Link | None]:
        """Return entries as they are kept; one that cannot be read counts as missing and is named."""
        try:
            return await self._audit.links(self._workspace, numbers)
        except _PASSING:
            raise
        except _DAMAGE:
            if len(numbers) > 1:
                half = len(numbers) // 2
                return [*await self._links(numbers[:half]), *await self._links(numbers[half:])]
            self._chain.blame(f"entry {numbers[0]} cannot be read")
            return [None]

    async def _check_marks(self, entries: Sequence[tuple[int, dict[str, Any]]], *, needed: bool = True) -> None:
        marked = [(seq, str(content["once"])) for seq, content in entries if content.get("once")]
        for (seq, _), value in zip(marked, await self._values([m for _, m in marked]), strict=True):
            self._expected_marks += needed or value is not None
            if (needed or value is not None) and not _is_mark(value, seq):
                self._chain.blame(f"the mark that entry {seq} is noted only once is missing or was changed")

    async def _values(self, found: Sequence[str]) -> list[Any]:
        keys = [mark_key(self._workspace, mark) for mark in found]
        try:
            return list(await self._records.get_many(keys)) if keys else []
        except _PASSING:
            raise
        except _DAMAGE:
            if len(found) > 1:
                half = len(found) // 2
                return [*await self._values(found[:half]), *await self._values(found[half:])]
            return [{}]

    async def _follow_head(self, head: Noted) -> None:
        """Follow the last entry; one that is not in its own place yet comes there when the next is noted."""
        [own] = await self._links([head.seq])
        link = await self._audit.head_link(self._workspace)
        if link is None or link.hash != head.hash:  # it has been replaced meanwhile
            link = own
        elif own is not None and own != link:
            self._chain.blame(f"entry {head.seq} stands there twice, and differs")
        content = self._chain.follow(link)
        await self._check_marks([(head.seq, content)], needed=own is not None)  # the mark comes before the place
        self._in_place = head.seq - 1 - self._chain.first.seq + (own is not None)

    async def _count(self, head: Noted | None) -> None:
        """Look for what stands beside the chain; the keys are read where their number is not the expected one."""
        there = await self._records.count(places(self._workspace))
        if head is None and there:
            self._chain.blame("the last entry is gone, and others are there")
        elif head is not None and there != self._in_place:
            await self._look(places(self._workspace), self._is_place)
        if await self._records.count(marks(self._workspace)) != self._expected_marks:
            await self._look(marks(self._workspace), self._is_marked)

    async def _look(self, prefix: str, belongs: Callable[[str, Any], Awaitable[bool]]) -> None:
        self._now = await self._head_seq()
        try:
            async for page in self._records.pages(prefix):
                for key, value in page:
                    if not await belongs(key, value):
                        self._chain.blame(f"{key!r:.120} was added from outside")
        except _PASSING:
            raise
        except _DAMAGE:
            self._chain.blame(f"what stands under {prefix!r} cannot all be read")

    async def _head_seq(self) -> int:
        try:
            return (await self._audit.head(self._workspace)).seq
        except _PASSING:
            raise
        except _DAMAGE:
            return 0

    async def _is_place(self, key: str, _: Any) -> bool:
        number = key.rpartition(":")[2]
        in_form = number.isascii() and number.isdigit() and key == place(self._workspace, int(number))
        return in_form and 1 <= int(number) <= self._now

    async def _is_marked(self, key: str, value: Any) -> bool:
        seq = value.get("seq")
        if type(seq) is not int or not 1 <= seq <= self._now:
            return False
        if seq <= self._chain.first.seq:
            return True  # its entry was dropped, and the deletion broken off
        [link] = await self._links([seq])
        link = link or await self._audit.head_link(self._workspace)
        return link is not None and noted(link).seq == seq and mark_key(self._workspace, noted(link).once) == key


def _is_mark(value: Any, seq: int) -> bool:
    return isinstance(value, dict) and value == {"seq": seq} and type(value["seq"]) is int
