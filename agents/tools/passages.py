"""Full-text search over passages of documents, ranked by BM25.

SQLite's FTS5 does the work: Robertson-Sparck Jones weights with k1 = 1.2 and b = 0.75, on Porter stems.
"""

import re
import sqlite3
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from agents.tools.extraction import Section

PASSAGE_CHARS = 800
TITLE_WEIGHT = 2.0
"""A word in the title or heading counts this many times a word in the text."""
MAX_WORDS = 60
"""FTS5 takes expressions of limited depth."""

_STOP_WORDS = frozenset({
    "a", "about", "above", "after", "again", "all", "also", "am", "an", "and", "any", "are", "as", "at", "be",
    "because", "been", "before", "being", "below", "between", "both", "but", "by", "can", "could", "did", "do",
    "does", "doing", "down", "during", "each", "few", "for", "from", "further", "had", "has", "have", "having", "he",
    "her", "here", "hers", "him", "his", "how", "i", "if", "in", "into", "is", "it", "its", "just", "let", "me",
    "more", "most", "my", "no", "nor", "not", "of", "off", "on", "once", "only", "or", "other", "our", "out", "over",
    "own", "please", "same", "she", "should", "so", "some", "such", "tell", "than", "that", "the", "their", "them",
    "then", "there", "these", "they", "this", "those", "through", "to", "too", "under", "until", "up", "us", "very",
    "was", "we", "were", "what", "when", "where", "which", "while", "who", "whom", "whose", "why", "will", "with",
    "would", "you", "your",
})  # fmt: skip


class Passage(NamedTuple):
    """A piece of a document."""

    locator: str
    """Heading, page or line."""
    start: int
    """Offset in the document's text, in characters."""
    text: str


class Hit(NamedTuple):
    """A passage that fits a query."""

    document: str
    locator: str
    start: int
    text: str
    score: float
    """BM25, higher is better; comparable within one answer only."""


def passages(sections: Iterable[Section]) -> Iterator[Passage]:
    """Cut sections that follow each other in one text into passages; those without words of their own are left out."""
    start, line = 0, 1
    for section in sections:
        for piece in _pieces(section.text):
            if _says_something(piece, section.locator):
                yield Passage(section.locator or f"line {line}", start, piece)
            start += len(piece)
            line += piece.count("\n")


def _pieces(text: str) -> Iterator[str]:
    start = 0
    while start < len(text):
        end = _break(text, start)
        yield text[start:end]
        start = end


def _break(text: str, start: int) -> int:
    """Return where the piece from `start` ends: at a paragraph, else a line, a sentence, a word."""
    end = start + PASSAGE_CHARS
    if end >= len(text):
        return len(text)
    for mark in ("\n\n", "\n", ". ", " "):
        cut = text.rfind(mark, start + PASSAGE_CHARS // 2, end)
        if cut >= 0:
            return cut + len(mark)
    return end


def _says_something(piece: str, heading: str) -> bool:
    return bool(piece.strip()) and (piece.strip().strip("# ") != heading or not heading)


def match_expression(query: str) -> str:
    """Return an FTS5 expression that finds any content word of the query; empty when there is no word at all.

    The words are quoted, so that nothing in the query acts as search syntax. Stop words count only if there is
    nothing else.
    """
    words = list(dict.fromkeys(re.findall(r"\w+", query.lower())))
    content = [word for word in words if word not in _STOP_WORDS and (len(word) > 1 or word.isdigit())]
    return " OR ".join(f'"{word}"' for word in (content or words)[:MAX_WORDS])


class PassageIndex:
    """Passages in memory. Not safe for threads that use it at the same time."""

    def __init__(self) -> None:
        self._known = set[str]()
        self._db = sqlite3.connect(":memory:", check_same_thread=False)
        self._db.execute(
            "CREATE VIRTUAL TABLE passages USING fts5(document UNINDEXED, locator UNINDEXED, start UNINDEXED,"
            " title, body, tokenize = 'porter unicode61 remove_diacritics 2')"
        )

    def put(self, document: str, title: str, parts: Iterable[Passage]) -> None:
        """Add a document's passages in place of those it had."""
        self.drop(document)
        self._known.add(document)
        self._db.executemany(
            "INSERT INTO passages VALUES (?, ?, ?, ?, ?)",
            ((document, part.locator, part.start, f"{title} {part.locator}", part.text) for part in parts),
        )

    def drop(self, document: str) -> None:
        """Forget a document."""
        if document in self._known:  # deleting reads every row, which the first filling can do without
            self._known.discard(document)
            self._db.execute("DELETE FROM passages WHERE document = ?", (document,))

    def search(self, query: str, *, limit: int) -> list[Hit]:
        """Return the passages that fit best, best first; none when no word of the query occurs."""
        expression = match_expression(query)
        if not expression:
            return []
        rows = self._db.execute(
            "SELECT document, locator, start, body, bm25(passages, 0, 0, 0, ?, 1) AS rank FROM passages"
            " WHERE passages MATCH ? ORDER BY rank, document, start LIMIT ?",
            (TITLE_WEIGHT, expression, limit),
        )
        # Four digits: in a folder of few passages all scores are tiny, and rounding to a place would level them.
        return [Hit(name, at, start, body.strip(), float(f"{-rank:.4g}")) for name, at, start, body, rank in rows]

    def close(self) -> None:
        """Give the memory back."""
        self._db.close()
