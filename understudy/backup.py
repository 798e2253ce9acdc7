"""A backup of a data folder, also while a process works with it: every file as it was at one and the same moment.

Writers of all SQLite files are held up together, for the milliseconds that it takes to begin a read of each and to link
the blobs. From then on the reads see that moment, while the writers go on. A backup is therefore what a crash at that
moment would have left, and a run that was under way is carried on from there.
"""

import errno
import io
import os
import shutil
import sqlite3
import tarfile
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from filelock import FileLock, Timeout

from domain.errors import InvalidBackup, StorageBusy, StorageCorrupt, StorageError, StorageFull
from understudy.backup_files import BLOBS, DATABASES, FORMAT, MANIFEST, Manifest, entry_of, is_ours, release
from understudy.durable.database import FILE as RUNS
from understudy.migrations.steps import FIRST

_LOCK_SECONDS = 2.0
"""How long one file's writer is waited for while the writers of others are held up."""
_TRIES = 10
_NO_LINKS = (errno.EPERM, errno.EMLINK, errno.ENOTSUP)
"""What file systems say that know no links."""
_LEVEL = 3
"""Of the compression; more takes much longer and gains little."""
_NOT_KEPT = ("identity_sessions", "identity_logins")
"""Tables whose rows are left out: people log in again."""
_LOCK = "backup.lock"
_STAGING = "backup-"
_OF_THE_PLACE = ("lock", "owner.json", "identity.json", "clock.json", "clock.json.lock", _LOCK)
"""Files that belong to a folder on one machine, and that every other has of its own."""


class Backup(NamedTuple):
    """A backup that was made."""

    path: Path
    manifest: Manifest
    left_out: tuple[str, ...]
    """What else is in the data folder."""


def back_up(folder: Path, path: Path) -> Backup:
    """Write a backup of a data folder to a new file, which appears whole or not at all; blocks.

    Raises:
        InvalidBackup: The file exists, or the folder holds nothing that could be backed up.
        StorageBusy: A process writes for longer than a backup waits.
        StorageError: Something cannot be read or written; nothing is left behind.
    """
    if path.exists():
        raise InvalidBackup(f"{path} exists already; name a new file")
    if not any((folder / name).is_file() for name in DATABASES):
        raise InvalidBackup(f"{folder} holds nothing that could be backed up")
    draft = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        with _room(folder) as staging:
            manifest = _staged(folder, staging)
            _packed(staging, manifest, draft)
        _named(draft, path)
    except FileExistsError as error:
        raise InvalidBackup(f"{path} exists already; name a new file") from error
    except (OSError, sqlite3.Error) as error:
        raise _translated(error, folder) from error
    finally:
        draft.unlink(missing_ok=True)
    return Backup(path, manifest, _left_out(folder))


@contextmanager
def _room(folder: Path) -> Iterator[Path]:
    """Yield a folder for copies, in the data folder since links reach no other disk; what a crash left is deleted."""
    try:
        with FileLock(folder / _LOCK, blocking=False, mode=0o600):
            for old in folder.glob(f"{_STAGING}*/"):
                shutil.rmtree(old)
            with tempfile.TemporaryDirectory(prefix=_STAGING, dir=folder) as staging:
                yield Path(staging)
    except Timeout as error:
        raise StorageBusy(f"another backup of {folder} is being made") from error


def _named(draft: Path, path: Path) -> None:
    """Give a file its name, unless another file has got it meanwhile."""
    try:
        os.link(draft, path)
    except OSError as error:
        if error.errno not in _NO_LINKS or path.exists():
            raise
        draft.rename(path)


def _staged(folder: Path, staging: Path) -> Manifest:
    """Copy everything as it is at one moment, and return what it is."""
    names = [name for name in DATABASES if (folder / name).is_file()]
    blobs = set[str]()
    _link_blobs(folder, staging, blobs)  # most of them, while nobody is held up
    with ExitStack() as stack:
        with _writers_held(folder, names):
            readers = {name: stack.enter_context(closing(_reader(folder / name))) for name in names}
            for name in [name for name in names if not _is_logged(readers[name])]:
                _copied(readers.pop(name), staging / name)  # without a log ahead, a reader would hold writers up
            _link_blobs(folder, staging, blobs)
        for name, reader in readers.items():
            _copied(reader, staging / name)
    for name in names:
        _scrubbed(staging / name)
    entries = tuple(entry_of(staging, name) for name in (*names, *sorted(blobs)))
    return Manifest(
        format=FORMAT, release=release(), schema_version=_schema_version(staging / RUNS),
        made=datetime.now(UTC), files=entries,
    )  # fmt: skip


@contextmanager
def _writers_held(folder: Path, names: list[str]) -> Iterator[None]:
    """Let nobody write to any of the files in the block; who waits for another of them is let go first.

    Raises:
        StorageBusy: One of them is being written to all the time.
    """
    for _ in range(_TRIES):
        with ExitStack() as stack:
            try:
                for name in names:
                    writer = stack.enter_context(closing(_connected(folder / name)))
                    writer.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                    raise
                continue  # closing them all ends their transactions
            yield
            return
    raise StorageBusy(f"{folder} is being written to all the time; try again later")


def _connected(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=_LOCK_SECONDS, isolation_level=None)


def _reader(path: Path) -> sqlite3.Connection:
    """Return a connection that sees the file as it is now until it is closed."""
    reader = _connected(path)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM sqlite_master").fetchone()
    return reader


def _is_logged(reader: sqlite3.Connection) -> bool:
    return str(reader.execute("PRAGMA journal_mode").fetchone()[0]) == "wal"


def _copied(reader: sqlite3.Connection, path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as copy:
        reader.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE").fetchone()  # one file; who opens it chooses anew
    reader.close()


def _scrubbed(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as copy:
        for table in _NOT_KEPT:
            if copy.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", (table,)).fetchone():
                copy.execute("PRAGMA secure_delete = ON").fetchone()
                copy.execute(f"DELETE FROM {table}")


def _schema_version(path: Path) -> int:
    with suppress(sqlite3.OperationalError), closing(sqlite3.connect(path)) as copy:
        return int(copy.execute("SELECT version FROM schema_version").fetchone()[0])
    return FIRST


def _link_blobs(folder: Path, staging: Path, linked: set[str]) -> None:
    """Link the blobs that are not linked yet; a link keeps what is deleted meanwhile."""
    for name in _blobs(folder):
        if name in linked or not is_ours(name):
            continue
        target = staging / name
        target.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):  # deleted since it was seen: what is backed up has no need of it
            _linked(folder / name, target)
            linked.add(name)


def _blobs(folder: Path) -> Iterator[str]:
    """Yield the names of blobs below a data folder; writers are held up meanwhile, so this is quick."""
    with suppress(FileNotFoundError):
        for group in os.listdir(folder / BLOBS):
            with suppress(FileNotFoundError, NotADirectoryError):
                for blob in os.listdir(folder / BLOBS / group):
                    yield f"{BLOBS}/{group}/{blob}"


def _linked(blob: Path, target: Path) -> None:
    try:
        os.link(blob, target)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        shutil.copyfile(blob, target)


def _packed(staging: Path, manifest: Manifest, path: Path) -> None:
    """Write the archive, the manifest first, and see that it survives a loss of power."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        with tarfile.open(fileobj=file, mode="w:gz", compresslevel=_LEVEL) as archive:
            told = manifest.model_dump_json(indent=1).encode()
            archive.addfile(_member(MANIFEST, len(told)), io.BytesIO(told))
            for entry in manifest.files:
                with (staging / entry.name).open("rb") as content:
                    archive.addfile(_member(entry.name, entry.bytes), content)
        file.flush()
        os.fsync(file.fileno())


def _member(name: str, size: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size, member.mode, member.mtime = size, 0o600, int(time.time())
    return member


def _left_out(folder: Path) -> tuple[str, ...]:
    """Return what is in the data folder and in no backup, without what belongs to the files that are."""
    parts = {f"{name}{end}" for name in DATABASES for end in ("", "-wal", "-shm", "-journal")}
    known = {*parts, BLOBS, *_OF_THE_PLACE}
    return tuple(sorted(file.name for file in folder.iterdir() if file.name not in known))


def _translated(error: OSError | sqlite3.Error, folder: Path) -> StorageError:
    if isinstance(error, sqlite3.Error):
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code == sqlite3.SQLITE_FULL:
            return StorageFull(f"no space is left for a backup of {folder}; free some and try again")
        if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            return StorageCorrupt(f"a file in {folder} is damaged ({error})")
        return StorageError(f"{folder} cannot be backed up ({error})")
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StorageFull(f"no space is left for a backup of {folder}; free some and try again")
    return StorageError(f"{folder} cannot be backed up: {error.strerror or error}")
