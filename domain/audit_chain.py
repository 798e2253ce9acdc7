"""Checking the audit's chain: every entry in its place, unchanged, none missing and none added."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from domain.audit import GENESIS, Anchor, Link, canonical, chained
from domain.errors import InvalidImport

FORMAT = 1
"""Version of an export; another one is refused."""
NAMED = 20
"""Problems that are named one by one."""
DROPPED = "dropped"
"""Field of an entry's data that says up to which entry the audit was dropped then, as an anchor's text."""


class Checked(NamedTuple):
    """What a check of an audit came to."""

    entries: int
    """That were read."""
    first: Anchor
    """Behind which the check began; its entry itself was dropped, or is none."""
    head: Anchor
    """The last entry."""
    problems: tuple[str, ...]

    @property
    def sound(self) -> bool:
        """Whether nothing was changed, removed, added or moved."""
        return not self.problems


@dataclass
class Chain:
    """Follows links one by one, and remembers what is wrong."""

    workspace: str
    first: Anchor = Anchor()
    against: Sequence[Anchor] = ()
    """Anchors that were kept elsewhere."""
    problems: list[str] = field(default_factory=list)
    dropped: set[str] = field(default_factory=set)
    """Anchors up to which entries say that the audit was dropped."""
    followed: int = 0

    def __post_init__(self) -> None:
        self.at = self.first
        """The last link that was followed."""

    def follow(self, link: Link | None) -> dict[str, Any]:
        """Go on to the next link, None where it is missing, and return what it holds, as far as it can be read."""
        before, seq = self.at.hash, self.at.seq + 1
        if link is None:
            self.at = Anchor(seq, "")
            self.blame(f"entry {seq} is missing")
            return {}
        self.at, self.followed = Anchor(seq, link.hash), self.followed + 1
        content = _content(link.text)
        if before and chained(before, link.text) != link.hash:
            self.blame(f"entry {seq} is not what was noted")
        elif (content.get("seq"), content.get("workspace")) != (seq, self.workspace):
            self.blame(f"entry {seq} comes from another place")
        data = content.get("data")
        if isinstance(data, dict) and DROPPED in data:
            self.dropped.add(str(data[DROPPED]))
        for anchor in self.against:
            if anchor.seq == seq and anchor.hash != link.hash:
                self.blame(f"entry {seq} is another one than that of the anchor: the audit was written anew")
        return content

    def blame(self, problem: str) -> None:
        """Note what is wrong; the first ones are named."""
        if len(self.problems) < NAMED:
            self.problems.append(problem)
        elif len(self.problems) == NAMED:
            self.problems.append("and more")

    def checked(self) -> Checked:
        """Return what came out, with what the anchors tell of the ends."""
        for anchor in self.against:
            if anchor.seq > self.at.seq:
                self.blame(f"the audit ends at entry {self.at.seq}, before the anchor's {anchor.seq}: its end is gone")
            elif anchor.seq < self.first.seq:
                self.blame(f"entry {anchor.seq} of the anchor was dropped; check it against the export that holds it")
            elif anchor.seq == self.first.seq and anchor != self.first:
                self.blame(f"entry {anchor.seq} was another one than that of the anchor: the audit was written anew")
        return Checked(self.followed, self.first, self.at, tuple(self.problems))


def export_header(workspace: str, first: Anchor, head: Anchor) -> str:
    """Return the first line of an export, which says where it begins and ends."""
    return canonical({"audit": FORMAT, "workspace": workspace, "after": str(first), "head": str(head)})


def export_line(before: str, link: Link) -> str:
    """Return an entry as one line of an export: its fields, the hash before it (`prev`) and its own."""
    return canonical(json.loads(link.text) | {"prev": before, "hash": link.hash})


def checked_export(lines: Sequence[str], against: Sequence[Anchor] = ()) -> tuple[str, Checked]:
    """Return the workspace of an export and what a check of it came to; needs nothing but the lines.

    Raises:
        InvalidImport: This is no export of an audit, or one of another version.
    """
    workspace, first, head = _header(lines[0] if lines else "")
    chain = Chain(workspace, first, against)
    for line in lines[1:]:
        chain.follow(_exported_link(line, chain))
    if chain.at != head:
        chain.blame(f"the export ends at entry {chain.at.seq} and not at {head.seq}, as its first line says")
    return workspace, chain.checked()


def _header(line: str) -> tuple[str, Anchor, Anchor]:
    try:
        header = json.loads(line)
        if header["audit"] == FORMAT and canonical(header) == line:
            return header["workspace"], _anchor(header["after"]), _anchor(header["head"])
    except (KeyError, TypeError, ValueError, AttributeError):
        pass
    msg = f"this is no export of an audit of format {FORMAT}, or its first line was changed"
    raise InvalidImport(msg)


def _anchor(text: str) -> Anchor:
    seq, found = text.split(":")
    return Anchor(int(seq), found)


def _exported_link(line: str, chain: Chain) -> Link | None:
    fields = _content(line)
    before, found = fields.pop("prev", None), fields.pop("hash", None)
    if not isinstance(found, str) or canonical(fields | {"prev": before, "hash": found}) != line:
        chain.blame(f"line {chain.followed + 2} is not as it was written")
        return Link(line, str(found or GENESIS))
    if chain.at.hash and before != chain.at.hash:
        chain.blame(f"entry {fields.get('seq')} names another entry before it")
    return Link(canonical(fields), found)


def _content(text: str) -> dict[str, Any]:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}
