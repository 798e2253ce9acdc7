"""Reading and searching a folder of documents, and the two tools that do it."""

import asyncio
import difflib
import threading
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from pydantic import BaseModel, ConfigDict, Field

from agents.tools.extraction import READERS, Unreadable, extract
from agents.tools.folders import Found, Shown, everything, scan
from agents.tools.passages import Hit, PassageIndex, passages
from agents.tools.registry import Tool, ToolOutput
from domain.errors import PathNotAllowed, ToolError, ToolRefused
from domain.outcomes import Source

QUOTE_CHARS = 300
MAX_READ_CHARS = 20_000


@dataclass(frozen=True)
class Document:
    """A document as it was when last looked at."""

    name: str
    stamp: tuple[int, int]
    title: str = ""
    text: str = ""
    problem: str = ""
    """Why it cannot be read; empty when it can."""


class Documents:
    """The documents of a folder, indexed in memory on first use and again whenever a file has changed.

    Safe for threads; every method blocks, so call it off the event loop.
    """

    def __init__(self, folder: Path, shown: Shown = everything) -> None:
        """Set up the documents of a folder; files that are not `shown` do not exist here."""
        self._folder, self._shown = folder, shown
        self._lock = threading.Lock()
        self._known = dict[str, Document]()
        self._index: PassageIndex | None = None

    def all(self) -> list[Document]:
        """Return every document by name, those that cannot be read included."""
        with self._lock:
            self._refresh()
            return list(self._known.values())

    def search(self, query: str, *, limit: int) -> list[Hit]:
        """Return the passages that fit best; see `PassageIndex.search`."""
        with self._lock:
            return self._refresh().search(query, limit=limit)

    def get(self, name: str) -> Document:
        """Return a readable document.

        Raises:
            PathNotAllowed: The name points out of the folder.
            ToolRefused: No document has this name, or it cannot be read.
        """
        name = name.strip().removeprefix("./")
        documents = {document.name: document for document in self.all()}
        if name not in documents:
            raise _missing(name, documents)
        if problem := documents[name].problem:
            msg = f"{name!r} cannot be read: {problem}"
            raise ToolRefused(msg)
        return documents[name]

    def close(self) -> None:
        """Forget everything read."""
        with self._lock:
            if self._index:
                self._index.close()
            self._index, self._known = None, {}

    def _refresh(self) -> PassageIndex:
        """Bring the index up to date with the folder; only files that changed are read."""
        index = self._index = self._index or PassageIndex()
        found = {file.name: file for file in scan(self._folder) if file.suffix in READERS and self._shown(file)}
        for name in self._known.keys() - found.keys():
            index.drop(name)
        self._known = {name: self._current(file, index) for name, file in found.items()}
        return index

    def _current(self, file: Found, index: PassageIndex) -> Document:
        known = self._known.get(file.name)
        if known and known.stamp == file.stamp:
            return known
        index.drop(file.name)
        if file.problem:
            return Document(file.name, file.stamp, problem=file.problem)
        try:
            content = extract(file.path)
        except Unreadable as error:
            return Document(file.name, file.stamp, problem=str(error))
        index.put(file.name, content.title, passages(content.sections))
        return Document(file.name, file.stamp, content.title, "".join(s.text for s in content.sections))


def _missing(name: str, documents: dict[str, Document]) -> ToolError:
    if name.startswith("/") or ".." in PurePosixPath(name).parts:
        return PathNotAllowed(f"{name!r} lies outside the documents folder")
    near = difflib.get_close_matches(name, documents, n=3, cutoff=0.5)
    return ToolRefused(
        f"there is no document {name!r}; " + (f"near: {', '.join(near)}" if near else "see list_materials")
    )


class SearchArguments(BaseModel):
    """Arguments of `search_documents`."""

    model_config = ConfigDict(extra="forbid")

    query: str = Field(min_length=1, max_length=2000, description="What to look for: a question or key words.")
    limit: int = Field(default=5, ge=1, le=20, description="Most passages to return.")


class ReadArguments(BaseModel):
    """Arguments of `read_document`."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=500, description="Document name as listed, e.g. notes/wind.md.")
    start: int = Field(default=0, ge=0, description="Character to start at.")
    limit: int = Field(default=6000, ge=1, le=MAX_READ_CHARS, description="Most characters to return.")


def document_tools(documents: Documents) -> list[Tool]:
    """Return `search_documents` and `read_document` over these documents."""

    async def search(arguments: SearchArguments) -> ToolOutput:
        hits = await asyncio.to_thread(documents.search, arguments.query, limit=arguments.limit)
        return _found(arguments.query, hits)

    async def read(arguments: ReadArguments) -> ToolOutput:
        document = await asyncio.to_thread(documents.get, arguments.name)
        return _excerpt(document, arguments.start, arguments.limit)

    return [
        Tool(
            "search_documents",
            "Find the passages of the given documents that fit a question best. Use it first for facts, definitions, "
            "causes and background; cite the document and place of what you use.",
            SearchArguments,
            search,
            effect="read",
        ),
        Tool(
            "read_document",
            "Read a document from a given character on. Use it when a passage found by search_documents is not enough.",
            ReadArguments,
            read,
            effect="read",
        ),
    ]


def _found(query: str, hits: list[Hit]) -> ToolOutput:
    if not hits:
        return ToolOutput(f"No passage contains any word of {query!r:.200}.", {"hits": []})
    text = "\n\n".join(f"[{hit.document}, {hit.locator}, from character {hit.start}]\n{hit.text}" for hit in hits)
    data = [{"document": h.document, "locator": h.locator, "text": h.text, "score": h.score} for h in hits]
    sources = tuple(Source(name=h.document, locator=h.locator, quote=_quote(h.text)) for h in hits)
    return ToolOutput(text, {"hits": data}, sources)


def _excerpt(document: Document, start: int, limit: int) -> ToolOutput:
    total = len(document.text)
    text = document.text[start : start + limit]
    end = start + len(text)
    data = {"name": document.name, "text": text, "start": start, "total": total}
    if not text:
        return ToolOutput(f"{document.name} has only {total} characters.", data)
    rest = f" of {total}; continue with start={end}" if end < total else f" of {total}"
    source = Source(name=document.name, locator=f"characters {start}-{end}", quote=_quote(text))
    return ToolOutput(f"{text}\n[{document.name}, characters {start}-{end}{rest}]", data, (source,))


def _quote(text: str) -> str:
    text = text.strip()
    return text if len(text) <= QUOTE_CHARS else text[: QUOTE_CHARS - 1] + "…"
