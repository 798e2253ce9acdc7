"""The data folder: one process at a time, private to its owner."""

import asyncio
import errno
import json
import os
import platform
import time
import uuid
from datetime import datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from domain.errors import StorageBusy, StorageError, StorageFull

_LOCK = "lock"
_OWNER = "owner.json"
_IDENTITY = "identity.json"


class DataFolder:
    """An opened data folder, locked until `close`; the lock also ends with the process, however it ends."""

    def __init__(self, path: Path, lock: FileLock) -> None:
        self.path = path
        self._lock = lock

    @classmethod
    async def open(cls, path: Path, *, command: str) -> "DataFolder":
        """Create the folder where there is none (mode 0700) and lock it.

        Args:
            path: The folder.
            command: What this process is, as a second process is told, e.g. `understudy chat`.

        Raises:
            StorageBusy: Another process has it; the message names that process.
            StorageError: It cannot be created or written, or is not a folder.
        """
        return await asyncio.to_thread(cls._opened, path, command)

    @classmethod
    def _opened(cls, path: Path, command: str) -> "DataFolder":
        # A request may be served by any thread, so the lock must not belong to the one that took it.
        lock = FileLock(path / _LOCK, blocking=False, thread_local=False, mode=0o600)
        try:
            created(path)
            lock.acquire()
            _sign(path, command)
        except Timeout as error:
            raise StorageBusy(f"{path} is in use by {_owner(path)}; close it or choose another folder") from error
        except OSError as error:
            lock.release()
            raise _translation(path, error) from error
        return cls(path, lock)

    def close(self) -> None:
        """Give the folder free; a second call changes nothing.

        The owner's note stays behind: it is read only while the lock is held, and the next owner replaces it.
        """
        self._lock.release()


def created(path: Path) -> Path:
    """Create the folder where there is none, without locking it, and return it.

    Raises:
        StorageError: It cannot be created or written, or is not a folder.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise _translation(path, error) from error
    return path


def occupant_of(path: Path) -> str:
    """Return what the process is that took a data folder last, e.g. `understudy worker`; empty where nobody knows."""
    try:
        return str(json.loads((path / _OWNER).read_text())["command"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def identity_of(path: Path) -> str:
    """Return the name that an opened data folder alone has; a copy of it on another machine gets a name of its own."""
    host, file = platform.node(), path / _IDENTITY
    try:
        known = json.loads(file.read_text())
        if known["host"] == host and known["path"] == str(path.resolve()):
            return str(known["id"])
    except (OSError, ValueError, KeyError, TypeError):
        pass  # the folder is new, or the note is damaged
    drawn = {"id": uuid.uuid4().hex, "host": host, "path": str(path.resolve())}
    draft = path / f"{_IDENTITY}.new"
    draft.write_text(json.dumps(drawn))
    draft.replace(file)
    return drawn["id"]


def _sign(path: Path, command: str) -> None:
    owner = {"pid": os.getpid(), "command": command, "started": time.time()}
    draft = path / f"{_OWNER}.new"
    draft.write_text(json.dumps(owner))
    draft.replace(path / _OWNER)


def _owner(path: Path) -> str:
    """Return who holds the folder, as far as it can be read."""
    try:
        owner: dict[str, Any] = json.loads((path / _OWNER).read_text())
        since = datetime.fromtimestamp(owner["started"]).astimezone()
        return f"`{owner['command']}` (process {owner['pid']}, since {_moment(since)})"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"  # it has the lock and is about to sign, or the note is damaged


def _moment(moment: datetime) -> str:
    today = moment.date() == datetime.now(moment.tzinfo).date()
    return moment.strftime("%H:%M" if today else "%Y-%m-%d %H:%M")


def _translation(path: Path, error: OSError) -> StorageError:
    match error.errno:
        case errno.EEXIST | errno.ENOTDIR:
            return StorageError(f"{path} is not a folder; name another one for the data")
        case errno.EACCES | errno.EPERM | errno.EROFS:
            return StorageError(f"{path} cannot be written by this user; change its rights or name another folder")
        case errno.ENOSPC | errno.EDQUOT:
            return StorageFull(f"no space is left on the device of {path}; free some and try again")
        case _:
            return StorageError(f"{path} cannot be used as the data folder: {error.strerror or error}")
