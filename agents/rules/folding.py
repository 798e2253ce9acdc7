"""The summariser's twin: of older turns the sentences that later ones may refer to, as they stand."""

import re
from collections.abc import Iterable

from agents.contracts import FoldingRequest
from agents.rules.text import normalised, sentences
from domain.outcomes import Draft

_NAMES = re.compile(r"@|\b\d|[\w-]+\.(?:md|csv|txt|pdf|json|docx?|xlsx?)\b|\b[A-Z][a-z]+\b(?<!^.)", re.ASCII)
_GREETING = re.compile(r"^(?:hi|hello|hey|thanks?|thank you|ok(?:ay)?|great|bye|goodbye)\b", re.IGNORECASE)
_CLIPPED = 200
"""Characters of one sentence that are kept."""
_OF_ANSWER = 2
"""Sentences kept of an answer."""


async def fold(request: FoldingRequest) -> Draft:
    """Return the summary with the older turns in it; where there is no room, the oldest sentences are given up."""
    told = [line for line in request.summary.splitlines() if line.strip()]
    told += [line for turn in request.turns for line in _kept(turn)]
    unique = list({normalised(line): line for line in reversed(told)}.values())[::-1]
    return Draft(text="\n".join(_newest(unique, request.words)), by="summariser", degraded=True)


def _kept(turn: str) -> Iterable[str]:
    """Yield what is kept of a turn: of the person all that is no greeting, of an answer what names something."""
    who, _, text = turn.partition(": ")
    said = sentences(text) or [part.strip() for part in text.splitlines() if part.strip()]
    said = [sentence for sentence in said if not _GREETING.match(sentence)]
    if who != "human":
        said = ([sentence for sentence in said if _NAMES.search(sentence)] or said)[:_OF_ANSWER]
    return (f"{who}: {sentence[:_CLIPPED]}" for sentence in said)


def _newest(lines: list[str], words: int) -> list[str]:
    """Return as many lines from the end as have at most so many words, in their order; at least a part of the last."""
    kept, room = list[str](), words
    for line in reversed(lines):
        room -= len(line.split())
        if room < 0:
            break
        kept.append(line)
    return kept[::-1] or [" ".join(line.split()[:words]) for line in lines[-1:]]
