"""Documents of one conversation: what a person dropped in, in a folder of its own, beside what everybody may read.

The folder is what the conversation's runs get as their data. What the installation is configured with is in it under
the same names, as links to the same files where the disk allows it, so that what a team says of its files keeps
holding.
"""

import asyncio
import errno
import hashlib
import json
import os
import shutil
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from agents.tools.database import TABLE_SUFFIXES
from agents.tools.extraction import READERS
from agents.tools.folders import scan
from domain.errors import InvalidRequest, RequestTooLarge

MAX_BYTES = 20_000_000
"""Of one document."""
MAX_TOTAL_BYTES = 100_000_000
"""Of all documents of a conversation."""
MAX_DOCUMENTS = 50
MAX_NAME_BYTES = 200
SUFFIXES = tuple(sorted({*READERS, *TABLE_SUFFIXES}))
"""Endings of what can be read."""
_SHARED = ".shared.json"
"""Names in the folder that come from the configured data."""
_BAD = set('/\\:*?"<>|')


@dataclass(frozen=True)
class Document:
    """One file that was dropped in."""

    name: str
    size: int


class DocumentStore:
    """The documents of one conversation. Its methods block, but for `take`."""

    def __init__(self, home: Path, workspace: str, thread: str, shared: Path | None) -> None:
        """Set up the documents of a conversation.

        Args:
            home: The data folder of the installation.
            workspace: Where the conversation is.
            thread: Its name, which may be anything.
            shared: The folder that the installation is configured with.
        """
        named = hashlib.sha256(thread.encode("utf-8", "surrogatepass")).hexdigest()[:32]
        self.folder = home / "documents" / workspace / named
        self._shared = shared

    def listed(self) -> list[Document]:
        """Return the documents by name."""
        return [Document(name, (self.folder / name).stat().st_size) for name in self._own()]

    def data(self) -> Path | None:
        """Return the folder that runs of the conversation read; None where nothing was dropped in.

        What the installation is configured with is brought up to date in it.
        """
        if not self._own():
            return None
        self._link()
        return self.folder

    async def take(self, name: str, chunks: AsyncIterator[bytes]) -> Document:
        """Keep a document; one of the same name is replaced, and nothing is kept of one that is refused.

        Raises:
            InvalidRequest: The name, its ending, or the number of documents is not possible.
            RequestTooLarge: It, or all of them together, would be too large.
        """
        part, left = await asyncio.to_thread(self._room, checked_name(name))
        try:
            size = await _written(part, chunks, left)
            await asyncio.to_thread(part.replace, self.folder / name)
        finally:
            await asyncio.to_thread(part.unlink, missing_ok=True)
        return Document(name, size)

    def _room(self, name: str) -> tuple[Path, int]:
        """Return where a document of this name is written first, and how large it may be."""
        others = [each for each in self.listed() if each.name != name]
        if len(others) >= MAX_DOCUMENTS:
            msg = f"a conversation has at most {MAX_DOCUMENTS} documents"
            raise InvalidRequest(msg)
        if self._shared is not None and (self._shared / name).exists():
            msg = f"the team's data has a file named {name!r}; rename yours"
            raise InvalidRequest(msg)
        left = min(MAX_BYTES, MAX_TOTAL_BYTES - sum(each.size for each in others))
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return self.folder / f".part-{uuid.uuid4().hex}", left

    def remove(self, name: str) -> None:
        """Delete a document, if there is one of this name."""
        (self.folder / checked_name(name)).unlink(missing_ok=True)

    def forget(self) -> None:
        """Delete all documents for good."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _own(self) -> list[str]:
        if not self.folder.is_dir():
            return []
        shared = self._linked()
        found = (entry for entry in os.scandir(self.folder) if entry.is_file(follow_symlinks=False))
        return sorted(e.name for e in found if not e.name.startswith(".") and e.name not in shared)

    def _linked(self) -> dict[str, list[int]]:
        try:
            linked: dict[str, list[int]] = json.loads((self.folder / _SHARED).read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        return linked

    def _link(self) -> None:
        """Bring what the installation is configured with up to date."""
        before, own = self._linked(), {*self._own()}
        found = {file.name: file for file in (scan(self._shared) if self._shared else []) if not file.problem}
        now = {name: list(file.stamp) for name, file in found.items() if name not in own}
        # Noted before anything is linked: what a crash leaves behind is never taken for a document of the person.
        _noted(self.folder / _SHARED, before | now)
        for name in before.keys() - now.keys():
            (self.folder / name).unlink(missing_ok=True)
        for name, stamp in now.items():
            if before.get(name) != stamp or not (self.folder / name).exists():
                _placed(found[name].path, self.folder / name)
        _noted(self.folder / _SHARED, now)


def checked_name(name: str) -> str:
    """Return the name of a document.

    Raises:
        InvalidRequest: It leads elsewhere, is hidden, cannot be a file's name everywhere, or ends as nothing readable.
    """
    plain = bool(name) and name.isprintable() and not _BAD & {*name} and name == name.strip()
    if not plain or name.startswith(".") or len(name.encode("utf-8", "surrogatepass")) > MAX_NAME_BYTES:
        msg = f"a document cannot be named {name[:80]!r}"
        raise InvalidRequest(msg)
    if Path(name).suffix.lower() not in SUFFIXES:
        msg = f"{name!r} cannot be read; documents end in {', '.join(SUFFIXES)}"
        raise InvalidRequest(msg)
    return name


async def _written(path: Path, chunks: AsyncIterator[bytes], most: int) -> int:
    """Write what comes and return its size."""
    size = 0
    file = await asyncio.to_thread(path.open, "xb")
    try:
        async for chunk in chunks:
            size += len(chunk)
            if size > most:
                msg = f"it is larger than the {most:,} bytes that there is room for"
                raise RequestTooLarge(msg)
            await asyncio.to_thread(file.write, chunk)
    finally:
        await asyncio.to_thread(file.close)
    if not size:
        raise InvalidRequest("it is empty")
    return size


def _noted(path: Path, linked: dict[str, list[int]]) -> None:
    part = path.with_name(f".part-{uuid.uuid4().hex}")
    part.write_text(json.dumps(linked), "utf-8")
    part.replace(path)


def _placed(source: Path, target: Path) -> None:
    """Put a file into the folder, as a link where the disk allows it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno not in (errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP):
            raise
        shutil.copy2(source, target)
