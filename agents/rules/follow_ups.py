"""Follow-ups: requests that mean an earlier result of the conversation, and answers made of it without new work."""

import re
from collections.abc import Callable, Sequence

from agents.rules import writing
from agents.rules.evidence import evidence_of
from agents.rules.figures import prose
from agents.rules.text import numbers, sentences
from domain.briefings import Earlier

_LEAD = r"^\W*(?:(?:and|now|so|ok(?:ay)?|please|then|but)\b[\s,]*)*(?:(?:can|could|would) (?:you|i|we)\s+)?"
_GIVE = r"(?:(?:please\s+)?(?:show|give|put|make|get|have|write|turn|tell|list|see)\s+)?(?:(?:me|us)\s+)?"
_IT = r"(?:it|that|this|them|these|those|(?:the|your) (?:answer|results?|figures|findings|numbers|data))"
_GIVE_IT = rf"{_GIVE}(?:{_IT}\s+)?"
_END = r"(?:[\s,]+(?:again|instead|please|then|now))*\W*$"
_WHICH = r"(?:what|which|who)(?:'s| is| are| was| were)?"
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
_NTH = rf"(?P<nth>{'|'.join(_ORDINALS)}|last|\d{{1,2}}(?:st|nd|rd|th))"
_OF = r"(?P<what>figure|number|value|row|line|point|item|source|sentence|finding|result)"
_AMONG = rf"(?:\s+(?:in|of|from)\s+(?:{_IT}|the (?:table|list)))?"
_MOST = "highest|largest|biggest|most|maximum|lowest|smallest|least|minimum"
_MANY = {"one": 1, "a single": 1, "a": 1, "two": 2, "three": 3}

_PATTERNS: dict[str, tuple[str, ...]] = {
    "table": (rf"{_GIVE_IT}(?:as|in|into)\s+a\s+table", rf"(?:make|draw)\s+a\s+table\s+(?:of|from)\s+{_IT}"),
    "list": (rf"{_GIVE_IT}(?:as|in|into)\s+(?:a\s+)?(?:bullet(?:ed)?\s+)?(?:list|bullets|bullet points)",),
    "short": (
        rf"(?:(?:make|keep|say|put)\s+{_IT}\s+)?(?:a (?:bit|little) )?(?:shorter|briefer|briefly|brief)(?:\s+version)?",
        r"more briefly|in short|tl;?dr",
        rf"{_GIVE_IT}in\s+(?P<many>one|a single|a|two|three)\s+sentences?",
        rf"(?:summari[sz]e|shorten|condense)\s+{_IT}",
    ),
    "nth": (rf"(?:{_WHICH}|{_GIVE})\s*the\s+{_NTH}\s+(?:{_OF}|one)(?:\s+(?:is|was))?{_AMONG}",),
    "most": (
        rf"(?:what|which)(?:\s+(?:one|of {_IT}))?(?:'s| is| was)?\s+the\s+(?P<most>{_MOST})"
        rf"(?:\s+(?:one|value|figure|number))?{_AMONG}",
    ),
    "sources": (
        rf"(?:{_WHICH}|{_GIVE})\s*(?:the|your|its)\s+sources?(?:\s+(?:for|of)\s+{_IT})?",
        rf"where\s+(?:do|does|did)\s+{_IT}\s+come\s+from|where\s+(?:is|are)\s+{_IT}\s+from",
        rf"what\s+(?:is|are)\s+{_IT}\s+based\s+on",
    ),
    "repeat": (
        rf"(?:repeat|say|show(?: me)?)\s+{_IT}(?:\s+(?:again|once more))?",
        r"what did you (?:just )?(?:say|find|answer)|once more|come again",
    ),
}  # fmt: skip
_KINDS = tuple(
    (kind, re.compile(f"{_LEAD}(?:{'|'.join(patterns)}){_END}", re.IGNORECASE)) for kind, patterns in _PATTERNS.items()
)


def refers_back(goal: str) -> bool:
    """Tell whether a goal as a whole asks for what was found before: in another form, or for a part of it."""
    return _meant(goal) is not None


def _meant(goal: str) -> tuple[str, re.Match[str]] | None:
    matches = ((kind, pattern.match(goal.strip())) for kind, pattern in _KINDS)
    return next(((kind, match) for kind, match in matches if match), None)


def follow_up(goal: str, earlier: Sequence[Earlier]) -> str:
    """Return the answer to a follow-up from the latest result that can give it; empty where none can."""
    meant = _meant(goal)
    if meant is None:
        return ""
    kind, match = meant
    latest = list(reversed(earlier))
    if kind in _OF_RESULTS:
        latest.sort(key=lambda one: not one.results)
    return next(filter(None, (_ANSWERS[kind](match, one) for one in latest)), "")


def _as_table(match: re.Match[str], earlier: Earlier) -> str:
    if tables := _tables(earlier.answer):
        return "\n\n".join(tables)
    if figures := evidence_of(earlier.results).figures:
        return "\n\n".join(map(writing.table, figures))
    rows = [" ".join(sentence.split()).replace("|", "\\|") for sentence in _said(earlier.answer)]
    lines = [f"| {n} | {row} |" for n, row in enumerate(rows, 1)]
    return "\n".join(["| # | finding |", "| --- | --- |", *lines]) if lines else ""


def _as_list(match: re.Match[str], earlier: Earlier) -> str:
    return "\n".join(f"- {sentence}" for sentence in _said(earlier.answer))


def _shorter(match: re.Match[str], earlier: Earlier) -> str:
    said = _said(earlier.answer)
    most = _MANY.get((match["many"] or "").lower()) or max(1, min(3, len(said) // 2))
    return " ".join(said[:most])


def _nth(match: re.Match[str], earlier: Earlier) -> str:
    what, found = (match["what"] or "point").lower(), _parts(match["what"] or "point", earlier)
    word = match["nth"].lower()
    place = len(found) if word == "last" else _ORDINALS.index(word) + 1 if word in _ORDINALS else int(word[:-2])
    if not found:
        return ""
    if not 0 < place <= len(found):
        return f"There is no {word} {what}: there {'is' if len(found) == 1 else 'are'} {len(found)}."
    return f"The {word} {what}: {found[place - 1]}"


def _parts(what: str, earlier: Earlier) -> list[str]:
    """Return what a follow-up counts: figures with their sentences, rows, sources, or sentences."""
    match what.lower():
        case "figure" | "number" | "value":
            said = _said(prose(earlier.answer))
            return [
                f"{figure}. {sentence}"
                for sentence in said
                for figure in numbers(sentence)
                if not _YEAR.fullmatch(figure)
            ]
        case "row" | "line":
            return _rows(earlier)
        case "source":
            return _sources(earlier)
        case _:
            return _said(earlier.answer)


def _rows(earlier: Earlier) -> list[str]:
    evidence = evidence_of(earlier.results)
    if evidence.figures:
        first = evidence.figures[0]
        return [", ".join(f"{c} {v}" for c, v in zip(first.columns, row, strict=True)) for row in first.rows]
    return [row.strip("| ") for table in _tables(earlier.answer) for row in table.splitlines()[2:]]


def _most(match: re.Match[str], earlier: Earlier) -> str:
    """Return the row that has most or least of what was measured."""
    lowest = match["most"].lower() in ("lowest", "smallest", "least", "minimum")
    for figures in evidence_of(earlier.results).figures:
        last = len(figures.columns) - 1
        rows = [row for row in figures.rows if isinstance(row[last], int | float) and not isinstance(row[last], bool)]
        if rows:
            best = (min if lowest else max)(rows, key=lambda row: float(row[last]))
            named = ", ".join(f"{column} {value}" for column, value in zip(figures.columns, best, strict=True))
            return f"The {match['most'].lower()} {figures.columns[last].replace('_', ' ')}: {named}."
    return ""


def _sources_of(match: re.Match[str], earlier: Earlier) -> str:
    return "\n".join(f"- {source}" for source in _sources(earlier))


def _sources(earlier: Earlier) -> list[str]:
    # A query is no place that a person would look up.
    found = [source for result in earlier.results for source in result.sources]
    places = (f"{s.name}, {s.locator}" if s.locator and "\n" not in s.locator else s.name for s in found)
    return list(dict.fromkeys(places))


def _repeated(match: re.Match[str], earlier: Earlier) -> str:
    return earlier.answer


_ANSWERS: dict[str, Callable[[re.Match[str], Earlier], str]] = {
    "table": _as_table, "list": _as_list, "short": _shorter, "nth": _nth, "most": _most, "sources": _sources_of,
    "repeat": _repeated,
}  # fmt: skip


_OF_RESULTS = frozenset({"nth", "most", "sources"})
"""Follow-ups about what was found, more than about how it was told last."""
_LABEL = re.compile(r"^(?:In short|From the documents)\.\s+")
_YEAR = re.compile(r"(?:19|20)\d\d")


def _said(answer: str) -> list[str]:
    """Return the sentences of an answer that say something: without labels, notes on the making, and sources."""
    body = answer.split(writing.SOURCES, 1)[0].replace(writing.CAVEAT, "")
    return [said for sentence in sentences(body) if len((said := _LABEL.sub("", sentence)).split()) > 2]


def _tables(answer: str) -> list[str]:
    """Return the Markdown tables of a text."""
    found, rows = list[str](), list[str]()
    for line in [*answer.splitlines(), ""]:
        if line.lstrip().startswith("|"):
            rows.append(line.strip())
        else:
            found += ["\n".join(rows)] if len(rows) > 2 else []
            rows = []
    return found
