"""Placeholders: short names that stand for what a text must not show, and the way back."""

import re
from collections.abc import Callable, Iterable

from domain.findings import Finding, Kind

_LOOK = re.compile(r"(?:<|\\u003[cC])(?P<name>(?:EMAIL|PHONE|IP|TEXT)_[0-9]{1,6})(?:>|\\u003[eE])")
"""Some servers write the brackets as JSON's escapes, where they write JSON within a text."""
_BEGUN = re.compile(
    r"(?:\\(?:u(?:0(?:03?)?)?)?"  # the beginning of an escape
    r"|(?:<|\\u003[cC])[A-Z]{0,5}(?:_[0-9]{0,6}(?:\\(?:u(?:0(?:03?)?)?)?)?)?)$"
)
_LONGEST = len(r"\u003cEMAIL_123456\u003e")


def replaced(text: str, findings: Iterable[Finding], token: Callable[[Kind, str], str]) -> str:
    """Return the text with each finding replaced by its token.

    Args:
        text: Where they were found.
        findings: In the order of the text, without overlaps.
        token: Takes a finding's kind and its text.
    """
    parts, last = [], 0
    for found in findings:
        parts += [text[last : found.start], token(found.kind, text[found.start : found.end])]
        last = found.end
    return "".join([*parts, text[last:]])


class Placeholders:
    """The placeholders that were given out."""

    def __init__(self) -> None:
        self._originals: dict[str, str] = {}
        self._given: dict[tuple[str, str], str] = {}
        self._counts: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._originals)

    def of(self, kind: str, text: str) -> str:
        """Return the placeholder of a text, the same one every time."""
        if (kind, text) not in self._given:
            self._counts[kind] = self._counts.get(kind, 0) + 1
            token = f"<{kind.upper()}_{self._counts[kind]}>"
            self._given[kind, text] = token
            self._originals[token] = text
        return self._given[kind, text]

    def shielded(self, text: str) -> str:
        """Return a text in which what only looks like a placeholder has one of its own."""
        return _LOOK.sub(lambda match: self.of("text", match[0]), text) if _may_hold(text) else text

    def resolved(self, text: str) -> str:
        """Return a text with every placeholder that was given out replaced by what it stands for, once."""
        if not self._originals or not _may_hold(text):
            return text
        return _LOOK.sub(lambda match: self._originals.get(f"<{match['name']}>", match[0]), text)

    def pending(self, text: str) -> int:
        """Return how many characters at the end of a text may be the beginning of a placeholder."""
        begun = _BEGUN.search(text, max(0, len(text) - _LONGEST)) if self._originals else None
        return len(text) - begun.start() if begun else 0


def _may_hold(text: str) -> bool:
    return "<" in text or "\\u003" in text
