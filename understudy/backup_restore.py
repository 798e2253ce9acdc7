"""Putting a backup back: everything in it is checked before a data folder appears, whole or not at all."""

import errno
import hashlib
import os
import shutil
import sqlite3
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from domain.errors import InvalidBackup, SchemaTooNew, StorageError, StorageFull
from understudy.backup_files import DATABASES, FORMAT, MANIFEST, Entry, Manifest, chunks, is_ours
from understudy.durable.database import FILE as RUNS
from understudy.migrations.steps import LATEST

_LONGEST_MANIFEST = 256_000_000
"""Bytes; a million blobs."""
_SPARE = 16_000_000
"""Bytes of the disk that are left free."""


class Restored(NamedTuple):
    """A data folder that was restored."""

    folder: Path
    manifest: Manifest
    under_way: int
    """Runs that were under way when the backup was made, and will be carried on."""


def restore(path: Path, folder: Path) -> Restored:
    """Make a data folder of a backup; blocks.

    Args:
        path: The backup.
        folder: Does not exist yet, or is empty.

    Raises:
        InvalidBackup: The file is no backup, is damaged or of a later format, or the folder is not empty.
        SchemaTooNew: It is of a release after the next.
        StorageError: Something cannot be read or written; nothing is left behind.
    """
    _refuse_full(folder)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=f"{folder.name}.restoring-", dir=folder.parent))
    except OSError as error:
        raise _translated(error, folder) from error
    try:
        with _opened(path) as archive:
            manifest = _unpacked(archive, staging)
        under_way = _checked(staging, manifest)
        staging.rename(folder)  # onto an empty folder, too, but onto no other
    except OSError as error:
        raise _translated(error, folder) from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return Restored(folder, manifest, under_way)


def manifest_of(path: Path) -> Manifest:
    """Return what a backup says of itself, or raise `InvalidBackup`."""
    with _opened(path) as archive:
        return _manifest(archive)


def _refuse_full(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InvalidBackup(f"{folder} is not empty; a backup is restored into a new folder")


@contextmanager
def _opened(path: Path) -> Iterator[tarfile.TarFile]:
    """Open an archive; whatever is wrong with it is said in one way."""
    try:
        with tarfile.open(path, mode="r|gz") as archive:
            yield archive
    except FileNotFoundError as error:
        if error.filename != str(path):
            raise
        raise InvalidBackup(f"there is no file {path}") from error
    except IsADirectoryError as error:
        raise InvalidBackup(f"{path} is a folder, and a backup is a file") from error
    except (tarfile.TarError, EOFError, zlib.error, UnicodeError) as error:
        raise InvalidBackup(f"{path} is no backup, or is damaged ({error})") from error
    except OSError as error:
        if error.errno is None:  # of gzip, which names no number
            raise InvalidBackup(f"{path} is no backup, or is damaged ({error})") from error
        raise


def _manifest(archive: tarfile.TarFile) -> Manifest:
    first = archive.next()
    if first is None or first.name != MANIFEST or not first.isreg() or first.size > _LONGEST_MANIFEST:
        raise InvalidBackup("the archive does not begin with the manifest of a backup")
    told = archive.extractfile(first)
    assert told is not None, "a regular file"
    try:
        manifest = Manifest.model_validate_json(told.read())
    except ValidationError as error:
        raise InvalidBackup(f"the manifest of the backup cannot be read ({error.error_count()} mistakes)") from None
    if manifest.format != FORMAT:
        raise InvalidBackup(f"the backup has format {manifest.format}, and this release reads {FORMAT}")
    if foreign := [entry.name for entry in manifest.files if not is_ours(entry.name)]:
        raise InvalidBackup(f"a backup holds no file {foreign[0]!r:.80}")
    if manifest.schema_version > LATEST + 1:
        raise SchemaTooNew(manifest.schema_version, LATEST)
    return manifest


def _unpacked(archive: tarfile.TarFile, staging: Path) -> Manifest:
    """Write every file that the manifest names, and nothing else."""
    manifest = _manifest(archive)
    if shutil.disk_usage(staging).free < manifest.bytes + _SPARE:
        raise StorageFull(f"the backup takes {manifest.bytes / 1e6:.0f} MB, and that much is not free beside {staging}")
    left = {entry.name: entry for entry in manifest.files}
    if len(left) != len(manifest.files):
        raise InvalidBackup("the manifest names a file twice")
    for member in iter(archive.next, None):
        entry = left.pop(member.name, None)
        if entry is None or not member.isreg() or member.size != entry.bytes:
            raise InvalidBackup(f"{member.name!r:.80} in the archive is not what its manifest says")
        _written(archive, member, staging, entry)
    if left:
        raise InvalidBackup(f"{min(left)} is missing in the archive")
    return manifest


def _written(archive: tarfile.TarFile, member: tarfile.TarInfo, staging: Path, entry: Entry) -> None:
    target, digest = staging / entry.name, hashlib.sha256()
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    content = archive.extractfile(member)
    assert content is not None, "a regular file"
    with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        for chunk in chunks(content):  # type: ignore[arg-type]  # typed as a reader of bytes, and is one of files
            digest.update(chunk)
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    if digest.hexdigest() != entry.sha256:
        raise InvalidBackup(f"{entry.name} in the archive is damaged")


def _checked(staging: Path, manifest: Manifest) -> int:
    """See that SQLite can read its files, and return how many runs were under way."""
    names = [entry.name for entry in manifest.files if entry.name in DATABASES]
    for name in names:
        try:
            with closing(sqlite3.connect(staging / name)) as file:
                said = file.execute("PRAGMA quick_check(1)").fetchone()[0]
        except sqlite3.DatabaseError as error:
            said = str(error)
        if said != "ok":
            raise InvalidBackup(f"{name} in the archive is no sound database ({said})")
    return _under_way(staging / RUNS) if RUNS in names else 0


def _under_way(path: Path) -> int:
    with closing(sqlite3.connect(path)) as file:
        return int(file.execute("SELECT count(*) FROM fences WHERE holder <> ''").fetchone()[0])


def _translated(error: OSError, folder: Path) -> StorageError | InvalidBackup:
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT:
            return StorageFull(f"no space is left for {folder}; free some and try again")
        case errno.ENOTEMPTY | errno.EEXIST:
            return InvalidBackup(f"{folder} is not empty; a backup is restored into a new folder")
        case _:
            return StorageError(f"the backup cannot be restored to {folder}: {error.strerror or error}")
