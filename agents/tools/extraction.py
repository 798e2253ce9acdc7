"""Text out of files: Markdown, plain text, HTML and PDF become a title and sections that can be cited."""

import io
import logging
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from bs4 import BeautifulSoup
from bs4.builder import ParserRejectedMarkup
from bs4.element import NavigableString, Tag
from pypdf import PdfReader
from pypdf.errors import PyPdfError

MAX_BYTES = 20_000_000
MAX_TITLE_CHARS = 120


class Unreadable(Exception):
    """A file has no text that can be had; `str()` says why, to follow the file's name."""


class Section(NamedTuple):
    """A part of a document under one heading or on one page."""

    locator: str
    """Heading or page; empty where the document gives none."""
    text: str


class Extract(NamedTuple):
    """What a document says."""

    title: str
    sections: list[Section]
    """In order; their texts joined are the document's text."""


def extract(path: Path) -> Extract:
    """Return a file's title and sections.

    Raises:
        Unreadable: The file is too large, binary, damaged, locked by a password, or holds no text.
    """
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            msg = f"it has {size / 1e6:,.0f} MB; at most {MAX_BYTES / 1e6:,.0f} MB are read"
            raise Unreadable(msg)
        found = READERS[path.suffix.lower()](path.read_bytes())
    except OSError as error:
        msg = f"it cannot be opened: {error.strerror or error}"
        raise Unreadable(msg) from error
    if not any(section.text.strip() for section in found.sections):
        msg = "it holds no text"
        raise Unreadable(msg)
    return Extract(_title(found, path), found.sections)


def _title(found: Extract, path: Path) -> str:
    first = next(line for section in found.sections for line in section.text.splitlines() if line.strip())
    title = " ".join((found.title or first or path.stem).split())
    return title if len(title) <= MAX_TITLE_CHARS else title[: MAX_TITLE_CHARS - 1] + "…"


def decoded(raw: bytes) -> str:
    """Return the text of a text file, whatever its encoding is; raise `Unreadable` where it is binary."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return raw.decode("utf-16", "replace")
    if b"\0" in raw:
        msg = "it is binary, not text"
        raise Unreadable(msg)
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace")


def _plain(raw: bytes) -> Extract:
    return Extract("", [Section("", decoded(raw))])


def _markdown(raw: bytes) -> Extract:
    sections = list(_under_headings(decoded(raw)))
    return Extract(next((s.locator for s in sections if s.locator), ""), sections)


_HEADING = re.compile(r"^ {0,3}#{1,6}[ \t]+(?P<words>\S.*)")
_FENCE = re.compile(r"^ {0,3}(```|~~~)")


def _under_headings(text: str) -> Iterator[Section]:
    """Split at Markdown headings, each kept as the first line of its section; code blocks are not looked into."""
    locator, lines, in_code = "", list[str](), False
    for line in text.splitlines(keepends=True):
        in_code ^= bool(_FENCE.match(line))
        heading = None if in_code else _HEADING.match(line)
        if heading:
            yield Section(locator, "".join(lines))
            locator, lines = heading["words"].strip().rstrip("#").rstrip(), []
        lines.append(line)
    yield Section(locator, "".join(lines))


_SILENT = ("script", "style", "noscript", "template", "title")
_BLOCKS = (
    "address", "article", "aside", "blockquote", "dd", "div", "dl", "dt", "figcaption", "figure", "footer", "form",
    "header", "hr", "li", "main", "nav", "ol", "p", "pre", "section", "table", "tr", "ul", "br",
)  # fmt: skip
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")


def _html(raw: bytes) -> Extract:
    """Rewrite the page as Markdown-like text, one block a line, and split that at its headings."""
    # The parser warns about a declaration of XML, which only says that the page is XHTML.
    markup = re.sub(r"^\s*<\?xml.*?\?>", "", decoded(raw))
    if "<" not in markup:
        return Extract("", [Section("", markup)])
    try:
        soup = BeautifulSoup(markup, "html.parser")
    except (ParserRejectedMarkup, RecursionError) as error:
        msg = "it is not sound HTML"
        raise Unreadable(msg) from error
    title = soup.title.get_text(" ", strip=True) if soup.title else ""
    sections = list(_under_headings(_blocks(soup)))
    return Extract(title or next((s.locator for s in sections if s.locator), ""), sections)


def _blocks(soup: BeautifulSoup) -> str:
    """Return the words of a page, headings marked as in Markdown, an empty line between blocks."""
    for tag in soup(_SILENT):
        tag.decompose()
    for string in list(soup.find_all(string=True)):
        _squeeze(string)
    for tag in soup(_BLOCKS + _HEADINGS + ("td", "th")):
        _break_around(tag)
    lines = (line.strip() for line in soup.get_text().splitlines())
    return "\n\n".join(line for line in lines if line)


def _squeeze(string: NavigableString) -> None:
    if not string.find_parent("pre"):
        string.replace_with(type(string)(re.sub(r"\s+", " ", string)))


def _break_around(tag: Tag) -> None:
    if tag.name in ("td", "th"):
        tag.insert_after(" | ")
        return
    tag.insert_before("\n")
    if tag.name in _HEADINGS:
        tag.insert(0, "#" * int(tag.name[1]) + " ")
    tag.insert_after("\n")


# What pypdf lets through from damaged files besides its own errors: it checks little before it trusts a value.
_DAMAGE = (
    PyPdfError, ValueError, TypeError, AttributeError, LookupError, ArithmeticError, AssertionError,
    NotImplementedError, RecursionError,
)  # fmt: skip


def _pdf(raw: bytes) -> Extract:
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # it tells of every flaw of a file on standard error
    try:
        reader = PdfReader(io.BytesIO(raw))
        if reader.is_encrypted and not reader.decrypt(""):
            msg = "it is locked by a password"
            raise Unreadable(msg)
        title = reader.metadata.title if reader.metadata else None
        pages = [page.extract_text() for page in reader.pages]
    except _DAMAGE as error:
        msg = f"it is not a sound PDF: {error}"
        raise Unreadable(msg) from error
    return Extract(title or "", [Section(f"page {n}", text + "\n\n") for n, text in enumerate(pages, start=1)])


READERS: Mapping[str, Callable[[bytes], Extract]] = {
    ".md": _markdown,
    ".markdown": _markdown,
    ".txt": _plain,
    ".text": _plain,
    ".html": _html,
    ".htm": _html,
    ".pdf": _pdf,
}
"""How each kind of file is read, by its ending."""
