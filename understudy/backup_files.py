"""What a backup holds: a manifest, then the files that it names, in a compressed tar archive."""

import hashlib
import re
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import BinaryIO

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from understudy.durable.database import FILE as RUNS
from understudy.durable.orders import FILE as ORDERS

FORMAT = 1
MANIFEST = "manifest.json"
BLOBS = "blobs"
DATABASES = ("checkpoints.sqlite", RUNS, ORDERS, "records.sqlite", "outbox.sqlite")
"""Files of a data folder that are backed up, where they are there. The vector index is not: it is built from them."""
_BLOB = re.compile(r"blobs/[0-9a-f]{32}/[0-9a-f]{64}")
_CHUNK = 1 << 20


class Entry(BaseModel):
    """One file of a backup."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    """Below the data folder."""
    bytes: int = Field(ge=0)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class Manifest(BaseModel):
    """What a backup says of itself."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: int
    release: str
    """Of Understudy."""
    schema_version: int
    """Of the database in it."""
    made: AwareDatetime
    files: tuple[Entry, ...]

    @property
    def bytes(self) -> int:
        """The size of all files, unpacked."""
        return sum(entry.bytes for entry in self.files)


def is_ours(name: str) -> bool:
    """Return whether a backup may hold a file of this name."""
    return name in DATABASES or _BLOB.fullmatch(name) is not None


def entry_of(folder: Path, name: str) -> Entry:
    """Return what a manifest says of a file."""
    digest, size = hashlib.sha256(), 0
    with (folder / name).open("rb") as file:
        for chunk in chunks(file):
            digest.update(chunk)
            size += len(chunk)
    return Entry(name=name, bytes=size, sha256=digest.hexdigest())


def chunks(file: BinaryIO) -> Iterator[bytes]:
    """Yield the content of a file piece by piece."""
    while chunk := file.read(_CHUNK):
        yield chunk


def release() -> str:
    """Return the version of Understudy that is installed."""
    try:
        return version("understudy")
    except PackageNotFoundError:
        return "unknown"
