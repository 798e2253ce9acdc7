"""Summaries without a model: the sentences of each document that lie nearest to its centre, in their own order."""

import asyncio
import re
from collections.abc import Sequence
from typing import NamedTuple

from agents.contracts import Assignment
from agents.rules.evidence import Evidence, Quote
from agents.rules.research import QUERY_CHARS
from agents.rules.text import coverage, leans_back, normalised, sentences, stem, stems, subject_words
from agents.rules.toolwork import has, materials, use
from domain.errors import ToolError
from domain.outcomes import Source

MAX_DOCUMENTS = 8
MAX_CHARS = 60_000
"""Characters read of one document."""
PAGE = 20_000
SENTENCES_OF_ONE = 7
SENTENCES_OF_EACH = 3
_LEAD_BONUS = 0.15
_TOPIC_BONUS = 0.35
_GENERIC = frozenset(
    stem(word)
    for word in ["documents", "notes", "files", "folder", "texts", "everything", "pages", "say", "said", "says"]
)
_FILE = re.compile(r"[\w-]+\.(?:md|markdown|txt|text|html?|pdf)\b", re.IGNORECASE)


class _Text(NamedTuple):
    """A document that was read."""

    name: str
    text: str
    complete: bool


async def summarised(request: Assignment) -> Evidence:
    """Return the main sentences of the documents that the goal is about."""
    names = await _relevant(request)
    texts = [text for name in names if (text := await _read(request, name))]
    share = SENTENCES_OF_ONE if len(texts) == 1 else SENTENCES_OF_EACH
    topic = _topic(request.goal)
    quotes = [quote for text in texts for quote in await asyncio.to_thread(_main_points, text, topic, share)]
    gaps = [f"Only the first {MAX_CHARS:,} characters of {text.name} were read." for text in texts if not text.complete]
    unread = [name for name in names if name not in {text.name for text in texts}]
    gaps += [f"{name} could not be read." for name in unread]
    if not quotes:
        gaps.append("There are no documents about this to summarise.")
    sources = tuple(Source(name=quote.document, quote=quote.text[:300]) for quote in quotes)
    return Evidence(quotes=tuple(quotes), gaps=tuple(gaps), sources=sources)


def _topic(goal: str) -> list[str]:
    return [word for word in subject_words(_FILE.sub(" ", goal)) if stem(word) not in _GENERIC]


async def _relevant(request: Assignment) -> list[str]:
    """Return the documents named in the goal, else those that a search for its topic finds, else all."""
    documents = materials(request, "document")
    named = [name for name in documents if name.lower() in request.goal.lower()]
    topic = _topic(request.goal)
    if named or not topic or not has(request, "search_documents"):
        return (named or _by_title(request, topic) or documents)[:MAX_DOCUMENTS]
    hits = (await use(request, "search_documents", query=" ".join(topic)[:QUERY_CHARS], limit=20)).data["hits"]
    best: dict[str, float] = {}
    for hit in hits:
        best[hit["document"]] = max(best.get(hit["document"], 0.0), hit["score"])
    top = max(best.values(), default=0.0)
    return [name for name, score in best.items() if score >= 0.5 * top][:MAX_DOCUMENTS] or documents[:MAX_DOCUMENTS]


def _by_title(request: Assignment, topic: Sequence[str]) -> list[str]:
    """Return the documents whose name or title has a word of the topic."""
    about = [m for m in request.briefing.at_hand if m.kind == "document"]
    share = {m.name: coverage(topic, f"{m.name.replace('-', ' ').replace('.', ' ')} {m.summary}") for m in about}
    best = max(share.values(), default=0.0) if topic else 0.0
    return [name for name, part in share.items() if part == best] if best > 0 else []


async def _read(request: Assignment, name: str) -> _Text | None:
    """Return a document's text, or None when it cannot be read: the others are still worth summarising."""
    text, total = "", 1
    try:
        while len(text) < min(total, MAX_CHARS):
            page = (await use(request, "read_document", name=name, start=len(text), limit=PAGE)).data
            text, total = text + page["text"], page["total"]
            if not page["text"]:
                break
    except ToolError:
        return None
    return _Text(name, text, len(text) >= total)


def _main_points(document: _Text, topic: Sequence[str], count: int) -> list[Quote]:
    """Return the sentences nearest to the document's centre, weighted towards its beginning and the topic."""
    found = [(heading, s) for heading, s in _with_headings(document.text) if _stands_alone(s)]
    if not found:
        return []
    central = _centrality([sentence for _, sentence in found])
    scores = [
        value + _LEAD_BONUS * (place < 2) + _TOPIC_BONUS * (coverage(topic, f"{heading} {sentence}") if topic else 0)
        for place, (value, (heading, sentence)) in enumerate(zip(central, found, strict=True))
    ]
    kept = list[int]()
    for place in sorted(range(len(found)), key=lambda place: -scores[place]):
        if len(kept) < count and normalised(found[place][1]) not in {normalised(found[k][1]) for k in kept}:
            kept.append(place)
    return [Quote(found[place][1], document.name, found[place][0]) for place in sorted(kept)]


def _stands_alone(sentence: str) -> bool:
    return len(stems(sentence)) >= 5 and sentence[-1] in ".!?" and not leans_back(sentence)


def _with_headings(text: str) -> list[tuple[str, str]]:
    """Return each sentence with the Markdown heading that it stands under."""
    parts = re.split(r"^ {0,3}#{1,6}\s+(.*?)\s*#*\s*$", text, flags=re.MULTILINE)
    sections = [("", parts[0]), *zip(parts[1::2], parts[2::2], strict=True)]
    return [(heading, sentence) for heading, body in sections for sentence in sentences(body)]


def _centrality(texts: Sequence[str]) -> list[float]:
    """Return each sentence's cosine to the mean TF-IDF vector, scaled so that the most central one has 1."""
    from sklearn.feature_extraction.text import TfidfVectorizer  # type: ignore[import-untyped]  # ships no types

    vectors = TfidfVectorizer(analyzer=stems).fit_transform(texts)
    near = vectors @ vectors.mean(axis=0).A1
    return [float(value) for value in near / (near.max() or 1.0)]
