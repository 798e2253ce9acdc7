"""Folding: what is large in a checkpoint lies in the blob store, and the checkpoint holds references.

LangGraph's SQLite saver stores every channel anew with each checkpoint, so a conversation of n turns costs n² of space.
Folded, a value that is large is stored once, and a list by pages of which only the last one changes as it grows.
"""

from collections import OrderedDict
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any, cast

from langgraph.checkpoint.base import Checkpoint
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from memory.blobs import BlobStore

INLINE = 8 * 1024
"""Bytes up to which a value stays in its checkpoint."""
PAGE = 32
"""Items of a list in one blob."""
_KEY = "folded"
_BLOB = "blob"
_CACHED = 256
"""Folded channels that are kept in memory; most channels do not change from one checkpoint to the next."""


class FoldingSerializer:
    """A serialiser that leaves large values in the blob store: the type says where, so no content can pose as one."""

    def __init__(self, inner: JsonPlusSerializer, blobs: BlobStore) -> None:
        self._inner, self._blobs = inner, blobs
        self._group: str | None = None

    def allow(self, types: Collection[tuple[str, ...]]) -> None:
        """Let values of these types, by module and name, be read beside those that may be read already."""
        self._inner = self._inner.with_msgpack_allowlist(types)

    @contextmanager
    def folding(self, group: str) -> Iterator[None]:
        """Leave what is large in this group of blobs for the length of the block; elsewhere nothing is folded."""
        self._group = group
        try:
            yield
        finally:
            self._group = None

    def dumps_typed(self, obj: Any) -> tuple[str, bytes]:
        """Return the value's type and bytes, or the place of its bytes."""
        kind, content = self._inner.dumps_typed(obj)
        if self._group is None or len(content) <= INLINE:
            return kind, content
        return _BLOB, f"{self._group}\n{self.store(kind, content)}".encode()

    def loads_typed(self, data: tuple[str, bytes]) -> Any:
        """Return the value."""
        kind, content = data
        if kind != _BLOB:
            return self._inner.loads_typed(data)
        group, digest = content.decode().rsplit("\n", 1)
        return self.load(group, digest)

    def store(self, kind: str, content: bytes) -> str:
        """Store serialised content and return its digest."""
        if self._group is None:
            raise RuntimeError("values are folded within `folding` only")
        return self._blobs.put(self._group, kind.encode() + b"\n" + content)

    def load(self, group: str, digest: str) -> Any:
        """Return a stored value."""
        kind, content = self._blobs.get(group, digest).split(b"\n", 1)
        return self._inner.loads_typed((kind.decode(), content))

    def plain(self, obj: Any) -> tuple[str, bytes]:
        """Serialise a value as it is."""
        return self._inner.dumps_typed(obj)


class Folding:
    """Folds the channels of checkpoints and unfolds them."""

    def __init__(self, serde: FoldingSerializer) -> None:
        self._serde = serde
        self._known: OrderedDict[tuple[str, str, Any], Any] = OrderedDict()

    def folded(self, group: str, checkpoint: Checkpoint) -> Checkpoint:
        """Return the checkpoint with its large channels as references."""
        values, versions = checkpoint["channel_values"], checkpoint["channel_versions"]
        with self._serde.folding(group):
            found = {name: self._channel(group, name, versions.get(name), value) for name, value in values.items()}
        references = {name: reference for name, reference in found.items() if reference is not None}
        rest = {name: value for name, value in values.items() if name not in references}
        return cast("Checkpoint", {**checkpoint, "channel_values": rest, _KEY: references})

    def unfolded(self, group: str, checkpoint: Checkpoint) -> Checkpoint:
        """Return the checkpoint as it was."""
        whole: dict[str, Any] = {**checkpoint}
        references = whole.pop(_KEY, {})
        values = {name: self._value(group, reference) for name, reference in references.items()}
        whole["channel_values"] = whole["channel_values"] | values
        return cast("Checkpoint", whole)

    def forget(self, group: str) -> None:
        """Look at each of the group's channels anew, since blobs of it were deleted."""
        for key in [key for key in self._known if key[0] == group]:
            del self._known[key]

    def _channel(self, group: str, name: str, version: Any, value: Any) -> dict[str, Any] | None:
        """Return what stands for a channel's value, or None where it is small; an unchanged one is not looked at."""
        key = (group, name, version)
        if version is None or key not in self._known:
            self._known[key] = self._reference(value)
        self._known.move_to_end(key)
        while len(self._known) > _CACHED:
            self._known.popitem(last=False)
        found: dict[str, Any] | None = self._known[key]
        return found

    def _reference(self, value: Any) -> dict[str, Any] | None:
        if not value or isinstance(value, int | float):
            return None  # small without being measured
        kind, content = self._serde.plain(value)
        if len(content) <= INLINE:
            return None
        if isinstance(value, list):
            full = len(value) // PAGE * PAGE
            return {"pages": [self._page(value[i : i + PAGE]) for i in range(0, full, PAGE)], "tail": value[full:]}
        if isinstance(value, dict):
            return {"items": [[key, *self._item(item)] for key, item in value.items()]}
        return {"whole": self._serde.store(kind, content)}

    def _page(self, items: list[Any]) -> str:
        return self._serde.store(*self._serde.plain(items))

    def _item(self, item: Any) -> tuple[str, Any]:
        kind, content = self._serde.plain(item)
        return (_BLOB, self._serde.store(kind, content)) if len(content) > INLINE else ("plain", item)

    def _value(self, group: str, reference: dict[str, Any]) -> Any:
        if "whole" in reference:
            return self._serde.load(group, reference["whole"])
        if "items" in reference:
            return {k: self._serde.load(group, v) if kind == _BLOB else v for k, kind, v in reference["items"]}
        pages = [self._serde.load(group, digest) for digest in reference["pages"]]
        return [item for page in pages for item in page] + reference["tail"]


def digests(checkpoint: Checkpoint) -> set[str]:
    """Return the blobs that a folded checkpoint refers to."""
    references: dict[str, dict[str, Any]] = cast("dict[str, Any]", checkpoint).get(_KEY, {})
    found: set[str] = set()
    for reference in references.values():
        found |= {reference["whole"]} if "whole" in reference else set(reference.get("pages", ()))
        found |= {value for _, kind, value in reference.get("items", ()) if kind == _BLOB}
    return found


def written_digest(kind: str, content: bytes) -> str | None:
    """Return the blob that a task's stored write refers to, if it does."""
    return content.decode().rsplit("\n", 1)[1] if kind == _BLOB else None
