"""Where Chroma keeps the index: in a folder of this process alone, or, with `memory.chroma_server`, on a server."""

import shutil
import struct
import warnings
from collections.abc import Collection as Several
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from domain.errors import StorageCorrupt, StorageError, StorageFull

if TYPE_CHECKING:
    from chromadb.api import ClientAPI
    from chromadb.api.models.Collection import Collection

_GRAPH = struct.Struct("<iQQQQ")
"""How a graph's `header.bin` begins: version of the format, an offset, places, used places, bytes of a place."""
_VERSION = 1
COSINE: Any = {"hnsw": {"space": "cosine"}}
SYNC_EVERY = 1000
SYNC_SHARE = 0.05
"""The graph is written to disk whenever this many vectors, or this share of it, are new."""


class IndexDamaged(StorageCorrupt):
    """The index cannot be read; `renew` it and add everything again."""

    code = "index_damaged"


class Chroma(Protocol):
    """A Chroma that is used by one thread; `connect` comes before everything else, and again after `disconnect`."""

    place: str
    """Where it is, for messages."""

    @property
    def foreign(self) -> tuple[type[Exception], ...]:
        """What its use may raise."""

    def translated(self, error: Exception) -> StorageError:
        """Return a foreign error as one of ours."""

    def connect(self) -> None:
        """Open it."""

    def ping(self) -> None:
        """Return when it is there."""

    def collection(self, name: str) -> "Collection":
        """Return a collection that measures cosines, made where there is none."""

    def beginning(self, prefix: str) -> "list[Collection]":
        """Return the collections whose names begin so."""

    def purge(self) -> None:
        """Have the files hold nothing but ids and vectors."""

    def begin_anew(self, held: "Several[Collection]") -> None:
        """Throw away what is damaged, `held` at least, and begin an empty one; it is connected afterwards."""

    def disconnect(self) -> None:
        """Release it; a second call changes nothing."""


class ChromaFolder:
    """Implements `Chroma` in a folder that nobody else uses."""

    def __init__(self, folder: Path) -> None:
        self.place = str(folder)
        self._folder = folder
        self._client: ClientAPI | None = None

    @property
    def foreign(self) -> tuple[type[Exception], ...]:
        """What its use may raise."""
        from chromadb.errors import ChromaError

        return (ChromaError,)

    def translated(self, error: Exception) -> StorageError:
        """Return a foreign error as one of ours."""
        if "disk is full" in str(error):
            return StorageFull(f"no space is left on the device of {self.place}; free some and try again")
        return IndexDamaged(f"the index in {self.place} is damaged: {error}")

    def connect(self) -> None:
        """Open the folder, creating it where there is none."""
        import chromadb  # 0.5 s: not for those who only want `--help`
        from chromadb.config import Settings

        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError) as error:
            msg = f"{self.place} is not a folder; move it away, and the index is built anew from the records"
            raise StorageError(msg) from error
        self.purge()  # a process that was killed did not come to it
        newest = max(self._generations(), default=1)
        settings = Settings(anonymized_telemetry=False)
        self._client = chromadb.PersistentClient(path=str(self._folder / str(newest)), settings=settings)

    def ping(self) -> None:
        """Return: a folder does not go away."""

    def collection(self, name: str) -> "Collection":
        """Return a collection; one that measures another distance is replaced by an empty one."""
        client = self._open()
        create = partial(client.get_or_create_collection, name, configuration=COSINE, embedding_function=None)
        collection = create()
        if not measures_cosines(collection):
            client.delete_collection(name)
            collection = create()
        _set_pace(collection)
        return collection

    def beginning(self, prefix: str) -> "list[Collection]":
        """Return the collections whose names begin so."""
        return [found for found in self._open().list_collections() if found.name.startswith(prefix)]

    def purge(self) -> None:
        """Overwrite the unused places of the graphs' files.

        Chroma writes them as it finds them in this process's memory, where anybody's text may have stood before.
        """
        for header in self._folder.rglob("header.bin"):
            _blank_unused(header)

    def begin_anew(self, held: "Several[Collection]") -> None:
        """Throw everything away and begin an empty folder."""
        # A client that failed to open stays in Chroma's registry under its path, so the path is never used again.
        self.disconnect()
        old = self._generations()
        (self._folder / str(max(old, default=0) + 1)).mkdir(mode=0o700, parents=True)
        for number in old:
            shutil.rmtree(self._folder / str(number), ignore_errors=True)
        self.connect()

    def disconnect(self) -> None:
        """Release the files; a second call changes nothing."""
        if self._client is not None:
            # Without this the client stays in a process-wide registry and keeps the files open.
            self._client.close()  # type: ignore[attr-defined]  # missing in the ClientAPI protocol
            self._client = None
            self.purge()

    def _open(self) -> "ClientAPI":
        if self._client is None:
            msg = f"the index in {self.place} is closed"
            raise IndexDamaged(msg)
        return self._client

    def _generations(self) -> list[int]:
        return [int(p.name) for p in self._folder.iterdir() if p.name.isdecimal()]


def _set_pace(collection: "Collection") -> None:
    """Have the graph written less often the larger it is, since it is written as a whole.

    What is new since then is added to the graph again when it is next loaded, 0.2 ms a vector. The pace counts from
    the next opening of the folder on.
    """
    wanted = max(SYNC_EVERY, int(SYNC_SHARE * collection.count()))
    if wanted >= 2 * collection.configuration_json["hnsw"]["sync_threshold"]:
        with warnings.catch_warnings():  # Chroma warns of a collection without an embedding function, as all of ours
            warnings.simplefilter("ignore", DeprecationWarning)
            collection.modify(configuration={"hnsw": {"sync_threshold": wanted}})


def measures_cosines(collection: "Collection") -> bool:
    """Return whether a collection's distance is the cosine's."""
    return bool(collection.configuration_json["hnsw"]["space"] == "cosine")


def _blank_unused(header: Path) -> None:
    """Overwrite the unused places of one graph; a header of another format, or a damaged one, is left to Chroma."""
    text = header.read_bytes()
    if len(text) < _GRAPH.size:
        return
    version, _, _, used, size = _GRAPH.unpack_from(text)
    if version == _VERSION:
        _blank_from(header.with_name("data_level0.bin"), used * size)
        _blank_from(header.with_name("length.bin"), used * 4)


def _blank_from(file: Path, start: int) -> None:
    if not file.exists() or (unused := file.stat().st_size - start) <= 0:
        return
    with file.open("r+b") as opened:
        opened.seek(start)
        opened.write(bytes(unused))
