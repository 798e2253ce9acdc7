"""Research without a model: the sentences of the documents that speak most about a question, with their place."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from math import log

from agents.contracts import Assignment
from agents.rules.evidence import Evidence, Quote, Unit
from agents.rules.questions import asks_for_figures
from agents.rules.text import clauses, coverage, leans_back, normalised, numbers, sentences, stem, stems, subject_words
from agents.rules.toolwork import use
from domain.outcomes import Source

MAX_QUOTES = 6
PER_DOCUMENT = 3
HITS = 10
QUERY_CHARS = 1000
QUOTE_CHARS = 300
MAX_PARTS = 4
"""Parts of a question that are searched for; a long goal has its point at the beginning."""
MAX_CATEGORIES = 4
MIN_SCORE = 0.25
"""Sentences below this are about something else."""
_NEAR_BEST = 0.45
"""Share of the best sentence's score from which another is worth quoting."""
_TOO_LITTLE, _IN_PART = 0.4, 0.6
"""Shares of the question's words below which passages do not answer, or only in part."""
_ALIKE = 0.6
"""Share of common words from which two sentences say the same."""

_ASKS_WHY = re.compile(
    r"\bwhy\b|\bexplain\w*|\bcaus\w+|\breasons?\b|\bdriv(?:e[rs]?|ing|en)\b|\bbehind\b|\bhelped\b", re.IGNORECASE
)
_SAYS_WHY = re.compile(
    r"\bbecause\b|\bwhy\b|\btherefore\b|\bdue to\b|\bowing to\b|\bthanks to\b|\bled to\b|\bcaus\w+|\bdr(?:ove|iven)\b"
    r"|(?<!not )\bexplains?\b|\breasons?\b|\bresult(?:ed|s)? in\b|\bas a result\b|\bcame together\b",
    re.IGNORECASE,
)
_IS_A_REASON = re.compile(
    r"\btax credit\b|\bincentive\w*|\bsubsid\w+|\blaws?\b|\bact of\b|\brequires?\b|\bretired\b|\bcheap\w*|\bcost\w*"
    r"|\bunder an agreement\b|\blimits on\b",
    re.IGNORECASE,
)
_ABOUT_THE_TABLE = re.compile(r"\b(?:the|this) table\b|\bcolumns?\b|\bcsv\b|\bworked example\b", re.IGNORECASE)
_TITLED_AS_TABLE = re.compile(r"\btable\b|\bcodebook\b|\bdata dictionary\b|\bcolumns\b", re.IGNORECASE)
_DEFINED = re.compile(r"\bwhat (?:does|do|is|are) (?:an? |the )?(.+?)(?= means?\b| stand for\b|[?,.]|$)", re.IGNORECASE)
_CATEGORIES = re.compile(r"\(VARCHAR: ([^)]+)\)")
_MEASURES = re.compile(r"(\w+) \((?:[A-Z]*INT|DOUBLE|FLOAT|DECIMAL\S*)\b")
_UNIT = re.compile(
    r"\bin ((?:(?:thousands?|millions?|billions?|hundreds?)(?: of)? [\w-]+|percent|dollars|euros|pounds|tonnes|tons|"
    r"kilograms|(?:kilo|mega|giga|tera)?watt-?hours|[kMGT]Wh|USD|EUR|GBP|litres|liters|kilomet\w+|metres|meters|miles)"
    r"(?: \([^)]{2,40}\))?)"
)


@dataclass(frozen=True)
class _Candidate:
    """A sentence that may be quoted."""

    quote: Quote
    score: float
    words: frozenset[str]


def asks_why(question: str) -> bool:
    """Tell whether a question asks for causes."""
    return bool(_ASKS_WHY.search(question))


async def researched(
    request: Assignment, *, question: str | None = None, focus: Sequence[str] = (), limit: int = MAX_QUOTES
) -> Evidence:
    """Return the best sentences for a question (the goal unless given), and the units of the tables' measures.

    Where there is a `focus`, each sentence must mention one of its names, itself or by its heading or title.
    """
    question = question or request.goal
    queries = _queries(request, question)
    names = _categories(request)
    about = [focus or ([] if query in names else _named(request, query)) for query in queries]
    rankings = [await _ranked(request, q, question, named) for q, named in zip(queries, about, strict=True)]
    of_place = 1 if asks_why(question) and len(queries) > 2 else PER_DOCUMENT
    found = tuple(c.quote for c in _diverse(_in_turn(rankings), limit + len(queries) - 1, of_place=of_place))
    quotes, gaps = _judged(question, found)
    units = await _units(request)
    sources = tuple(Source(name=q.document, locator=q.locator, quote=q.text[:QUOTE_CHARS]) for q in quotes)
    return Evidence(quotes=quotes, units=units, gaps=gaps, sources=sources)


def asks_more_than_figures(question: str) -> bool:
    """Tell whether a question, or a part of it, wants what tables cannot say: causes, meanings, events."""
    return asks_why(question) or any(not asks_for_figures(clause) for clause in clauses(question))


def confidence(question: str, quotes: Sequence[Quote]) -> float:
    """Return how sure it is that the quotes answer: the share of the question's words that they cover, at most 0.7."""
    if not quotes:
        return 0.1
    return round(0.3 + 0.4 * coverage(subject_words(question), " ".join(q.text for q in quotes)), 2)


def _categories(request: Assignment) -> list[str]:
    """Return the names that the tables tell apart, as far as their summaries list them."""
    tables = [material.summary for material in request.briefing.at_hand if material.kind == "table"]
    return [name.strip() for summary in tables for names in _CATEGORIES.findall(summary) for name in names.split(",")]


def _named(request: Assignment, question: str) -> list[str]:
    """Return the categories that a question names."""
    return [name for name in _categories(request) if coverage(name.split()[:1], question) == 1]


def _queries(request: Assignment, question: str) -> list[str]:
    """Return what to search for: the parts of a question that tables do not answer, else its parts.

    A question of causes that names no category is asked for each that the tables tell apart as well.
    """
    parts, categories = clauses(question)[:MAX_PARTS], _categories(request)
    if untold := [part for part in parts if not asks_for_figures(part)]:
        return untold if categories else parts
    if asks_why(question) and not _named(request, question):
        return [*categories[:MAX_CATEGORIES], *parts]
    return parts


async def _ranked(request: Assignment, query: str, question: str, focus: Sequence[str]) -> list[_Candidate]:
    """Return the sentences of the passages that fit a query, best first, without those far below the best."""
    hits = (await use(request, "search_documents", query=query[:QUERY_CHARS], limit=HITS)).data["hits"]
    best = max((hit["score"] for hit in hits), default=0.0) or 1.0
    titles = {material.name: material.summary for material in request.briefing.at_hand}
    pieces = [
        (Quote(text, hit["document"], hit["locator"]), hit["score"] / best)
        for hit in hits
        for text in _units_of(hit["text"])
    ]
    scale = _Scale(query, question, _weights([quote.text for quote, _ in pieces]), titles)
    found = [scale.candidate(quote, rank) for quote, rank in pieces if scale.is_about(quote, focus)]
    top = max((candidate.score for candidate in found), default=0.0)
    kept = [candidate for candidate in found if candidate.score >= max(MIN_SCORE, _NEAR_BEST * top)]
    return sorted(kept, key=lambda candidate: -candidate.score)


def _in_turn(rankings: Sequence[Sequence[_Candidate]]) -> Iterable[_Candidate]:
    """Yield the best of each ranking, then the second of each, and so on."""
    return (c for row in zip_longest(*rankings) for c in row if c is not None)


def _units_of(passage: str) -> Iterable[str]:
    """Yield a passage's sentences; one that begins with a pronoun comes with the sentence it leans on."""
    before = ""
    for sentence in sentences(passage):
        leans = leans_back(sentence)
        text = f"{before} {sentence}" if leans else sentence
        if len(stems(text)) >= 4 and text[-1] in '.!?”")' and not text[0].islower() and (before or not leans):
            yield text
        before = "" if leans and not before else sentence


def _weights(texts: Sequence[str]) -> dict[str, float]:
    """Return the inverse document frequency of each stem among these sentences."""
    bags = [set(stems(text)) for text in texts]
    known = {word for bag in bags for word in bag}
    return {word: log(1 + len(bags) / sum(word in bag for bag in bags)) for word in known}


@dataclass(frozen=True)
class _Scale:
    """How well sentences fit a query."""

    query: str
    question: str
    weights: Mapping[str, float]
    titles: Mapping[str, str]

    def candidate(self, quote: Quote, rank: float) -> _Candidate:
        """Score a sentence by its passage's rank, the weight of the words it shares with the query, and its tone.

        A word that only its heading or its document's title has counts half.
        """
        bag = frozenset(stems(quote.text))
        wanted = {stem(word) for word in subject_words(self.query)}
        headed = (wanted & set(stems(self._heading(quote)))) - bag
        most = sum(self.weights.get(word, 0.0) for word in wanted) or 1.0
        shared = sum(self.weights[w] for w in wanted & bag) + 0.5 * sum(self.weights.get(w, 0.0) for w in headed)
        return _Candidate(quote, 0.4 * rank + 0.6 * shared / most + self._tone(quote), bag)

    def is_about(self, quote: Quote, focus: Sequence[str]) -> bool:
        """Tell whether a sentence, its heading or its document's title has the first word of a name in focus."""
        text = f"{quote.text} {self._heading(quote)}"
        return not focus or any(coverage(name.split()[:1], text) == 1 for name in focus)

    def _heading(self, quote: Quote) -> str:
        return f"{self.titles.get(quote.document, '')} {quote.locator}"

    def _tone(self, quote: Quote) -> float:
        """Return what is added for reasons where they are asked for, and taken off for years that are not."""
        if asks_why(self.question):
            says = {match.lower() for match in _SAYS_WHY.findall(quote.text)}
            reasons = {match.lower() for match in _IS_A_REASON.findall(quote.text)}
            about_table = _ABOUT_THE_TABLE.search(quote.text) or _TITLED_AS_TABLE.search(self._heading(quote))
            return min(0.75, 0.5 * len(says) + 0.15 * len(reasons)) - bool(about_table)
        if (term := _DEFINED.search(self.query)) and re.match(
            rf"(?:an?|the)? ?{re.escape(term[1])}\s", quote.text, re.I
        ):
            return 0.4
        asked, told = _years(self.question), _years(quote.text)
        return -0.5 if asked and told and not any(min(asked) <= year <= max(asked) for year in told) else 0.0


def _years(text: str) -> list[int]:
    return [int(figure) for figure in numbers(text) if len(figure) == 4 and figure[:2] in ("18", "19", "20")]


def _diverse(ranked: Iterable[_Candidate], limit: int, *, of_place: int) -> list[_Candidate]:
    """Return the best sentences, leaving out what another has said and what would let one place speak alone."""
    kept = list[_Candidate]()
    for candidate in ranked:
        if len(kept) == limit:
            break
        documents = [other.quote for other in kept if other.quote.document == candidate.quote.document]
        places = sum(quote.locator == candidate.quote.locator for quote in documents)
        crowded = len(documents) >= PER_DOCUMENT or places >= of_place
        if candidate.score >= MIN_SCORE and not crowded and not any(_same(candidate, k) for k in kept):
            kept.append(candidate)
    return kept


def _same(one: _Candidate, other: _Candidate) -> bool:
    a, b = normalised(one.quote.text), normalised(other.quote.text)
    return a in b or b in a or len(one.words & other.words) >= _ALIKE * min(len(one.words), len(other.words))


def _judged(question: str, quotes: tuple[Quote, ...]) -> tuple[tuple[Quote, ...], tuple[str, ...]]:
    """Return the quotes that may stand and what is to be said of them: a stray common word is no answer."""
    subject = [word for word in subject_words(question) if not word.isdigit()]
    said = " ".join(f"{quote.text} {quote.document} {quote.locator}" for quote in quotes)
    unsaid = ", ".join(word for word in subject if coverage([word], said) == 0)
    part = coverage(subject, said)
    if not quotes or (part < _TOO_LITTLE and not asks_for_figures(question)):
        return (), (f"The documents say nothing about this{f' (not found: {unsaid})' if unsaid else ''}.",)
    if part < _IN_PART and not asks_for_figures(question):
        return quotes, (f"The passages found do not mention {unsaid}; they may answer only in part.",)
    return quotes, ()


async def _units(request: Assignment) -> tuple[Unit, ...]:
    """Return the units that the documents state for the tables' measures."""
    tables = [material.summary for material in request.briefing.at_hand if material.kind == "table"]
    measures = list(dict.fromkeys(name for summary in tables for name in _MEASURES.findall(summary)))[:4]
    found = [await _unit(request, measure) for measure in measures]
    return tuple(unit for unit in found if unit)


async def _unit(request: Assignment, measure: str) -> Unit | None:
    label = measure.replace("_", " ")
    output = await use(request, "search_documents", query=f"{label} unit column measured in", limit=5)
    for hit in output.data["hits"]:
        for sentence in sentences(hit["text"]):
            match = _UNIT.search(sentence)
            if match and label in sentence.lower().replace("_", " "):
                return Unit(measure, match[1], hit["document"], hit["locator"])
    return None
