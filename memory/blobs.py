"""Blobs: large outputs as files named by their content, in groups that are deleted as one."""

import errno
import hashlib
import os
import re
import secrets
import shutil
from collections.abc import Iterable
from pathlib import Path

from domain.errors import StorageCorrupt, StorageError, StorageFull

_DIGEST = re.compile(r"[0-9a-f]{64}")


class BlobStore:
    """Files under one folder; equal content is stored once in a group.

    A group belongs to one thread of one workspace, so nothing is shared between workspaces and forgetting a thread is
    removing a folder. Calls block; they are made off the event loop.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, group: str, content: bytes) -> str:
        """Store `content` and return its SHA-256; it survives a loss of power from the moment this returns."""
        digest = hashlib.sha256(content).hexdigest()
        path = self._path(group, digest)
        if path.exists():
            return digest
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _write(path, content)
        except OSError as error:
            raise _translated(error) from error
        return digest

    def get(self, group: str, digest: str) -> bytes:
        """Return what was stored under `digest`.

        Raises:
            StorageCorrupt: It is not there, or is not what was stored.
        """
        try:
            content = self._path(group, digest).read_bytes()
        except FileNotFoundError as error:
            raise StorageCorrupt(f"the blob {digest:.12} is gone from {self._folder}") from error
        except OSError as error:
            raise _translated(error) from error
        if hashlib.sha256(content).hexdigest() != digest:
            raise StorageCorrupt(f"the blob {digest:.12} in {self._folder} is damaged")
        return content

    def sizes(self, group: str) -> dict[str, int]:
        """Return the bytes of each blob of a group by digest."""
        folder = self._group(group)
        files = folder.iterdir() if folder.is_dir() else ()
        return {file.name: file.stat().st_size for file in files if _DIGEST.fullmatch(file.name)}

    def sweep(self, group: str, kept: Iterable[str]) -> int:
        """Delete a group's blobs but the kept ones, and what a crash left half written; return the bytes freed."""
        wanted, freed = set(kept), 0
        folder = self._group(group)
        for file in [*folder.iterdir()] if folder.is_dir() else []:
            if file.name not in wanted:
                freed += file.stat().st_size
                file.unlink(missing_ok=True)
        return freed

    def drop(self, group: str) -> None:
        """Delete a group for good; an unknown one changes nothing."""
        shutil.rmtree(self._group(group), ignore_errors=True)

    def _group(self, group: str) -> Path:
        return self._folder / hashlib.sha256(group.encode()).hexdigest()[:32]

    def _path(self, group: str, digest: str) -> Path:
        if not _DIGEST.fullmatch(digest):
            raise StorageCorrupt(f"{digest!r:.80} names no blob")
        return self._group(group) / digest


def _write(path: Path, content: bytes) -> None:
    """Let the file appear whole or not at all."""
    partial = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    try:
        with partial.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError:
        partial.unlink(missing_ok=True)  # on a full disk it takes the space that others need
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Let a new name survive a loss of power, too."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _translated(error: OSError) -> StorageError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StorageFull("no space is left for a large output; free some and resume the run")
    return StorageError(f"a blob cannot be stored or read ({error})")
