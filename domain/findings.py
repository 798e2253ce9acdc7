"""What a detector finds in a text: places, each of a kind, and how those of several detectors go together."""

import re
import unicodedata
from collections.abc import Callable, Collection, Iterable
from functools import lru_cache
from typing import Literal, NamedTuple

Kind = Literal["card", "iban", "key", "email", "phone", "ip", "ssn"]


class Finding(NamedTuple):
    """A place in a text that should not be shown."""

    kind: Kind
    start: int
    end: int


Detect = Callable[[str, Collection[Kind]], Iterable[Finding]]
"""Returns what of these kinds stands in a text; places may overlap."""

_RANK: dict[Kind, int] = {"key": 0, "iban": 1, "card": 2, "email": 3, "ip": 4, "ssn": 5, "phone": 6}
"""Which of two overlapping findings counts: the one that is surer, and worse to show."""


def without_overlaps(findings: Iterable[Finding]) -> list[Finding]:
    """Return findings in the order of the text, of overlapping ones the surer with the other one's reach.

    The united reach is taken, so that no end of the weaker one stays to be read.
    """
    merged: list[Finding] = []
    for found in sorted(findings, key=lambda finding: (finding.start, -finding.end)):
        if merged and found.start < merged[-1].end:
            last = merged.pop()
            kind = min(last.kind, found.kind, key=lambda kind: _RANK[kind])
            found = Finding(kind, last.start, max(last.end, found.end))
        merged.append(found)
    return merged


_FOREIGN = re.compile(r"[^\x00-\x7f]+")
GAP = "\u200b"
"""What every character without width is read as."""


def folded(text: str) -> str:
    """Return a text of the same length whose digits, dashes, blanks and full-width signs are those of ASCII.

    So one pattern finds a number whatever script its digits are in, and places in it are places in the original.
    """
    return text if text.isascii() else _FOREIGN.sub(lambda match: "".join(map(_plain, match[0])), text)


@lru_cache(4096)
def _plain(char: str) -> str:
    digit = unicodedata.decimal(char, None)
    if digit is not None:
        return str(digit)
    match unicodedata.category(char):
        case "Zs":
            return " "
        case "Pd":
            return "-"
        case "Cf":
            return GAP
    plain = unicodedata.normalize("NFKC", char)
    return plain if len(plain) == 1 and plain.isascii() else char
