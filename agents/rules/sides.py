"""Comparisons without a model: which things a goal compares, and what the documents say about each."""

import re
from collections.abc import Sequence
from dataclasses import replace

from agents.contracts import Assignment
from agents.rules.evidence import Evidence
from agents.rules.research import PER_DOCUMENT, researched
from agents.rules.text import stem, subject_words


async def compared(request: Assignment, sides: Sequence[str]) -> Evidence:
    """Return what the documents say about each side of a comparison."""
    found = Evidence()
    for side in sides:
        question = " ".join([side, *_shared(request.goal, sides)])
        part = await researched(request, question=question, focus=[side], limit=PER_DOCUMENT)
        quotes = tuple(replace(quote, side=side) for quote in part.quotes)
        found += replace(part, quotes=quotes, gaps=() if quotes else (f"The documents say nothing about {side}.",))
    return found


def _shared(goal: str, sides: Sequence[str]) -> list[str]:
    own = {stem(word) for side in sides for word in side.split()}
    return [word for word in subject_words(goal) if stem(word) not in own and not word.isdigit()]


_READ_CHARS = 500
"""How much of a goal is read for its sides: the patterns take quadratic time."""
_SIDES = (
    re.compile(
        r"\bcompar(?:e|ing|ison of)\s+(?:the\s+)?(?P<a>.+?)\s+(?:and|with|to|against|vs\.?|versus)\s+(?:the\s+)?"
        r"(?P<b>[^.,;?!]+)",
        re.I,
    ),
    re.compile(r"\bdifferences?\s+between\s+(?:the\s+)?(?P<a>.+?)\s+and\s+(?:the\s+)?(?P<b>[^.,;?!]+)", re.I),
    re.compile(r"(?P<a>[\w' -]+?)\s+(?:versus|vs\.?)\s+(?P<b>[^.,;?!]+)", re.I),
)
_TAIL = re.compile(r"\s+(?:since|in|from|between|over|by|for|during|on|regarding|with respect to)\b.*$", re.IGNORECASE)


def sides_of(goal: str) -> list[str]:
    """Return the two things that a goal compares; none where they cannot be told."""
    for pattern in _SIDES:
        if match := pattern.search(goal[:_READ_CHARS]):
            return [" ".join(_TAIL.sub("", match[name]).split()[-5:]) for name in ("a", "b")]
    return []
